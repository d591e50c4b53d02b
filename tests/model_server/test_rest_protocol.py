"""The REST interface, case by case, after TensorFlow Serving's own tests.

A case is: path (below ``/v1/models``), body, and the answer: JSON to be equal to, or the status
and a part of the error's text. Without a body it is a GET. Numbers are compared as written.
"""

import json

import pytest
import requests

HALF, TYPES = "/half:predict", "/types:predict"
AVAILABLE = {"state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
V122, V123 = ({"version": version, **AVAILABLE} for version in ("122", "123"))


def rows(*many: dict) -> str:
    return json.dumps({"instances": many})


def row(**changed) -> dict:
    return {"whole": 7, "small": 1, "real": 0.5, "yes": True, "text": "a", **changed}


GOOD = {
    "rows of lists": (
        HALF,
        '{"instances": [[1.0, 2.0], [3.0, 4.0]]}',
        {"predictions": [["2.5", "3.0"], ["3.5", "4.0"]]},
    ),
    "rows of numbers": (HALF, '{"instances": [1.0, 2.0]}', {"predictions": ["2.5", "3.0"]}),
    "rows of named numbers": (HALF, '{"instances": [{"x": 1.0}]}', {"predictions": ["2.5"]}),
    "whole numbers for floats": (
        HALF,
        '{"instances": [1, 2.0, 4]}',
        {"predictions": ["2.5", "3.0", "4.0"]},
    ),
    "one column": (HALF, '{"inputs": [3.0, 4.0]}', {"outputs": ["3.5", "4.0"]}),
    "one named column": (HALF, '{"inputs": {"x": [3.0, 4.0]}}', {"outputs": ["3.5", "4.0"]}),
    "a scalar column": (HALF, '{"inputs": 2.0}', {"outputs": "3.0"}),
    "NaN and Infinity": (
        HALF,
        '{"instances": [NaN, Infinity, -Infinity]}',
        {"predictions": ["NaN", "Infinity", "-Infinity"]},
    ),
    "a large and a small float": (
        HALF,
        '{"instances": [17999996.0, 0.00006]}',
        {"predictions": ["9e+06", "2.00003"]},
    ),
    "a float that needs nine digits": (
        HALF,
        '{"instances": [0.2469136]}',
        {"predictions": ["2.12345672"]},
    ),
    "a named signature": (
        HALF,
        '{"signature_name": "serving_default", "instances": [3.0]}',
        {"predictions": ["3.5"]},
    ),
    "a version": ("/half/versions/122:predict", '{"instances": [2.0]}', {"predictions": ["4.0"]}),
    "a label": ("/half/labels/stable:predict", '{"instances": [2.0]}', {"predictions": ["4.0"]}),
    "another label": (
        "/half/labels/canary:predict",
        '{"instances": [2.0]}',
        {"predictions": ["3.0"]},
    ),
    "the path in capitals": (
        "/V1/Models/half:PREDICT",
        '{"instances": [2.0]}',
        {"predictions": ["3.0"]},
    ),
    "regress": (
        "/half:regress",
        '{"signature_name": "regress_x_to_y", "examples": [{"x": 80.0}, {"x": [2.0]}]}',
        {"results": ["42.0", "3.0"]},
    ),
    "regress with a context": (
        "/half/versions/123:regress",
        '{"signature_name": "regress_x_to_y", "context": {"x": 6.0}, "examples": [{}, {"x": 2.0}]}',
        {"results": ["5.0", "3.0"]},
    ),
    "classify": (
        "/half:classify",
        '{"signature_name": "classify_x_to_y", "examples": [{"x": 20.0}]}',
        {"results": [[["", "12.0"]]]},
    ),
    "all types by row": (
        TYPES,
        rows(row(), row(text="b", yes=False)),
        {
            "predictions": [
                {
                    "raw_bytes": {"b64": "YQ=="},
                    "real_out": "0.5",
                    "small_out": "1",
                    "text_out": "a",
                    "whole_out": "7",
                    "yes_out": True,
                },
                {
                    "raw_bytes": {"b64": "Yg=="},
                    "real_out": "0.5",
                    "small_out": "1",
                    "text_out": "b",
                    "whole_out": "7",
                    "yes_out": False,
                },
            ]
        },
    ),
    "all types by column": (
        TYPES,
        json.dumps(
            {"inputs": {name: [value] for name, value in row(text={"b64": "aGVsbG8="}).items()}}
        ),
        {
            "outputs": {
                "raw_bytes": [{"b64": "aGVsbG8="}],
                "real_out": ["0.5"],
                "small_out": ["1"],
                "text_out": ["hello"],
                "whole_out": ["7"],
                "yes_out": [True],
            }
        },
    ),
    "the largest int64": (
        TYPES,
        rows(row(whole=2**63 - 1, text="é")),
        {
            "predictions": [
                {
                    "raw_bytes": {"b64": "w6k="},
                    "real_out": "0.5",
                    "small_out": "1",
                    "text_out": "é",
                    "whole_out": "9223372036854775807",
                    "yes_out": True,
                }
            ]
        },
    ),
    "a column and a scalar": (
        TYPES,
        '{"signature_name": "sums", "inputs": [1.0, 2.0]}',
        {"outputs": {"each": ["1.0", "2.0"], "total": "3.0"}},
    ),
    "the state of all versions": ("/half", None, {"model_version_status": [V123, V122]}),
    "the state of a version": ("/half/versions/122", None, {"model_version_status": [V122]}),
    "the state of a label": ("/half/labels/canary", None, {"model_version_status": [V123]}),
}

BAD = {
    "another path": ("/v1/foo", None, 400, "Malformed request: GET /v1/foo"),
    "posting to another path": ("/v1/foo", "", 400, "Malformed request: POST /v1/foo"),
    "no model": ("", None, 400, "Missing model name in request."),
    "posting to no model": ("", "", 400, "Malformed request: POST /v1/models"),
    "predict by GET": (
        "/half:predict",
        None,
        400,
        "Malformed request: GET /v1/models/half:predict",
    ),
    "another method": ("/half:guess", "{}", 400, "Malformed request"),
    "version, not versions": ("/half/version/50:regress", "", 400, "Malformed request"),
    "a version that is no number": ("/half/versions/HELLO:regress", "", 400, "Malformed request"),
    "a version beyond 64 bits": (
        "/half/versions/18446744073709551615:regress",
        "",
        400,
        "Failed to convert version",
    ),
    "an unknown model": (
        "/foo:predict",
        '{"instances": [1.0]}',
        404,
        "Servable not found for request: Latest(foo)",
    ),
    "an unknown version": (
        "/half/versions/99:predict",
        '{"instances": [1.0]}',
        404,
        "Servable not found for request: Specific(half, 99)",
    ),
    "an unknown label": (
        "/half/labels/x:predict",
        '{"instances": [1.0]}',
        400,
        "Unrecognized servable version label: x",
    ),
    "the state of an unknown model": (
        "/foo",
        None,
        404,
        "Could not find any versions of model foo",
    ),
    "the state of an unknown version": (
        "/half/versions/9",
        None,
        404,
        "Could not find version 9 of model half",
    ),
    "metadata of an unknown model": (
        "/foo/metadata",
        None,
        404,
        "Servable not found for request: Latest(foo)",
    ),
    "an empty body": (HALF, "", 400, "JSON Parse error: The document is empty"),
    "no JSON": (HALF, "instances = [1, 2]", 400, "JSON Parse error: Invalid value"),
    "no object": (HALF, "[1]", 400, "Is not object"),
    "no inputs": (HALF, "{}", 400, "Missing 'inputs' or 'instances' key"),
    "both forms": (HALF, '{"instances": [1.0], "inputs": [1.0]}', 400, "expecting only one of"),
    "instances is no list": (HALF, '{"instances": 1.0}', 400, "'instances' to be an list/array"),
    "no instances": (HALF, '{"instances": []}', 400, "No values in 'instances' array"),
    "a signature that is no text": (
        HALF,
        '{"signature_name": 5, "instances": [1.0]}',
        400,
        "must be a string value",
    ),
    "an unknown signature": (
        HALF,
        '{"signature_name": "no", "instances": [1.0]}',
        400,
        'Serving signature name: "no" not found in signature def',
    ),
    "text for a number": (HALF, '{"instances": ["a"]}', 400, "not of expected type: float"),
    "null for a number": (
        HALF,
        '{"instances": [null]}',
        400,
        "Type: Null is not of expected type: float",
    ),
    "rows of unequal size": (
        HALF,
        '{"instances": [[1, 2], [3, 4], [5, 6, 7]]}',
        400,
        "Expecting tensor size: 2 but got: 3",
    ),
    "rows of unequal shape": (
        HALF,
        '{"instances": [[1, 2], [[3, 4]]]}',
        400,
        "Expecting shape [2] but got: [1,2]",
    ),
    "a number, then a list": (
        HALF,
        '{"instances": [1, [1]]}',
        400,
        "Expecting shape [] but got: [1]",
    ),
    "a ragged column": (
        HALF,
        '{"inputs": [[1, 2], [3]]}',
        400,
        "Encountered list at unexpected size: 1 at level: 1 expected size: 2",
    ),
    "an object, then a list": (
        HALF,
        '{"instances": [{"x": 1.0}, [1]]}',
        400,
        "Expecting object but got list at item 1",
    ),
    "a list, then an object": (
        HALF,
        '{"instances": [1.0, {"x": 1.0}]}',
        400,
        "Expecting value/list but got object at item 1",
    ),
    "a float beyond float32": (
        HALF,
        '{"instances": [1.7976931348623157e308]}',
        400,
        "loss of precision",
    ),
    "a whole number beyond float32": (HALF, '{"instances": [16777217]}', 400, "loss of precision"),
    "a whole number beyond float64": (TYPES, rows(row(real=2**53 + 1)), 400, "loss of precision"),
    "a fraction for an int": (TYPES, rows(row(whole=1.5)), 400, "not of expected type: int64"),
    "true for an int": (TYPES, rows(row(whole=True)), 400, "not of expected type: int64"),
    "a number beyond int32": (TYPES, rows(row(small=2**31)), 400, "not of expected type: int32"),
    "a number for a text": (TYPES, rows(row(text=1)), 400, "not of expected type: string"),
    "broken base64": (TYPES, rows(row(text={"b64": "a"})), 400, "Unable to base64 decode"),
    "a missing input by row": (
        TYPES,
        '{"instances": [{"whole": 1}]}',
        400,
        "keys must be equal to: real,small,text,whole,yes",
    ),
    "an unknown input by row": (TYPES, rows(row(more=1)), 400, "does not have named input: more"),
    "a missing input by column": (
        TYPES,
        '{"inputs": {"whole": [1]}}',
        400,
        "Missing named input: ",
    ),
    "a plain list for many inputs": (
        TYPES,
        '{"instances": [1]}',
        400,
        "instances is a plain list, but expecting list of objects",
    ),
    "a plain column for many inputs": (
        TYPES,
        '{"inputs": [1]}',
        400,
        "inputs is a plain value/list, but expecting an object",
    ),
    "a scalar output by row": (
        TYPES,
        '{"signature_name": "sums", "instances": [1.0]}',
        400,
        "has no shape information",
    ),
    "a text column for numbers": (
        TYPES,
        '{"signature_name": "sums", "inputs": "a"}',
        400,
        "not of expected type: float",
    ),
    "classify by a predict signature": (
        "/half:classify",
        '{"examples": [{"x": 1.0}]}',
        400,
        "to be tensorflow/serving/classify. Was: tensorflow/serving/predict",
    ),
    "regress by a classify signature": (
        "/half:regress",
        '{"signature_name": "classify_x_to_y", "examples": [{"x": 1.0}]}',
        400,
        "Expected regression signature method_name",
    ),
    "regress by an unknown signature": (
        "/half:regress",
        '{"signature_name": "no", "examples": [{"x": 1.0}]}',
        400,
        "No signature was found with the name: no",
    ),
    "no examples": ("/half:regress", "{}", 400, "key 'examples' is expected and was not found"),
    "examples is no list": ("/half:regress", '{"examples": {"x": 1.0}}', 400, "list/array"),
    "an empty list of examples": ("/half:regress", '{"examples": []}', 400, "is an empty array"),
    "an example that is a list": (
        "/half:regress",
        '{"examples": [[{"x": 1.0}]]}',
        400,
        "Example must be JSON object but got JSON Array",
    ),
    "a context that is a list": (
        "/half:regress",
        '{"context": [], "examples": [{"x": 1.0}]}',
        400,
        "Example must be JSON object",
    ),
    "null in a feature": (
        "/half:regress",
        '{"examples": [{"x": [10, null]}]}',
        400,
        "x has element with unexpected JSON type: Null",
    ),
    "an object in a feature": (
        "/half:regress",
        '{"examples": [{"x": [{"y": 1}]}]}',
        400,
        "x has element with unexpected JSON type: Object",
    ),
    "a list in a feature": (
        "/half:regress",
        '{"examples": [{"x": [[10], 20]}]}',
        400,
        "x has element with unexpected JSON type: Array",
    ),
    "mixed kinds in a feature": (
        "/half:regress",
        '{"examples": [{"x": [10, 10.0]}]}',
        400,
        "feature: x expecting type: int64",
    ),
    "a number beyond int64 in a feature": (
        "/half:regress",
        '{"examples": [{"x": [18446744073709551603]}]}',
        400,
        "Only int64 is supported",
    ),
    "a feature of the wrong kind": (
        "/half:regress",
        '{"signature_name": "regress_x_to_y", "examples": [{"x": "a"}]}',
        400,
        "x",
    ),
    "out of time": ("/slow:predict", '{"instances": [2000000000]}', 504, ""),
}


def ask(server, path, body):
    verb = "GET" if body is None else "POST"
    address = f"{server.rest}{path if path.lower().startswith('/v1') else f'/v1/models{path}'}"
    return requests.request(verb, address, data=body and body.encode(), timeout=20)


def plain(text: str):
    """Return JSON with its numbers as they are written."""
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)


