"""What a server says of its models: the state of each version, the signatures of one."""

import json

from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from recsys_lib.model_server.manager import ModelManager
from recsys_lib.model_server.status import StatusError, invalid

SIGNATURE_DEF = "signature_def"


def model_status(manager: ModelManager, name: str, version: int | None = None, label: str = ""):
    """Return a ``GetModelStatusResponse``: of all versions, the highest first, or of one.

    Raises
    ------
    StatusError
        The model, version or label is not known.
    """
    if not name:
        raise invalid("Missing model name in request.")
    states = manager.states(name)
    if label:
        version = manager.version_of_label(name, label)
    if version is not None and version not in states:
        raise StatusError("NOT_FOUND", f"Could not find version {version} of model {name}")
    if not states:
        raise StatusError("NOT_FOUND", f"Could not find any versions of model {name}")
    response = get_model_status_pb2.GetModelStatusResponse()
    for number in sorted(states, reverse=True) if version is None else [version]:
        known = states[number]
        one = response.model_version_status.add(version=number)
        one.state = get_model_status_pb2.ModelVersionStatus.State.Value(known.state)
        if known.error is not None:
            one.status.error_code = known.error.number
            one.status.error_message = known.error.message
        else:
            one.status.error_code = 0
    return response


def model_metadata(manager: ModelManager, name: str, version: int | None = None, label: str = ""):
    """Return a ``GetModelMetadataResponse`` with the signatures of an available version."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    with manager.borrowed(name, version, label) as servable:
        for key, signature in servable.signatures.items():
            signatures.signature_def[key].CopyFrom(signature)
        response.model_spec.name = servable.name
        response.model_spec.version.value = servable.version
    response.metadata[SIGNATURE_DEF].Pack(signatures)
    return response


def status_json(response) -> str:
    """Return the status as JSON; 64-bit integers are texts, as protocol buffers have them."""
    return json.dumps(_plain(response), indent=1)


def metadata_json(response) -> str:
    """Return the metadata as JSON, with the signatures unpacked."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata[SIGNATURE_DEF].Unpack(signatures)
    described = {
        "model_spec": _plain(response.model_spec),
        "metadata": {SIGNATURE_DEF: _plain(signatures)},
    }
    return json.dumps(described, indent=1)


def _plain(message) -> dict:
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
