"""An empty folder of data sets for each test, and a real HTTP server with faults to order."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch, request):
    """An empty folder of data sets for each test, except where the real one is read."""
    if "ml_100k" in request.fixturenames:
        return None
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def server(tmp_path):
    """Serve a folder over HTTP; yield (folder, base URL). ``cut-*`` breaks off half way,
    ``stall-*`` sends a little and then nothing."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self):
            path = folder / self.path.lstrip("/")
            if path.name.startswith("cut-"):
                body = path.read_bytes()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
                return
            if path.name.startswith("stall-"):
                self.send_response(200)
                self.send_header("Content-Length", "1000000")
                self.end_headers()
                self.wfile.write(b"x" * 70_000)
                self.wfile.flush()
                stalled.wait(20)
                return
            super().do_GET()

        def log_message(self, *args):
            pass

    stalled = threading.Event()
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{httpd.server_port}"
    stalled.set()
    httpd.shutdown()
    thread.join()
    httpd.server_close()
