"""Tensors as JSON, by the rules of TensorFlow Serving's REST interface.

Requests give one object a row (``instances``) or one list a column (``inputs``). The types are the
signature's; JSON's own must fit them without loss. NaN and Infinity are legal, though JSON proper
knows neither.
"""

import base64
import binascii
import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from recsys_lib.model_server.status import StatusError, invalid

BYTES_SUFFIX = "_bytes"  # outputs of such names are written as base64
_WHOLE = (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64)


class PredictJson(NamedTuple):
    """A request of the predict method.

    Attributes
    ----------
    inputs : dict of str to array
        Texts are arrays of bytes objects.
    by_row : bool
        Whether it came as ``instances``; the answer has the same form.
    """

    inputs: dict[str, np.ndarray]
    by_row: bool


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a request's body.

    Raises
    ------
    StatusError
        INVALID_ARGUMENT, if it is no JSON or no object, or ``signature_name`` is no text.
    """
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        document = json.loads(body)
    except json.JSONDecodeError as error:
        raise invalid(f"JSON Parse error: Invalid value. at offset: {error.pos}") from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise invalid(f"JSON Parse error: Invalid value. {error}") from None
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {_shown(document)} Is not object")
    if not isinstance(document.get("signature_name", ""), str):
        raise invalid(
            f"JSON Value: {_shown(document)} not formatted correctly. 'signature_name' key must be "
            "a string value."
        )
    return document


def parse_predict(document: dict[str, Any], dtypes: Mapping[str, np.dtype]) -> PredictJson:
    """Return the input arrays of a predict request.

    Parameters
    ----------
    document : dict
        As :func:`parse_object` gives it.
    dtypes : dict of str to dtype
        Of the signature's inputs; ``object`` for texts.
    """
    if not dtypes:
        name = document.get("signature_name") or "DEFAULT"
        raise invalid(f"Failed to get input map for signature: {name}")
    if "instances" in document and "inputs" in document:
        raise invalid(
            f"JSON Value: {_shown(document)} Not formatted correctly expecting only one of "
            "'inputs' or 'instances' keys to exist "
        )
    if "instances" in document:
        rows = document["instances"]
        if not isinstance(rows, list):
            raise invalid(
                f"JSON Value: {_shown(document)} Excepting 'instances' to be an list/array"
            )
        if not rows:
            raise invalid(f"JSON Value: {_shown(document)} No values in 'instances' array")
        return PredictJson(_from_rows(rows, dtypes), True)
    if "inputs" in document:
        return PredictJson(_from_columns(document["inputs"], dtypes), False)
    raise invalid("Missing 'inputs' or 'instances' key")


def _from_rows(rows: list, dtypes: Mapping[str, np.dtype]) -> dict[str, np.ndarray]:
    named = _is_named(rows[0])
    if not named and len(dtypes) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map"
        )
    for place, row in enumerate(rows):
        if _is_named(row) != named:
            raise invalid(
                f"Expecting object but got list at item {place} of input list"
                if named
                else f"Expecting value/list but got object at item {place} of input list"
            )
        if named and row.keys() != dtypes.keys():
            for name in row.keys() - dtypes.keys():
                raise invalid(
                    f"Failed to process element: {place} key: {name} of 'instances' list. Error: "
                    f"INVALID_ARGUMENT: JSON object: does not have named input: {name}"
                )
            raise invalid(
                f"Failed to process element: {place} of 'instances' list. JSON object: "
                f"{_shown(row)} keys must be equal to: {','.join(sorted(dtypes))}"
            )
    if not named:
        (name,) = dtypes
        return {name: _stacked(rows, dtypes[name], "")}
    return {
        name: _stacked([row[name] for row in rows], dtype, f" key: {name}")
        for name, dtype in dtypes.items()
    }


def _stacked(values: list, dtype: np.dtype, key: str) -> np.ndarray:
    """Return the values of all rows as one array; they must have one shape."""
    flat: list = []
    shape = _shape(values[0])
    size = math.prod(shape)
    for place, value in enumerate(values):
        try:
            own, before = _shape(value), len(flat)
            _flatten(value, own, 0, flat)
            if len(flat) - before != size:
                raise invalid(f"Expecting tensor size: {size} but got: {len(flat) - before}")
            if own != shape:
                raise invalid(f"Expecting shape {_bracketed(shape)} but got: {_bracketed(own)}")
        except StatusError as error:
            raise _of_element(place, key, error) from None
    try:
        array = _typed(flat, dtype)
    except _WrongValue as error:
        raise _of_element(error.place // max(size, 1), key, invalid(str(error))) from None
    return array.reshape((len(values), *shape))


def _of_element(place: int, key: str, error: StatusError) -> StatusError:
    return invalid(
        f"Failed to process element: {place}{key} of 'instances' list. "
        f"Error: {error.code}: {error.message}"
    )


def _from_columns(value, dtypes: Mapping[str, np.dtype]) -> dict[str, np.ndarray]:
    if not _is_named(value):
        if len(dtypes) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map"
            )
        (name,) = dtypes
        value = {name: value}
    for name in dtypes:
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: _dense(value[name], dtype) for name, dtype in dtypes.items()}


def _dense(value, dtype: np.dtype) -> np.ndarray:
    shape, flat = _shape(value), []
    _flatten(value, shape, 0, flat)
    try:
        return _typed(flat, dtype).reshape(shape)
    except _WrongValue as error:
        raise invalid(str(error)) from None


def _is_named(value) -> bool:
    """Tell an object of named tensors from a value; ``{"b64": text}`` is a value."""
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value) -> bool:
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def _shape(value) -> tuple[int, ...]:
    """Return the shape, as the first value of each level has it."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(shape)


