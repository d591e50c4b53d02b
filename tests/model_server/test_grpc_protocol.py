"""The gRPC interface through the stubs of ``tensorflow-serving-api``."""

import grpc
import numpy as np
import pytest


@pytest.fixture(scope="module")
def apis():
    from tensorflow_serving import apis

    return apis


@pytest.fixture(scope="module")
def predictions(server, apis):
    with grpc.insecure_channel(server.grpc) as channel:
        yield apis.prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture(scope="module")
def model_service(server, apis):
    with grpc.insecure_channel(server.grpc) as channel:
        yield apis.model_service_pb2_grpc.ModelServiceStub(channel)


def predict_request(apis, name="half", version=None, label=None, signature="", **inputs):
    import tensorflow as tf

    request = apis.predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = name, signature
    if version is not None:
        request.model_spec.version.value = version
    if label is not None:
        request.model_spec.version_label = label
    for key, value in inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    return request


def examples(request, name, signature, *values, context=None):
    request.model_spec.name, request.model_spec.signature_name = name, signature
    chosen = request.input
    rows = chosen.example_list
    if context is not None:
        rows = chosen.example_list_with_context
        rows.context.features.feature["x"].float_list.value.append(context)
    for value in values:
        example = rows.examples.add()
        if value is not None:
            example.features.feature["x"].float_list.value.append(value)
    return request


def refused(call, request) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=10)
    return caught.value.code(), caught.value.details()


def test_predict(predictions, apis):
    response = predictions.Predict(predict_request(apis, x=np.float32([[1, 2]])), timeout=10)
    assert list(response.outputs["y"].float_val) == [2.5, 3.0]
    assert [d.size for d in response.outputs["y"].tensor_shape.dim] == [1, 2]
    assert response.model_spec.name == "half"
    assert response.model_spec.version.value == 123
    assert response.model_spec.signature_name == "serving_default"


@pytest.mark.parametrize(
    ("which", "y"), [({"version": 122}, 4.0), ({"label": "stable"}, 4.0), ({"label": "canary"}, 3)]
)
def test_predict_by_version_and_label(predictions, apis, which, y):
    response = predictions.Predict(predict_request(apis, **which, x=np.float32([2])), timeout=10)
    assert list(response.outputs["y"].float_val) == [y]


def test_all_types_and_an_output_filter(predictions, apis):
    import tensorflow as tf

    sent = {
        "whole": np.int64([2**62]), "small": np.int32([1]), "real": np.float64([0.1]),
        "yes": [True], "text": [b"\xff\x00"],
    }  # fmt: skip
    request = predict_request(apis, "types", **sent)
    response = predictions.Predict(request, timeout=10)
    for name, value in sent.items():
        assert tf.make_ndarray(response.outputs[f"{name}_out"]).tolist() == list(value)
    request.output_filter.extend(["whole_out"])
    assert set(predictions.Predict(request, timeout=10).outputs) == {"whole_out"}


