"""Scoring at a model server, over REST or gRPC (S20)."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from recsys_lib.errors import DataError, RecsysError
from recsys_lib.keras_backend import load_tensorflow
from recsys_lib.rankers.base import UserFeatures
from recsys_lib.rankers.features import load_features, save_features
from recsys_lib.rankers.model import ModelRanker
from recsys_lib.ranking.inputs import LONGEST_BAG
from recsys_lib.ranking.raw_features import RawColumn, raw_features
from recsys_lib.stores import ItemFeatureTable

_KINDS = {"DT_INT64": "int64", "DT_STRING": "string", "DT_FLOAT": "float32"}


class ServerUnavailable(RecsysError):
    """The model server does not answer, not in time, or cannot answer now."""


class RemoteModel:
    """A model at a server that speaks TensorFlow Serving's protocol.

    It asks the server which columns the model reads, once. (gRPC's messages bring TensorFlow into
    the process; REST brings nothing.)

    Parameters
    ----------
    address : str
        ``http://host:port`` for REST, ``host:port`` for gRPC.
    name : str
    protocol : {"rest", "grpc"}
    label : str
        Of the version, such as ``stable``; empty for the highest one that is available.
    timeout_s : float
        How long an answer may take.
    """

    def __init__(
        self,
        address: str,
        name: str,
        *,
        protocol: Literal["rest", "grpc"] = "rest",
        label: str = "",
        timeout_s: float = 1.0,
    ):
        if protocol not in ("rest", "grpc"):
            raise RecsysError(f"A protocol is rest or grpc, not {protocol!r}.")
        self.address, self.name, self.protocol = address, name, protocol
        self.label, self.timeout_s = label, timeout_s

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        named = ("address", "name", "protocol", "label", "timeout_s")
        return {name: getattr(self, name) for name in named}

    def predict(self, samples: pd.DataFrame) -> np.ndarray:
        """Return the model's only output for each row: float32, (n,).

        Raises
        ------
        DataError
            A column is missing, or the server refuses the request.
        ServerUnavailable
            There is no answer, or not in time.
        """
        if samples.empty:
            return np.empty(0, np.float32)
        return self._client.predict(self.raw(samples))

    def raw(self, samples: pd.DataFrame) -> dict[str, np.ndarray]:
        """Return samples as they are sent: one array a column."""
        return raw_features(self.columns, samples)

    @cached_property
    def columns(self) -> dict[str, RawColumn]:
        """What the model reads, as the server describes it."""
        inputs = self._client.inputs()
        if unknown := [c for c, (dtype, _) in inputs.items() if dtype not in _KINDS]:
            raise DataError(f"Model {self.name} reads {unknown[0]} of a type that no column has.")
        return {
            column: RawColumn(_KINDS[dtype], LONGEST_BAG if rank == 2 else None)
            for column, (dtype, rank) in sorted(inputs.items())
        }

    @cached_property
    def _client(self) -> "_Rest | _Grpc":
        return {"rest": _Rest, "grpc": _Grpc}[self.protocol](self)


class _Rest:
    """Requests by column: one list of values a column."""

    def __init__(self, model: RemoteModel):
        import requests

        which = f"/labels/{model.label}" if model.label else ""
        self.address = f"{model.address}/v1/models/{model.name}{which}"
        self.timeout_s = model.timeout_s
        self.requests, self.session = requests, requests.Session()

    def predict(self, raw: dict[str, np.ndarray]) -> np.ndarray:
        body = json.dumps({"inputs": {name: values.tolist() for name, values in raw.items()}})
        return np.array(self._answer("POST", ":predict", body)["outputs"], np.float32)

    def inputs(self) -> dict[str, tuple[str, int]]:
        described = self._answer("GET", "/metadata", None)["metadata"]["signature_def"]
        inputs = described["signature_def"]["serving_default"]["inputs"]
        return {n: (i["dtype"], len(i["tensor_shape"]["dim"])) for n, i in inputs.items()}

    def _answer(self, verb: str, what: str, body: str | None) -> dict:
        try:
            answer = self.session.request(
                verb, f"{self.address}{what}", data=body, timeout=self.timeout_s
            )
            content = answer.json()
        except (self.requests.RequestException, ValueError) as error:
            raise ServerUnavailable(f"No answer from {self.address}: {error}") from None
        if answer.ok:
            return content
        message = f"{self.address} answers {answer.status_code}: {content.get('error')}"
        # 404 too: a model that is being reloaded is not found for a while.
        passing = answer.status_code >= 500 or answer.status_code in (404, 429)
        raise (ServerUnavailable if passing else DataError)(message)


class _Grpc:
    """The same with protocol buffers."""

    def __init__(self, model: RemoteModel):
        load_tensorflow()
        import grpc
        from tensorflow_serving.apis import prediction_service_pb2_grpc

        self.model, self.grpc = model, grpc
        self.stub = prediction_service_pb2_grpc.PredictionServiceStub(
            grpc.insecure_channel(model.address)
        )

    def predict(self, raw: dict[str, np.ndarray]) -> np.ndarray:
        from tensorflow_serving.apis import predict_pb2

        tf = load_tensorflow()
        request = predict_pb2.PredictRequest()
        self._name(request.model_spec)
        for column, values in raw.items():
            request.inputs[column].CopyFrom(tf.make_tensor_proto(values))
        (output,) = self._answer(self.stub.Predict, request).outputs.values()
        return tf.make_ndarray(output)

    def inputs(self) -> dict[str, tuple[str, int]]:
        from tensorflow.core.framework.types_pb2 import DataType
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        self._name(request.model_spec)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        answer = self._answer(self.stub.GetModelMetadata, request)
        answer.metadata["signature_def"].Unpack(signatures)
        inputs = signatures.signature_def["serving_default"].inputs
        return {
            column: (DataType.Name(each.dtype), len(each.tensor_shape.dim))
            for column, each in inputs.items()
        }

    def _name(self, spec) -> None:
        spec.name = self.model.name
        if self.model.label:
            spec.version_label = self.model.label

    def _answer(self, call, request):
        try:
            return call(request, timeout=self.model.timeout_s)
        except self.grpc.RpcError as error:
            message = f"{self.model.address} answers {error.code().name}: {error.details()}"
            wrong = ("INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE")
            raise (DataError if error.code().name in wrong else ServerUnavailable)(
                message
            ) from None


class RemoteRanker(ModelRanker):
    """Scores one row a candidate at a model server.

    Parameters
    ----------
    model : RemoteModel
    items : ItemFeatureTable
    users : UserFeatures
    """

    def __init__(self, model: RemoteModel, items: ItemFeatureTable, users: UserFeatures):
        super().__init__(model, items, users)

    def _save(self, folder: Path) -> dict:
        return {"model": self.model.settings(), **save_features(folder, self.items, self.users)}

    @classmethod
    def _load(cls, folder, described, users) -> Self:
        model = RemoteModel(**described["model"])
        return cls(model, *load_features(folder, described, users))