def _flatten(value, shape: tuple[int, ...], level: int, flat: list) -> None:
    """Append all leaves to ``flat``; every list must have the length of its level."""
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid(
                f"JSON Value: {_shown(value)} found at incorrect level: {level + 1} in the JSON "
                f"DOM. Expected at level: {len(shape)}"
            )
        flat.append(value)
        return
    if level >= len(shape):
        raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: "
            f"{shape[level]}"
        )
    for each in value:
        _flatten(each, shape, level + 1, flat)


class _WrongValue(ValueError):
    """A leaf is not of the type wanted; ``place`` counts the leaves."""

    def __init__(self, place: int, message: str):
        super().__init__(message)
        self.place = place


def _typed(flat: list, dtype: np.dtype) -> np.ndarray:
    """Return leaves as a flat array of the signature's type, without loss."""
    dtype = np.dtype(dtype)
    if dtype.kind == "O":
        return _texts(flat)
    if dtype.kind == "b":
        _require(flat, lambda v: isinstance(v, bool), dtype)
        return np.array(flat, bool)
    if dtype.type in _WHOLE:
        bounds = np.iinfo(dtype)
        _require(
            flat,
            lambda v: type(v) is int and bounds.min <= v <= bounds.max,
            dtype,
        )
        return np.array(flat, dtype)
    if dtype in (np.float32, np.float64):
        _require(flat, lambda v: type(v) in (int, float), dtype)
        _require_lossless(flat, dtype)
        return np.array(flat, dtype)
    raise StatusError(
        "UNIMPLEMENTED", f"Conversion of JSON Value: {_shown(flat[:1])} to type: {_name(dtype)}"
    )


def _require(flat: list, fits, dtype: np.dtype) -> None:
    for place, value in enumerate(flat):
        if not fits(value):
            raise _WrongValue(place, _type_error(value, dtype))


def _require_lossless(flat: list, dtype: np.dtype) -> None:
    whole, largest = 2 ** (np.finfo(dtype).nmant + 1) - 1, float(np.finfo(dtype).max)
    for place, value in enumerate(flat):
        fits = abs(value) <= whole if type(value) is int else abs(value) <= largest
        if not fits and not (type(value) is float and math.isinf(value)) and value == value:
            name = "float" if dtype == np.float32 else "double"
            raise _WrongValue(
                place,
                f"Cannot convert JSON value: {_shown(value)} to {name} without loss of precision.",
            )


def _texts(flat: list) -> np.ndarray:
    array = np.empty(len(flat), object)
    for place, value in enumerate(flat):
        if isinstance(value, dict):
            array[place] = decode_base64(value)
        elif isinstance(value, str):
            array[place] = value.encode()
        else:
            raise _WrongValue(place, _type_error(value, np.dtype(object)))
    return array


