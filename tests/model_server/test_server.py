"""A whole server: real models, broken ones, swaps under load, its configuration file."""

import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import requests

from recsys_lib.errors import MachineError
from recsys_lib.model_server import BatchingConfig, Latest, ModelConfig, ModelServer, ServerConfig
from recsys_lib.model_server.manager import ModelManager
from recsys_lib.model_server.servable import Servable
from recsys_lib.model_server.warm_up import WARM_UP_FILE, warm_up
from recsys_lib.ranking.export import METHODS
from recsys_lib.ranking.export import WARM_UP_FILE as EXPORTED_WARM_UP_FILE

QUICK = ServerConfig(file_system_poll_wait_s=0.02)


def score(server: ModelServer, x: float, model="half") -> float:
    answer = requests.post(
        f"{server.rest_url}/v1/models/{model}:predict", json={"instances": [x]}, timeout=10
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"][0]


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)


@pytest.fixture
def base(models, tmp_path) -> Path:
    """A folder with version 1, x / 2 + 3."""
    shutil.copytree(models / "half" / "00000122", tmp_path / "half" / "1")
    return tmp_path / "half"


def truncated(path: Path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path: Path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


BREAKS = {
    "no graph": lambda folder: (folder / "saved_model.pb").unlink(),
    "half a graph": lambda folder: truncated(folder / "saved_model.pb"),
    "an empty graph": lambda folder: (folder / "saved_model.pb").write_bytes(b""),
    "no variables": lambda folder: shutil.rmtree(folder / "variables"),
    "half the variables": lambda folder: truncated(
        folder / "variables" / "variables.data-00000-of-00001"
    ),
    "a changed variable": lambda folder: flipped(
        folder / "variables" / "variables.data-00000-of-00001"
    ),
    "half an index": lambda folder: truncated(folder / "variables" / "variables.index"),
    "a file in its place": lambda folder: (shutil.rmtree(folder), folder.write_text("oops")),
    "nothing in it": lambda folder: [
        shutil.rmtree(p) if p.is_dir() else p.unlink() for p in folder.iterdir()
    ],
}


@pytest.mark.parametrize("how", BREAKS)
def test_a_corrupt_version_never_becomes_available(how, base, models):
    manager = ModelManager(Servable)
    manager.configure([ModelConfig("half", base)])
    shutil.copytree(models / "half" / "00000123", base / "2")
    BREAKS[how](base / "2")
    manager.poll()
    assert manager.available("half") == [1]
    with manager.borrowed("half") as servable:
        assert servable.predict("", {"x": np.float32([2])})["y"] == [4]
    if (base / "2").is_dir():
        failed = manager.states("half")[2]
        assert (failed.state, bool(failed.error.message)) == ("END", True)
        shutil.rmtree(base / "2")
        shutil.copytree(models / "half" / "00000123", base / "2")  # a good copy follows
        manager.poll()
        assert manager.available("half") == [2]
    manager.close()


def test_a_copy_file_by_file_is_served_when_it_is_whole(base, models):
    """Many looks while the files arrive one by one: no error, no half version."""
    source = models / "half" / "00000123"
    with ModelServer([ModelConfig("half", base)], QUICK) as server:
        for path in sorted(p for p in source.rglob("*") if p.is_file()):
            assert score(server, 2) == 4  # still version 1
            target = base / "2" / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            content = path.read_bytes()
            for end in (len(content) // 3, len(content)):
                target.write_bytes(content[:end])
                time.sleep(0.05)
        until(lambda: server.manager.available("half") == [2])
        assert score(server, 2) == 3


def test_swaps_under_load_lose_no_request(base, models):
    """Clients ask all the time while versions come and go; each answer is one version's."""
    wrong, n_asked, stop = [], [0], threading.Event()

    def client(server):
        with requests.Session() as session:
            while not stop.is_set():
                answer = session.post(
                    f"{server.rest_url}/v1/models/half:predict",
                    json={"instances": [2.0] * 5},
                    timeout=20,
                )
                n_asked[0] += 1
                scores = answer.json().get("predictions")
                if scores not in ([4.0] * 5, [3.0] * 5):
                    wrong.append(answer.text)

    with ModelServer([ModelConfig("half", base)], QUICK) as server:
        clients = [threading.Thread(target=client, args=(server,)) for _ in range(3)]
        for each in clients:
            each.start()
        for _ in range(3):
            shutil.copytree(models / "half" / "00000123", base / "tmp")
            (base / "tmp").rename(base / "2")
            until(lambda: server.manager.available("half") == [2])
            (base / "2").rename(base / "gone")  # the roll-back: version 1 is the latest again
            until(lambda: server.manager.available("half") == [1])
            shutil.rmtree(base / "gone")
        until(lambda: n_asked[0] > 20)
        stop.set()
        for each in clients:
            each.join()
    assert wrong == []


def test_the_configuration_file_is_followed(base, models, tmp_path):
    path = tmp_path / "models.config"
    line = 'model_config_list {{ config {{ name: "{0}" base_path: "{1}" {2} }} }}'
    path.write_text(line.format("half", base, ""))
    with ModelServer(path, QUICK) as server:
        assert score(server, 2) == 4
        other = models / "half"
        specific = "model_version_policy { specific { versions: 123 } }"
        path.write_text(line.format("other", other, specific))
        until(lambda: server.manager.available("other") == [123])
        until(lambda: server.manager.states("half") == {})
        path.write_text("this is no configuration")
        time.sleep(0.1)
        assert score(server, 2, "other") == 3  # a broken file changes nothing
        path.unlink()
        time.sleep(0.1)
        assert score(server, 2, "other") == 3


def test_a_reload_by_grpc(base, models):
    import grpc
    from tensorflow_serving.apis import model_management_pb2, model_service_pb2_grpc

    with ModelServer([ModelConfig("half", base)], QUICK) as server:
        request = model_management_pb2.ReloadConfigRequest()
        one = request.config.model_config_list.config.add(
            name="more", base_path=str(models / "half")
        )
        one.model_version_policy.latest.num_versions = 2
        one.version_labels["stable"] = 122
        with grpc.insecure_channel(server.grpc_address) as channel:
            stub = model_service_pb2_grpc.ModelServiceStub(channel)
            stub.HandleReloadConfigRequest(request, timeout=20)
            assert server.manager.available("more") == [122, 123]
            assert server.manager.states("half") == {}
            assert server.manager.version_of_label("more", "stable") == 122
            one.version_labels["canary"] = 7
            with pytest.raises(grpc.RpcError, match="label to version 7 of model more"):
                stub.HandleReloadConfigRequest(request, timeout=20)
            assert server.manager.available("more") == [122, 123]


def test_batching_in_a_server_gives_the_same_answers(base):
    config = ServerConfig(batching=BatchingConfig(max_batch_size=8, batch_timeout_s=0.01))
    answers = {}
    with ModelServer([ModelConfig("half", base)], config) as server:
        threads = [
            threading.Thread(target=lambda x=x: answers.update({x: score(server, x)}))
            for x in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        answer = requests.post(
            f"{server.rest_url}/v1/models/half:predict", json={"instances": [1.0] * 9}, timeout=10
        )
    assert answers == {x: x / 2 + 3 for x in range(12)}
    assert (answer.status_code, "size 9 is larger" in answer.text) == (400, True)


def write_records(folder: Path, *records: bytes):
    import tensorflow as tf

    (folder / WARM_UP_FILE).parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(folder / WARM_UP_FILE)) as writer:
        for record in records:
            writer.write(record)


def predict_log(x, signature="") -> bytes:
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.model_spec.signature_name = signature
    log.predict_log.request.inputs["x"].CopyFrom(tf.make_tensor_proto(x))
    return log.SerializeToString()


def test_warm_up_runs_every_record_before_the_version_is_available(base):
    write_records(base / "1", predict_log(np.float32([1])), predict_log(np.float32([1, 2])))
    servable = Servable("half", 1, base / "1")
    assert warm_up(servable, base / "1", times=2) == 2
    assert warm_up(servable, base) == 0  # no file, nothing to do
    servable.close()


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([b"\xff\xff"], "Failed to parse warmup record"),
        ([b""], "Unsupported log_type"),
    ],
)
def test_records_that_cannot_be_run(base, records, message):
    write_records(base / "1", *records)
    servable = Servable("half", 1, base / "1")
    with pytest.raises(Exception, match=message):
        warm_up(servable, base / "1")
    servable.close()


