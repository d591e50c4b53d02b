"""The REST interface: ``/v1/models/NAME[/versions/V|/labels/L][:METHOD|/metadata]``."""

import json
import logging
import re
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from recsys_lib.model_server import describe, json_examples, json_tensors
from recsys_lib.model_server.manager import ModelManager
from recsys_lib.model_server.servable import DEFAULT_SIGNATURE, Servable
from recsys_lib.model_server.status import StatusError, invalid, status_of

logger = logging.getLogger(__name__)

_WHICH = r"(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
_METHOD = re.compile(
    rf"/v1/models/(?P<name>[^/:]+){_WHICH}:(?P<method>classify|regress|predict)", re.I
)
_ABOUT = re.compile(rf"/v1/models(?:/(?P<name>[^/:]+))?{_WHICH}(?P<metadata>/metadata)?", re.I)
_LARGEST_VERSION = 2**63 - 1


def rest_app(manager: ModelManager) -> Starlette:
    """Return the application.

    Parameters
    ----------
    manager : ModelManager
    """

    async def endpoint(request: Request) -> Response:
        path = request.scope.get("raw_path", request.url.path.encode()).split(b"?")[0].decode()
        body = await request.body()
        status, text = await run_in_threadpool(answer, manager, request.method, path, body)
        return Response(text, status, media_type="application/json")

    verbs = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
    return Starlette(routes=[Route("/{path:path}", endpoint, methods=verbs)])


def answer(manager: ModelManager, verb: str, path: str, body: bytes) -> tuple[int, str]:
    """Return the HTTP status and the JSON text that answer a request."""
    try:
        return 200, _answer(manager, verb, path, body)
    except Exception as error:
        status = status_of(error)
        if status.code == "INTERNAL":
            logger.exception("%s %s failed", verb, path)
        return status.http, json.dumps({"error": status.message})


def _answer(manager: ModelManager, verb: str, path: str, body: bytes) -> str:
    if not path.lower().startswith("/v1/"):
        raise StatusError("NOT_FOUND", f"Nothing is at {path}: models are at /v1/models/NAME.")
    asked = {"POST": _METHOD, "GET": _ABOUT}.get(verb)
    found = asked.fullmatch(path) if asked else None
    if found is None:
        raise invalid(f"Malformed request: {verb} {path}")
    name, label = unquote(found["name"] or ""), unquote(found["label"] or "")
    version = int(found["version"]) if found["version"] else None
    if version is not None and version > _LARGEST_VERSION:
        raise invalid(f"Failed to convert version: {found['version']} to numeric.")
    if verb == "GET":
        if not name:
            raise invalid("Missing model name in request.")
        if found["metadata"]:
            return describe.metadata_json(describe.model_metadata(manager, name, version, label))
        return describe.status_json(describe.model_status(manager, name, version, label))
    run = {"predict": _predict, "classify": _classify, "regress": _regress}[found["method"].lower()]
    if run is not _predict:
        document = json_tensors.parse_object(body)
    with manager.borrowed(name, version, label) as servable:
        if run is _predict:
            document = json_tensors.parse_object(body)
        return run(servable, document)


def _predict(servable: Servable, document: dict) -> str:
    key = document.get("signature_name") or DEFAULT_SIGNATURE
    if key not in servable.signatures:
        raise invalid(f'Serving signature name: "{key}" not found in signature def')
    dtypes = servable.input_dtypes(key)
    request = json_tensors.parse_predict(document, dtypes)
    outputs = servable.predict(key, request.inputs)
    return json_tensors.write_predictions(outputs, request.by_row)


def _classify(servable: Servable, document: dict) -> str:
    examples = json_examples.parse_examples(document)
    key = document.get("signature_name", "")
    return json_examples.write_classes(servable.classify(key, examples))


def _regress(servable: Servable, document: dict) -> str:
    examples = json_examples.parse_examples(document)
    key = document.get("signature_name", "")
    return json_examples.write_values(servable.regress(key, examples))
