"""Requests that a version answers before it is available, so that no user waits for its start.

They lie beside the model, in ``assets.extra/tf_serving_warmup_requests``: records of
``PredictionLog`` messages, as TensorFlow Serving reads them.
"""

from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from recsys_lib.model_server.messages import arrays_of, examples_of
from recsys_lib.model_server.servable import Servable
from recsys_lib.model_server.status import StatusError, invalid

WARM_UP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
MOST_RECORDS = 1_000


def warm_up(servable: Servable, folder: Path, times: int = 1) -> int:
    """Run the records of a version; return how many there are, 0 without the file.

    Parameters
    ----------
    servable : Servable
    folder : Path
        Of the version.
    times : int
        Runs of each record.

    Raises
    ------
    StatusError
        There are too many records, one cannot be read, or the model refuses one.
    """
    path = Path(folder) / WARM_UP_FILE
    if not path.is_file():
        return 0
    n = 0
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        n += 1
        if n > MOST_RECORDS:
            raise invalid(
                f"Number of warmup records exceeds the maximum ({MOST_RECORDS}) at {path}"
            )
        log = prediction_log_pb2.PredictionLog()
        try:
            log.ParseFromString(record)
        except Exception:
            raise StatusError("DATA_LOSS", f"Failed to parse warmup record from {path}") from None
        for _ in range(times):
            _run(servable, log)
    return n


def _run(servable: Servable, log) -> None:
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        request = log.predict_log.request
        key, outputs = request.model_spec.signature_name, list(request.output_filter)
        servable.predict(key, arrays_of(request.inputs), outputs)
    elif kind == "classify_log":
        request = log.classify_log.request
        servable.classify(request.model_spec.signature_name, examples_of(request.input))
    elif kind == "regress_log":
        request = log.regress_log.request
        servable.regress(request.model_spec.signature_name, examples_of(request.input))
    else:
        raise StatusError("UNIMPLEMENTED", f"Unsupported log_type for warmup: {kind}")
