"""The gRPC interface: PredictionService and ModelService of ``tensorflow-serving-api``."""

import functools
import logging

import grpc
from tensorflow_serving.apis import (
    classification_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from recsys_lib.model_server import describe
from recsys_lib.model_server.config import configs_of
from recsys_lib.model_server.manager import ModelManager
from recsys_lib.model_server.messages import arrays_of, examples_of, proto_of
from recsys_lib.model_server.servable import CLASSIFY, DEFAULT_SIGNATURE, REGRESS, Servable
from recsys_lib.model_server.status import invalid, status_of

logger = logging.getLogger(__name__)


def _status(method):
    """End a call with the status of whatever its method raises."""

    @functools.wraps(method)
    def wrapped(self, request, context):
        try:
            return method(self, request, context)
        except Exception as error:
            status = status_of(error)
            if status.code == "INTERNAL":
                logger.exception("%s failed", method.__name__)
            context.abort(grpc.StatusCode[status.code], status.message)

    return wrapped


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict, Classify, Regress, MultiInference, GetModelMetadata."""

    def __init__(self, manager: ModelManager):
        self.manager = manager

    @_status
    def Predict(self, request, context):
        response = predict_pb2.PredictResponse()
        with self._borrowed(request) as servable:
            inputs = arrays_of(request.inputs)
            key = request.model_spec.signature_name
            outputs = servable.predict(key, inputs, list(request.output_filter))
            _fill_spec(response.model_spec, servable, key or DEFAULT_SIGNATURE)
        for name, array in outputs.items():
            response.outputs[name].CopyFrom(proto_of(array))
        return response

    @_status
    def Classify(self, request, context):
        response = classification_pb2.ClassificationResponse()
        with self._borrowed(request) as servable:
            key = request.model_spec.signature_name
            _fill_classes(response.result, servable, key, request.input)
            _fill_spec(response.model_spec, servable, key)
        return response

    @_status
    def Regress(self, request, context):
        response = regression_pb2.RegressionResponse()
        with self._borrowed(request) as servable:
            key = request.model_spec.signature_name
            _fill_values(response.result, servable, key, request.input)
            _fill_spec(response.model_spec, servable, key)
        return response

    @_status
    def MultiInference(self, request, context):
        response = inference_pb2.MultiInferenceResponse()
        if not request.tasks:
            raise invalid("Inference request is empty. Make sure to specify at least one task.")
        if len({task.model_spec.name for task in request.tasks}) > 1:
            raise invalid(
                "All ModelSpecs in a MultiInferenceRequest must access the same model name."
            )
        fill = {CLASSIFY: _fill_classes, REGRESS: _fill_values}
        part = {CLASSIFY: "classification_result", REGRESS: "regression_result"}
        for task in request.tasks:
            if task.method_name not in fill:
                raise invalid(f"Unsupported signature method_name: {task.method_name}")
            with self._borrowed(task) as servable:
                result, key = response.results.add(), task.model_spec.signature_name
                where = getattr(result, part[task.method_name])
                fill[task.method_name](where, servable, key, request.input)
                _fill_spec(result.model_spec, servable, key)
        return response

    @_status
    def GetModelMetadata(self, request, context):
        _require_spec(request)
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != describe.SIGNATURE_DEF:
                raise invalid(f"Metadata field {field} is not supported")
        return describe.model_metadata(self.manager, *_which(request.model_spec))

    def _borrowed(self, request):
        _require_spec(request)
        return self.manager.borrowed(*_which(request.model_spec))


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus, HandleReloadConfigRequest."""

    def __init__(self, manager: ModelManager):
        self.manager = manager

    @_status
    def GetModelStatus(self, request, context):
        _require_spec(request)
        return describe.model_status(self.manager, *_which(request.model_spec))

    @_status
    def HandleReloadConfigRequest(self, request, context):
        self.manager.configure(configs_of(request.config))
        return model_management_pb2.ReloadConfigResponse()


def _require_spec(request) -> None:
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")


def _which(spec) -> tuple[str, int | None, str]:
    """Return name, version and label of a ModelSpec."""
    choice = spec.WhichOneof("version_choice")
    version = spec.version.value if choice == "version" else None
    return spec.name, version, spec.version_label if choice == "version_label" else ""


def _fill_spec(spec, servable: Servable, signature_name: str) -> None:
    spec.name, spec.signature_name = servable.name, signature_name
    spec.version.value = servable.version


def _fill_classes(result, servable: Servable, key: str, message) -> None:
    for row in servable.classify(key, examples_of(message)):
        classes = result.classifications.add()
        for label, score in row:
            classes.classes.add(label=label, score=score)


def _fill_values(result, servable: Servable, key: str, message) -> None:
    for value in servable.regress(key, examples_of(message)):
        result.regressions.add(value=value)
