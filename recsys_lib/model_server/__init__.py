"""A server of exported models that speaks TensorFlow Serving's protocol (S20).

Importing this package loads no TensorFlow; starting a server does.
"""

from recsys_lib.model_server.batching import BatchingConfig
from recsys_lib.model_server.config import All, Latest, ModelConfig, Specific
from recsys_lib.model_server.server import ModelServer, ServerConfig
from recsys_lib.model_server.status import StatusError

__all__ = [
    "All",
    "BatchingConfig",
    "Latest",
    "ModelConfig",
    "ModelServer",
    "ServerConfig",
    "Specific",
    "StatusError",
]