def test_a_version_whose_warm_up_fails_is_not_served(base, models):
    with ModelServer([ModelConfig("half", base)], QUICK) as server:
        shutil.copytree(models / "half" / "00000123", base / "tmp")
        write_records(base / "tmp", predict_log(["a text"]))
        (base / "tmp").rename(base / "2")
        until(lambda: 2 in server.manager.states("half"))
        until(lambda: server.manager.states("half")[2].state == "END")
        assert server.manager.states("half")[2].error.code == "INVALID_ARGUMENT"
        assert score(server, 2) == 4


def test_more_than_a_thousand_records_are_refused(base):
    write_records(base / "1", *[predict_log(np.float32([1]))] * 1_001)
    servable = Servable("half", 1, base / "1")
    with pytest.raises(Exception, match=r"exceeds the maximum \(1000\)"):
        warm_up(servable, base / "1")
    servable.close()


def test_a_taken_port_is_said_so(base):
    models = [ModelConfig("half", base, Latest())]
    with ModelServer(models, QUICK) as server:
        for taken in ({"rest_port": server.rest_port}, {"grpc_port": server.grpc_port}):
            with pytest.raises(MachineError, match="Name another port"):
                ModelServer(models, ServerConfig(**taken)).start()
        assert score(server, 2) == 4


def test_server_and_export_agree_on_names():
    """They share no import, since the server serves models of anybody."""
    from recsys_lib.model_server import servable

    assert WARM_UP_FILE == EXPORTED_WARM_UP_FILE
    assert METHODS == {"classify": servable.CLASSIFY, "regress": servable.REGRESS}
