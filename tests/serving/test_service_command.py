"""``recsys serve`` as a person starts it: alone, and with several processes behind a balancer."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import requests
from service_site import Site, codes, eventually

pytestmark = pytest.mark.slow


@contextlib.contextmanager
def command(data_folder, outputs, *options):
    """Run ``recsys serve`` on the small data set; yield the process and its site."""
    environment = {
        **os.environ,
        "RECSYS_DATA_DIR": str(data_folder),
        "RECSYS_OUTPUTS_DIR": str(outputs),
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
    }
    line = [sys.executable, "-m", "recsys_lib", "serve", "--dataset", "small", "--port", "0"]
    process = subprocess.Popen(
        [*line, *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = []
    try:
        while not (said and (found := re.search(r"served at (http://\S+?)(?:;| by)", said[-1]))):
            said.append(process.stdout.readline())
            assert said[-1], said
        site = Site(found[1], None, None)
        eventually(lambda: requests.get(f"{site.url}/ready", timeout=30).status_code, 200, 60)
        site.said = said
        yield process, site
    finally:
        process.terminate()
        process.wait(60)


def test_from_nothing_it_fits_light_channels_and_says_so(small, data_folder, tmp_path):
    with command(data_folder, tmp_path) as (process, site):
        assert any("light channels are fitted now" in line for line in site.said)
        answer = site.recommend(10, k=5)
        assert answer["level"] == "full"
        assert len(answer["items"]) == 5
        site.rate(10, answer["items"][0]["item_id"])
        assert codes(site.recommend(10)["items"])[0] != int(answer["items"][0]["item_id"])
        children = psutil.Process(process.pid).children(recursive=True)
    assert children  # its Redis
    assert process.returncode == 0
    eventually(lambda: [each for each in children if each.is_running()], [])
    kept = tmp_path / "service" / "small"
    assert len((kept / "events.jsonl").read_text().splitlines()) == 1
    assert list((kept / "impressions").glob("*.jsonl"))
    with command(data_folder, tmp_path) as (_, site):  # the channels are read this time
        assert site.get("/api/users/10")["new_events"] == 1


def test_workers_share_the_work_and_one_may_die(small, data_folder, tmp_path):
    options = ("--workers", "2", "--policy", "round_robin")
    with command(data_folder, tmp_path, *options) as (process, site):
        workers = [
            each
            for each in psutil.Process(process.pid).children()
            if "--worker" in " ".join(each.cmdline())
        ]
        assert len(workers) == 2
        # What one has been told, the other knows.
        for number in range(6):
            shown = site.recommend(10, k=4)["items"]
            site.dismiss(10, shown[0]["item_id"])
            assert shown[0]["item_id"] not in [i["item_id"] for i in site.recommend(10)["items"]]
            assert site.get("/api/users/10")["new_events"] == number + 1

        def ask(number):
            url = f"{site.url}/api/users/{10 * (1 + number % 12)}/recommendations"
            return requests.get(url, timeout=30).status_code

        with ThreadPoolExecutor(4) as pool:
            statuses = [pool.submit(ask, number) for number in range(200)]
            time.sleep(0.2)
            os.kill(workers[0].pid, signal.SIGKILL)
            assert {each.result() for each in statuses} == {200}
        # Another process takes its place.
        running = lambda: sum(  # noqa: E731
            "--worker" in " ".join(each.cmdline())
            for each in psutil.Process(process.pid).children()
            if each.status() != psutil.STATUS_ZOMBIE
        )
        eventually(running, 2)
        children = psutil.Process(process.pid).children(recursive=True)
    assert process.returncode == 0
    eventually(lambda: [each for each in children if each.is_running()], [])


def test_behind_the_balancer_a_token_is_needed_too(small, data_folder, tmp_path, monkeypatch):
    token = "a-secret-of-many-letters"
    monkeypatch.setenv("RECSYS_TOKEN", token)
    with command(data_folder, tmp_path, "--workers", "2") as (process, site):
        path = f"{site.url}/api/users/10"
        assert requests.get(path, timeout=30).status_code == 401
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(path, headers=headers, timeout=30)
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"  # once, not twice
        for each in psutil.Process(process.pid).children(recursive=True):
            assert token not in " ".join(each.cmdline())  # which everybody on a machine can read


def test_what_cannot_be_served_is_refused_in_a_sentence(small, data_folder, tmp_path):
    def refusal(*options) -> str:
        environment = {**os.environ, "RECSYS_DATA_DIR": str(data_folder)}
        environment["RECSYS_OUTPUTS_DIR"] = str(tmp_path)
        line = [sys.executable, "-m", "recsys_lib", "serve", *options]
        done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        return done.stderr

    assert "a token is needed" in refusal("--dataset", "small", "--host", "0.0.0.0")
    assert "'smal'" in refusal("--dataset", "smal")
    with command(data_folder, tmp_path) as (_, site):
        port = site.url.rpartition(":")[2]
        assert "Name another --port" in refusal("--dataset", "small", "--port", port)