@pytest.mark.parametrize("case", GOOD)
def test_answers(server, case):
    path, body, expected = GOOD[case]
    answer = ask(server, path, body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert plain(answer.text) == expected


@pytest.mark.parametrize("case", BAD)
def test_errors(server, case):
    path, body, status, expected = BAD[case]
    answer = ask(server, path, body)
    assert answer.status_code == status, answer.text
    assert answer.json().keys() == {"error"}
    assert expected in answer.json()["error"]


def test_metadata(server):
    answer = ask(server, "/half/versions/123/metadata", None).json()
    assert answer["model_spec"] == {"name": "half", "signature_name": "", "version": "123"}
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    assert {"serving_default", "regress_x_to_y", "classify_x_to_y"} <= set(signatures)
    default = signatures["serving_default"]
    assert default["method_name"] == "tensorflow/serving/predict"
    assert default["inputs"]["x"]["dtype"] == "DT_FLOAT"
    assert default["inputs"]["x"]["tensor_shape"] == {"dim": [], "unknown_rank": True}
    types = ask(server, "/types/metadata", None).json()["metadata"]["signature_def"]
    whole = types["signature_def"]["serving_default"]["inputs"]["whole"]
    assert whole["tensor_shape"]["dim"] == [{"name": "", "size": "-1"}]  # 64 bits: a text


def test_a_refused_request_leaves_the_service_as_it_was(server):
    assert ask(server, HALF, '{"instances": ["a"]}').status_code == 400
    assert ask(server, HALF, "\xff" * 10_000).status_code == 400
    assert ask(server, HALF, '{"instances": [1.0]}').json() == {"predictions": [2.5]}
