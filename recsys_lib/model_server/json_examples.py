"""Classify and regress requests as JSON: rows of features become ``tf.Example`` messages."""

import math
from typing import Any

import numpy as np

from recsys_lib.model_server.json_tensors import decimal, decode_base64, type_name
from recsys_lib.model_server.status import invalid


def parse_examples(document: dict[str, Any]) -> list[bytes]:
    """Return the examples of a request, serialised, each with the features of the context.

    A feature that is in both is the example's own.

    Raises
    ------
    StatusError
        INVALID_ARGUMENT, with what is wrong.
    """
    context = {}
    if "context" in document:
        context = _features(document["context"])
    if "examples" not in document:
        raise invalid("When method is classify, key 'examples' is expected and was not found")
    rows = document["examples"]
    if not isinstance(rows, list):
        raise invalid("Expecting 'examples' value to be an list/array")
    if not rows:
        raise invalid("'examples' value is an empty array")
    return [_serialised({**context, **_features(row)}) for row in rows]


def with_context(examples, context) -> list[bytes]:
    """Return ``tf.Example`` messages serialised, each with the features of the context's."""
    merged = []
    for example in examples:
        both = type(example)()
        both.CopyFrom(context)
        for name, feature in example.features.feature.items():
            both.features.feature[name].CopyFrom(feature)
        merged.append(both.SerializeToString(deterministic=True))
    return merged


def write_classes(classes: list[list[tuple[str, float]]]) -> str:
    """Return the answer of a classify request."""
    import json

    rows = (
        ", ".join(f"[{json.dumps(label)}, {decimal(np.float32(score))}]" for label, score in row)
        for row in classes
    )
    return f'{{"results": [{", ".join(f"[{row}]" for row in rows)}]}}'


def write_values(values: np.ndarray) -> str:
    """Return the answer of a regress request."""
    return f'{{"results": [{", ".join(decimal(value) for value in values)}]}}'


def _features(row) -> dict[str, list]:
    if not isinstance(row, dict):
        raise invalid(f"Example must be JSON object but got JSON {type_name(row)}")
    return {
        name: [_value(name, each) for each in (value if isinstance(value, list) else [value])]
        for name, value in row.items()
    }


def _value(name: str, value) -> int | float | bytes:
    """Return an element of a feature as an int, a float or bytes."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict) and "b64" in value:
        return decode_base64(value)
    if isinstance(value, float):
        if math.isfinite(value) and abs(value) > np.finfo(np.float32).max:
            raise invalid(f"Cannot convert JSON value: {value} to float without loss of precision.")
        return value
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise invalid(f"Feature: {name} has uint64 element. Only int64 is supported.")
        return value
    raise invalid(f"Feature: {name} has element with unexpected JSON type: {type_name(value)}")


_KINDS = {
    int: ("int64", "int64_list"),
    float: ("float", "float_list"),
    bytes: ("bytes", "bytes_list"),
}


def _serialised(features: dict[str, list]) -> bytes:
    from tensorflow.core.example import example_pb2

    example = example_pb2.Example()
    for name, values in features.items():
        feature = example.features.feature[name]
        if not values:
            continue
        kind, field = _KINDS[type(values[0])]
        if any(type(value) is not type(values[0]) for value in values):
            raise invalid(f"Unexpected element type in feature: {name} expecting type: {kind}")
        getattr(feature, field).value.extend(values)
    return example.SerializeToString(deterministic=True)