def decode_base64(value: dict) -> bytes:
    """Return the bytes of ``{"b64": text}``."""
    if not _is_base64(value):
        raise invalid(f"JSON Value: {_shown(value)} not formatted correctly for base64 data")
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Unable to base64 decode") from None


def _type_error(value, dtype: np.dtype) -> str:
    return (
        f"JSON Value: {_shown(value)} Type: {type_name(value)} is not of expected type: "
        f"{_name(dtype)}"
    )


def type_name(value) -> str:
    """Return what TensorFlow Serving calls a JSON value's type."""
    if isinstance(value, bool):
        return str(value)
    names = {dict: "Object", list: "Array", str: "String", int: "Number", float: "Number"}
    return names.get(type(value), "Null")


def _name(dtype: np.dtype) -> str:
    names = {"float32": "float", "float64": "double", "object": "string", "float16": "half"}
    return names.get(dtype.name, dtype.name)


def _bracketed(shape: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, shape))}]"


def _shown(value) -> str:
    text = json.dumps(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def write_predictions(outputs: Mapping[str, np.ndarray], by_row: bool) -> str:
    """Return the answer of a predict request as JSON.

    Raises
    ------
    StatusError
        INVALID_ARGUMENT: by row, the outputs have no common first dimension, or a type has no
        form in JSON.
    """
    if not outputs:
        raise invalid("Cannot convert empty tensor map to JSON")
    columns = {}
    n_rows = None
    for name in sorted(outputs):
        array = outputs[name]
        if by_row and array.ndim == 0:
            raise invalid(f"Tensor name: {name} has no shape information ")
        if by_row and n_rows not in (None, len(array)):
            raise invalid(
                f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {n_rows}"
            )
        n_rows = len(array) if array.ndim else None
        as_bytes = array.dtype == object and name.endswith(BYTES_SUFFIX)
        columns[name] = _written(array, as_bytes)
    if not by_row:
        if len(columns) == 1:
            return f'{{"outputs": {_joined(next(iter(columns.values())))}}}'
        pairs = ", ".join(f"{json.dumps(n)}: {_joined(v)}" for n, v in columns.items())
        return f'{{"outputs": {{{pairs}}}}}'
    if len(columns) == 1:
        return f'{{"predictions": {_joined(next(iter(columns.values())))}}}'
    keys = [json.dumps(name) for name in columns]
    rows = [
        "{" + ", ".join(f"{k}: {_joined(v)}" for k, v in zip(keys, row, strict=True)) + "}"
        for row in zip(*columns.values(), strict=True)
    ]
    return f'{{"predictions": [{", ".join(rows)}]}}'


def _written(array: np.ndarray, as_bytes: bool) -> Any:
    """Return nested lists whose leaves are JSON texts."""
    if array.dtype in (np.float32, np.float64):
        leaf = decimal
    elif array.dtype == bool:
        leaf = _boolean
    elif array.dtype.type in _WHOLE:
        leaf = str
    elif array.dtype == object:
        leaf = _base64 if as_bytes else _text
    else:
        raise invalid(f"Failed to write JSON value for tensor type: {_name(array.dtype)}")
    if array.ndim == 0:
        return leaf(array[()])
    if array.ndim == 1:
        return [leaf(value) for value in array]
    return [_written(part, as_bytes) for part in array]


def _joined(value) -> str:
    return value if isinstance(value, str) else f"[{', '.join(_joined(each) for each in value)}]"


def decimal(value) -> str:
    """Return a float as TensorFlow Serving writes it: six digits if they read back, else all.

    Whole numbers get ``.0``, so that a reader does not take a float for an integer.
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    text = f"{value:.6g}"
    if type(value)(text) != value:
        text = f"{value:.{9 if isinstance(value, np.float32) else 17}g}"
    return text if "." in text or "e" in text else f"{text}.0"


def _boolean(value) -> str:
    return "true" if value else "false"


def _text(value: bytes) -> str:
    return json.dumps(value.decode(errors="replace"), ensure_ascii=False)


def _base64(value: bytes) -> str:
    return f'{{"b64": "{base64.b64encode(value).decode()}"}}'
