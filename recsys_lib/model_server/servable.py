"""One version of a model in memory: a SavedModel with its session, and its three methods.

As TensorFlow Serving does, the graph is loaded into a session and run by the names in its
signatures; no Python of whoever made the model is needed. (Olston et al.: TensorFlow-Serving,
Flexible, High-Performance ML Serving, 2017.)
"""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from recsys_lib.keras_backend import load_tensorflow
from recsys_lib.model_server.batching import Batcher, BatchingConfig
from recsys_lib.model_server.status import StatusError, invalid

DEFAULT_SIGNATURE = "serving_default"
CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"


class Servable:
    """A loaded version.

    Parameters
    ----------
    name : str
    version : int
    folder : Path
        Holds ``saved_model.pb``.
    timeout_s : float
        How long a request may compute.
    batching : BatchingConfig, optional
        Put requests together that arrive together.

    Attributes
    ----------
    signatures : dict of str to SignatureDef
        Without TensorFlow's internal ones.
    """

    def __init__(
        self,
        name: str,
        version: int,
        folder: Path,
        *,
        timeout_s: float = 30.0,
        batching: BatchingConfig | None = None,
    ):
        tf = load_tensorflow()
        self.name, self.version = name, version
        self._tf, self._timeout_ms = tf, int(timeout_s * 1_000)
        graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=graph)
        try:
            with graph.as_default():
                meta = tf.compat.v1.saved_model.loader.load(self._session, ["serve"], str(folder))
        except BaseException:
            self._session.close()
            raise
        self.signatures = {
            key: signature
            for key, signature in meta.signature_def.items()
            if key != "__saved_model_init_op"
        }
        self._calls: dict[tuple, object] = {}
        self._lock = threading.Lock()
        self._batcher = None if batching is None else Batcher(batching)

    def predict(
        self,
        signature_name: str,
        inputs: Mapping[str, np.ndarray],
        output_filter: Sequence[str] = (),
    ) -> dict[str, np.ndarray]:
        """Run a signature on named arrays and return its named outputs.

        Parameters
        ----------
        signature_name : str
            Empty for ``serving_default``.
        inputs : dict of str to array
            Texts are arrays of bytes objects.
        output_filter : sequence of str
            Outputs wanted; all by default.

        Raises
        ------
        StatusError
            FAILED_PRECONDITION for an unknown signature; INVALID_ARGUMENT for inputs or outputs
            that are not the signature's.
        tensorflow.errors.OpError
            The graph refuses the values (types, shapes), or the time is up.
        """
        key = signature_name or DEFAULT_SIGNATURE
        if key not in self.signatures:
            raise StatusError("FAILED_PRECONDITION", f'Serving signature key "{key}" not found.')
        signature = self.signatures[key]
        _check_inputs(signature, inputs)
        outputs = _checked_outputs(signature, output_filter)
        names = sorted(signature.inputs)
        values = self._run(key, names, outputs, [inputs[name] for name in names])
        return dict(zip(outputs, values, strict=True))

    def classify(
        self, signature_name: str, examples: Sequence[bytes]
    ) -> list[list[tuple[str, float]]]:
        """Return (label, score) of each class for serialised ``tf.Example`` messages."""
        signature = self._of_method(signature_name, CLASSIFY, "classification")
        if len(signature.outputs) not in (1, 2):
            raise invalid(f"Expected one or two output Tensors, found {len(signature.outputs)}")
        wanted = [name for name in ("classes", "scores") if name in signature.outputs]
        if not wanted:
            raise StatusError(
                "FAILED_PRECONDITION",
                "Expected classification signature outputs to contain at least one of "
                '"classes" or "scores".',
            )
        found = dict(zip(wanted, self._on_examples(signature_name, wanted, examples), strict=True))
        for array in found.values():
            if array.ndim != 2 or len(array) != len(examples):
                raise invalid(
                    f"Expected Tensor shape: [batch_size num_classes] but got {list(array.shape)}"
                )
        classes, scores = found.get("classes"), found.get("scores")
        n_classes = (scores if classes is None else classes).shape[1]
        if classes is not None and scores is not None and scores.shape != classes.shape:
            raise invalid(
                "Tensors class and score should match in dim_size(1). Got "
                f"{classes.shape[1]} vs. {scores.shape[1]}"
            )
        labels = np.full((len(examples), n_classes), b"", object) if classes is None else classes
        values = np.zeros((len(examples), n_classes)) if scores is None else scores
        return [
            [(label.decode(errors="replace"), score) for label, score in zip(*row, strict=True)]
            for row in zip(labels, values, strict=True)
        ]

    def regress(self, signature_name: str, examples: Sequence[bytes]) -> np.ndarray:
        """Return a value for each serialised ``tf.Example``: float32, (n,)."""
        signature = self._of_method(signature_name, REGRESS, "regression")
        if len(signature.outputs) != 1:
            raise invalid("Expected one output Tensor.")
        if "outputs" not in signature.outputs:
            raise StatusError("FAILED_PRECONDITION", "No regression outputs found in SignatureDef.")
        (values,) = self._on_examples(signature_name, ["outputs"], examples)
        if values.shape not in ((len(examples),), (len(examples), 1)):
            raise invalid(
                "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got "
                f"{list(values.shape)}"
            )
        return values.reshape(-1)

    def input_dtypes(self, key: str) -> dict[str, np.dtype]:
        """Return the types of a signature's inputs; ``object`` for texts."""
        inputs = self.signatures[key].inputs
        return {n: np.dtype(self._tf.as_dtype(i.dtype).as_numpy_dtype) for n, i in inputs.items()}

    def close(self) -> None:
        """Give the memory back."""
        self._session.close()
        self._calls.clear()

    def _of_method(self, signature_name: str, method: str, kind: str):
        key = signature_name or DEFAULT_SIGNATURE
        if key not in self.signatures:
            raise invalid(f"No signature was found with the name: {key}")
        signature = self.signatures[key]
        if signature.method_name != method:
            raise invalid(
                f"Expected {kind} signature method_name to be {method}. "
                f"Was: {signature.method_name}"
            )
        if len(signature.inputs) != 1:
            raise invalid("Expected one input Tensor.")
        if "inputs" not in signature.inputs:
            raise StatusError("FAILED_PRECONDITION", f"No {kind} inputs found in SignatureDef.")
        return signature

    def _on_examples(self, signature_name, outputs, examples) -> list[np.ndarray]:
        if not examples:
            raise invalid("Input is empty.")
        rows = np.array(examples, object)
        return self._run(signature_name or DEFAULT_SIGNATURE, ["inputs"], outputs, [rows])

    def _run(self, key: str, inputs, outputs, values) -> list[np.ndarray]:
        call = self._call(key, tuple(inputs), tuple(outputs))
        if self._batcher is None:
            return call(*values)
        return self._batcher.run((key, *outputs), values, lambda joined: call(*joined))

    def _call(self, key: str, inputs: tuple[str, ...], outputs: tuple[str, ...]):
        """Return the compiled call from these inputs to these outputs, made at its first use.

        The public ``make_callable`` takes a time limit only in a form that goes through Python
        for every value and converts types in silence.
        """
        from tensorflow.core.protobuf import config_pb2

        with self._lock:
            made = self._calls.get((key, outputs))
            if made is None:
                signature = self.signatures[key]
                options = config_pb2.CallableOptions(
                    feed=[signature.inputs[name].name for name in inputs],
                    fetch=[signature.outputs[name].name for name in outputs],
                    run_options=config_pb2.RunOptions(timeout_in_ms=self._timeout_ms),
                )
                self._calls[key, outputs] = made = self._session._make_callable_from_options(
                    options
                )
            return made


def _check_inputs(signature, inputs: Mapping) -> None:
    """Refuse inputs that are not the signature's, in TensorFlow Serving's words."""
    sent, known = set(inputs), set(signature.inputs)
    if len(sent) != len(known):
        extra, missing = ",".join(sorted(sent - known)), ",".join(sorted(known - sent))
        raise invalid(
            f"input size does not match signature: {len(sent)}!={len(known)} "
            f"len({{{','.join(sorted(sent))}}}) != len({{{','.join(sorted(known))}}}). "
            f"Sent extra: {{{extra}}}. Missing but required: {{{missing}}}."
        )
    if wrong := sorted(sent - known):
        raise invalid(
            f"input tensor alias not found in signature: {wrong[0]}. Inputs expected to be in the "
            f"set {{{','.join(sorted(known))}}}."
        )


def _checked_outputs(signature, output_filter: Sequence[str]) -> list[str]:
    seen: set[str] = set()
    for name in output_filter:
        if name not in signature.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {name} Outputs expected to be in the "
                f"set {{{','.join(sorted(signature.outputs))}}}."
            )
        if name in seen:
            raise invalid(f"duplicate output tensor alias: {name}")
        seen.add(name)
    return list(output_filter) or sorted(signature.outputs)
