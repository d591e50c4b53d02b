"""FNN: a multi-layer network over what a factorisation machine has learned.

The machine is trained first, at a rate of its own. Its weights and vectors become the first layer,
and everything is trained further together, so the embeddings start from something that already
predicts. The seconds of the machine are in :attr:`TrainingLog.seconds_before`.

    every field -> weight and vector (from the machine) -> hidden layers -> 1 -> sigmoid

(Zhang, Du, Wang: Deep Learning over Multi-field Categorical Data, 2016. There the hidden layers are
pre-trained as well, as Boltzmann machines or autoencoders, and tanh is their activation; here they
start at random, and it is ReLU.)
"""

from dataclasses import dataclass, replace

from recsys_lib.ranking.config import RankingConfig, TrainingConfig
from recsys_lib.ranking.inputs import FeatureInputs


@dataclass(frozen=True)
class FnnConfig(RankingConfig):
    """Settings of FNN.

    Attributes
    ----------
    machine_learning_rate : float
        Step size of Adam while the factorisation machine is trained, which wants a larger one than
        the network.
    """

    machine_learning_rate: float = 0.003

    @property
    def earlier_training(self) -> TrainingConfig:
        """How the machine is trained."""
        return replace(self.training, learning_rate=self.machine_learning_rate)


def network(config: RankingConfig, inputs: FeatureInputs):
    """Return the untrained Keras model."""
    from recsys_lib.ranking.network import NetworkInputs, layers

    net = NetworkInputs.of(config, inputs)
    weights = layers.Flatten()(net.pooled(net.weights()))
    vectors = layers.Flatten()(net.factors())
    hidden = net.hidden(layers.Concatenate()([weights, vectors, net.numbers]))
    return net.model(layers.Dense(1, name="like")(hidden), "fnn")
