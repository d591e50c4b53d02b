"""What a network in training predicts after each number of gradient steps."""

from collections.abc import Sequence

import numpy as np

from recsys_lib.errors import RecsysError
from recsys_lib.ranking.config import TrainingConfig
from recsys_lib.ranking.inputs import Encoded
from recsys_lib.ranking.training import Chunk, CompiledPass, predict
from recsys_lib.seeding import DEFAULT_SEED, generator


def predictions_by_step(
    network,
    chunk: Chunk,
    config: TrainingConfig,
    asked: Encoded,
    steps: Sequence[int],
    seed: int = DEFAULT_SEED,
) -> np.ndarray:
    """Train a network, stop after some numbers of steps, and let it predict each time.

    The steps are those of :func:`recsys_lib.ranking.training.train` with the same seed, which only
    looks after whole epochs: too late where the best step comes within the first one.

    Parameters
    ----------
    network : keras.Model
        Takes ``[categories, numbers]`` and gives a probability. Changed in place.
    chunk : (Encoded, labels)
        What it is trained on. The last step of an epoch has the rows that are left.
    config : TrainingConfig
        Its number of epochs and its patience have no effect.
    asked : Encoded
        The samples that are predicted, n of them.
    steps : increasing sequence of int
        Numbers of steps, from 0 (untrained).

    Returns
    -------
    float32 array, shape (len(steps), n)

    Raises
    ------
    RecsysError
        The numbers of steps do not increase, or one is negative.
    """
    if any(np.diff([-1, *steps]) <= 0):
        raise RecsysError(f"Steps must increase from 0 or more, not {list(steps)}: sort them.")
    passes, (samples, labels), size = CompiledPass(network, config), chunk, config.batch_size
    of_epoch, done, found = -(-len(labels) // size), 0, []
    for stop in steps:
        while done < stop:
            epoch, first = divmod(done, of_epoch)
            rng = generator(seed, "training", epoch + 1)
            rng.permutation(1)  # the order of chunks, of which there is one
            order = rng.permutation(len(labels)).astype(np.int32)
            last = min(first + stop - done, of_epoch)
            rows = order[first * size : last * size]
            passes.one_pass(samples.categories, samples.numbers, labels, rows)
            done += last - first
        found.append(predict(network, asked))
    return np.stack(found)