INVALID = grpc.StatusCode.INVALID_ARGUMENT
FAILED = grpc.StatusCode.FAILED_PRECONDITION
MISSING = grpc.StatusCode.NOT_FOUND
X = {"x": np.float32([1])}
REFUSED = {
    "an unknown model": (
        {"name": "no", **X},
        MISSING,
        "Servable not found for request: Latest(no)",
    ),
    "an unknown version": ({"version": 9, **X}, MISSING, "Specific(half, 9)"),
    "an unknown label": ({"label": "no", **X}, INVALID, "Unrecognized servable version label: no"),
    "no name": ({"name": "", **X}, INVALID, "ModelSpec has no name specified."),
    "an unknown signature": ({"signature": "no", **X}, FAILED, 'signature key "no" not found'),
    "no input": ({}, INVALID, "Missing but required: {x}."),
    "another input": ({"z": np.float32([1])}, INVALID, "alias not found in signature: z"),
    "one input too many": ({"z": np.float32([1]), **X}, INVALID, "Sent extra: {z}"),
    "a text for a number": ({"x": ["a"]}, INVALID, "float"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_predictions(predictions, apis, case):
    asked, code, message = REFUSED[case]
    found, told = refused(predictions.Predict, predict_request(apis, **asked))
    assert (found, message in told) == (code, True), told


def test_a_request_without_a_model_spec(predictions, model_service, apis):
    request = apis.predict_pb2.PredictRequest()
    assert refused(predictions.Predict, request) == (INVALID, "Missing ModelSpec")
    request = apis.get_model_status_pb2.GetModelStatusRequest()
    assert refused(model_service.GetModelStatus, request) == (INVALID, "Missing ModelSpec")


def test_outputs_that_the_signature_lacks(predictions, apis):
    request = predict_request(apis, **X)
    request.output_filter.extend(["no"])
    assert "output tensor alias not found" in refused(predictions.Predict, request)[1]
    request.output_filter[:] = ["y", "y"]
    assert "duplicate output tensor alias: y" in refused(predictions.Predict, request)[1]


def test_a_tensor_with_too_few_values(predictions, apis):
    request = predict_request(apis, "types", signature="sums", x=np.float32([1, 2, 3, 4]))
    request.inputs["x"].tensor_content = b"\0\0\0\0"
    assert refused(predictions.Predict, request)[0] == INVALID


def test_a_deadline(predictions, apis):
    request = predict_request(apis, "slow", steps=np.int32([2_000_000_000]))
    with pytest.raises(grpc.RpcError) as caught:
        predictions.Predict(request, timeout=0.5)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_classify_and_regress(predictions, apis):
    request = examples(
        apis.classification_pb2.ClassificationRequest(), "half", "classify_x_to_y", 20
    )
    (row,) = predictions.Classify(request, timeout=10).result.classifications
    assert [(each.label, each.score) for each in row.classes] == [("", 12.0)]
    request = examples(
        apis.regression_pb2.RegressionRequest(), "half", "regress_x_to_y", None, 2, context=6
    )
    response = predictions.Regress(request, timeout=10)
    assert [each.value for each in response.result.regressions] == [5.0, 3.0]
    assert response.model_spec.version.value == 123


def test_refused_examples(predictions, apis):
    empty = examples(apis.regression_pb2.RegressionRequest(), "half", "regress_x_to_y")
    assert refused(predictions.Regress, empty) == (INVALID, "Input is empty.")
    wrong = examples(apis.regression_pb2.RegressionRequest(), "half", "classify_x_to_y", 1)
    assert "regression signature method_name" in refused(predictions.Regress, wrong)[1]


def test_several_inferences_in_one_request(predictions, apis):
    request = apis.inference_pb2.MultiInferenceRequest()
    assert refused(predictions.MultiInference, request)[0] == INVALID
    for method in ("regress", "classify"):
        task = request.tasks.add(method_name=f"tensorflow/serving/{method}")
        task.model_spec.name, task.model_spec.signature_name = "half", f"{method}_x_to_y"
    example = request.input.example_list.examples.add()
    example.features.feature["x"].float_list.value.append(4)
    regressed, classified = predictions.MultiInference(request, timeout=10).results
    assert [each.value for each in regressed.regression_result.regressions] == [4.0]
    assert classified.classification_result.classifications[0].classes[0].score == 4.0


def test_metadata(predictions, apis):
    request = apis.get_model_metadata_pb2.GetModelMetadataRequest()
    request.model_spec.name = "half"
    assert refused(predictions.GetModelMetadata, request)[0] == INVALID  # no field named
    request.metadata_field.append("signature_def")
    response = predictions.GetModelMetadata(request, timeout=10)
    assert response.model_spec.version.value == 123
    signatures = apis.get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    assert signatures.signature_def["serving_default"].inputs["x"].name
    request.metadata_field.append("graph")
    assert "graph is not supported" in refused(predictions.GetModelMetadata, request)[1]


def test_status(model_service, apis):
    request = apis.get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "half"
    states = model_service.GetModelStatus(request, timeout=10).model_version_status
    available = apis.get_model_status_pb2.ModelVersionStatus.AVAILABLE
    assert [(s.version, s.state, s.status.error_code) for s in states] == [
        (123, available, 0),
        (122, available, 0),
    ]
    request.model_spec.version_label = "stable"
    assert [s.version for s in model_service.GetModelStatus(request).model_version_status] == [122]
    request.model_spec.version.value = 7
    assert refused(model_service.GetModelStatus, request)[0] == MISSING


def test_a_configuration_that_is_no_list_of_models_is_refused(model_service, apis):
    request = apis.model_management_pb2.ReloadConfigRequest()
    code, told = refused(model_service.HandleReloadConfigRequest, request)
    assert code == INVALID
    assert "Only ModelConfigList is currently supported" in told
