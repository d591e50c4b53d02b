"""Between protocol buffers and arrays."""

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from recsys_lib.model_server.json_examples import with_context
from recsys_lib.model_server.status import invalid

# Field of a TensorProto that holds the values of a type; other types go in as bytes.
_FIELDS = {
    np.dtype(np.float32): "float_val",
    np.dtype(np.float64): "double_val",
    np.dtype(np.int32): "int_val",
    np.dtype(np.int64): "int64_val",
    np.dtype(bool): "bool_val",
    np.dtype(object): "string_val",
}


def arrays_of(inputs) -> dict[str, np.ndarray]:
    """Return a map of TensorProto messages as arrays; texts are bytes objects.

    Raises
    ------
    StatusError
        INVALID_ARGUMENT: a message does not hold as many values as its shape says.
    """
    arrays = {}
    for name, proto in inputs.items():
        try:
            arrays[name] = tf.make_ndarray(proto)
        except (TypeError, ValueError) as error:
            raise invalid(f"Tensor {name} cannot be read: {error}") from None
    return arrays


def proto_of(array: np.ndarray):
    """Return an array as a TensorProto whose values stand in the field of their type."""
    field = _FIELDS.get(array.dtype)
    if field is None:
        return tf.make_tensor_proto(array)
    proto = tensor_pb2.TensorProto(
        dtype=tf.as_dtype(array.dtype).as_datatype_enum,
        tensor_shape=tf.TensorShape(array.shape).as_proto(),
    )
    getattr(proto, field).extend(array.ravel().tolist())
    return proto


def examples_of(message) -> list[bytes]:
    """Return the examples of an ``Input`` message, serialised."""
    if message.WhichOneof("kind") == "example_list_with_context":
        both = message.example_list_with_context
        return with_context(both.examples, both.context)
    return [each.SerializeToString() for each in message.example_list.examples]
