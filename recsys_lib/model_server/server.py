"""The server as a whole: models, their polling, both interfaces, in threads of one process."""

import contextlib
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from recsys_lib.errors import MachineError, RecsysError
from recsys_lib.keras_backend import load_tensorflow
from recsys_lib.model_server.batching import BatchingConfig
from recsys_lib.model_server.config import ModelConfig, read_config
from recsys_lib.model_server.manager import ModelManager
from recsys_lib.model_server.servable import Servable
from recsys_lib.model_server.status import StatusError
from recsys_lib.sockets import listening_socket

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerConfig:
    """Settings of a server; those that TensorFlow Serving has are named as there.

    Attributes
    ----------
    host : str
        Address to listen at; by default no other machine reaches the server.
    rest_port, grpc_port : int
        0 takes a free one.
    file_system_poll_wait_s : float
        Seconds between two looks at the folders of versions, and at the model config file.
    max_num_load_retries : int
    load_retry_interval_s : float
    resource_preserving : bool
        Unload the old version before the new one is loaded.
    timeout_s : float
        How long a request may compute.
    batching : BatchingConfig, optional
    warm_up_times : int
        Runs of each warm-up record.
    n_threads : int
        Requests that gRPC works on at a time.
    """

    host: str = "127.0.0.1"
    rest_port: int = 0
    grpc_port: int = 0
    file_system_poll_wait_s: float = 1.0
    max_num_load_retries: int = 5
    load_retry_interval_s: float = 60.0
    resource_preserving: bool = False
    timeout_s: float = 30.0
    batching: BatchingConfig | None = None
    warm_up_times: int = 1
    n_threads: int = 8


class ModelServer:
    """A server of exported models; a context manager that runs while its block does.

    Parameters
    ----------
    models : sequence of ModelConfig, or Path
        A path names a model config file of TensorFlow Serving, which is read again when it changes.
    config : ServerConfig

    Attributes
    ----------
    manager : ModelManager
    rest_port, grpc_port : int
        Once started.
    """

    def __init__(self, models: Sequence[ModelConfig] | Path, config: ServerConfig = ServerConfig()):
        self.models = models
        self.config = config
        self.manager = ModelManager(
            partial(_load, config),
            load_retries=config.max_num_load_retries,
            load_retry_interval_s=config.load_retry_interval_s,
            resource_preserving=config.resource_preserving,
        )
        self._stopping = threading.Event()
        self._running = contextlib.ExitStack()
        self._file_seen: tuple | None = None

    @property
    def rest_url(self) -> str:
        """Where the REST interface is, without ``/v1``."""
        return f"http://{self.config.host}:{self.rest_port}"

    @property
    def grpc_address(self) -> str:
        """Where the gRPC interface is."""
        return f"{self.config.host}:{self.grpc_port}"

    def start(self) -> "ModelServer":
        """Load what is there, then listen.

        Raises
        ------
        StatusError
            The model config file cannot be read.
        MachineError
            A port is taken.
        """
        load_tensorflow()  # the interfaces import its messages
        with contextlib.ExitStack() as started:
            started.callback(self.manager.close)
            if isinstance(self.models, Path):
                self._read_config_file()
            else:
                self._configure(self.models)
            self.rest_port = started.enter_context(_rest(self))
            self.grpc_port = started.enter_context(_grpc(self))
            polling = threading.Thread(target=self._poll, name="model polling", daemon=True)
            polling.start()
            started.callback(polling.join)
            started.callback(self._stopping.set)
            self._running = started.pop_all()
        return self

    def stop(self) -> None:
        """Stop listening, finish what is running, unload."""
        self._running.close()

    def __enter__(self) -> "ModelServer":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    def wait(self) -> None:
        """Return when the server is stopped."""
        self._stopping.wait()

    def _poll(self) -> None:
        while not self._stopping.wait(self.config.file_system_poll_wait_s):
            try:
                if isinstance(self.models, Path) and _stamp(self.models) != self._file_seen:
                    self._read_config_file()
                else:
                    self.manager.poll()
            except RecsysError as error:  # a broken file leaves what is served as it is
                logger.warning("%s", error)
            except Exception:
                logger.exception("a look at the models failed")

    def _read_config_file(self) -> None:
        self._file_seen = _stamp(self.models)
        self._configure(read_config(self.models))

    def _configure(self, configs: Sequence[ModelConfig]) -> None:
        try:
            self.manager.configure(configs)
        except StatusError as error:  # what is not there yet is loaded when it comes
            logger.warning("%s", error)


def _load(config: ServerConfig, name: str, version: int, folder: Path) -> Servable:
    from recsys_lib.model_server.warm_up import warm_up

    servable = Servable(name, version, folder, timeout_s=config.timeout_s, batching=config.batching)
    try:
        warm_up(servable, folder, config.warm_up_times)
    except BaseException:
        servable.close()
        raise
    return servable


def _stamp(path: Path) -> tuple | None:
    """Return what tells one state of a file from another; None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


@contextlib.contextmanager
def _rest(server: ModelServer):
    """Run the REST interface while the block runs; yield its port."""
    import uvicorn

    from recsys_lib.model_server.rest import rest_app

    config = server.config
    app = rest_app(server.manager)
    try:
        listening = listening_socket(config.host, config.rest_port, backlog=128)
    except OSError as error:
        raise MachineError(
            f"The REST interface cannot listen at {config.host}:{config.rest_port}: {error}. "
            "Name another port, or 0 for a free one."
        ) from None
    web = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=5)
    )
    thread = threading.Thread(
        target=web.run, kwargs={"sockets": [listening]}, name="REST", daemon=True
    )
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        web.should_exit = True
        thread.join()
        listening.close()


@contextlib.contextmanager
def _grpc(server: ModelServer):
    """Run the gRPC interface while the block runs; yield its port."""
    import grpc
    from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

    from recsys_lib.model_server.grpc_services import ModelService, PredictionService

    config = server.config
    unlimited = [
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", 0),
    ]
    made = grpc.server(ThreadPoolExecutor(config.n_threads), options=unlimited)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(server.manager), made
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(server.manager), made)
    try:
        port = made.add_insecure_port(f"{config.host}:{config.grpc_port}")
    except RuntimeError as error:
        raise MachineError(
            f"The gRPC interface cannot listen at {config.host}:{config.grpc_port}: {error}. "
            "Name another port, or 0 for a free one."
        ) from None
    made.start()
    try:
        yield port
    finally:
        made.stop(grace=5).wait()
