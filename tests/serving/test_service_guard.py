"""Who may ask the service, how much may be sent, and which headers an answer has."""

import http.client
from urllib.parse import urlsplit

import pytest
import requests
from service_site import Site, site_of

from recsys_lib.errors import RecsysError
from recsys_lib.serving.service.guard import check_exposure

TOKEN = "a-secret-of-many-letters"


@pytest.fixture(scope="module")
def open_site(small, tmp_path_factory, parts_with, users):
    with site_of(small, tmp_path_factory.mktemp("open"), parts_with, users=users) as running:
        yield running


@pytest.fixture(scope="module")
def closed_site(small, tmp_path_factory, parts_with, users):
    folder = tmp_path_factory.mktemp("closed")
    with site_of(small, folder, parts_with, users=users, token=TOKEN) as running:
        yield running


def status(site: Site, path="/api/status", method="GET", body=None, headers=None) -> int:
    address = urlsplit(site.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    connection.request(method, path, body, headers or {})
    return connection.getresponse().status


def test_other_machines_need_a_token():
    for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8"):
        check_exposure(host, None)
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org", "localhost.example.org"):
        with pytest.raises(RecsysError, match="a token is needed"):
            check_exposure(host, None)
        check_exposure(host, TOKEN)
    with pytest.raises(RecsysError, match="16 to 256"):
        check_exposure("0.0.0.0", "short")


def test_a_page_of_another_name_cannot_ask(open_site: Site):
    # DNS rebinding: a name of somebody else's that leads to this machine.
    assert status(open_site, headers={"Host": "evil.example"}) == 421
    assert status(open_site, headers={"Host": "localhost.evil.example:80"}) == 421
    for host in ("localhost", "localhost:1", "127.0.0.1:8000", "[::1]:8000"):
        assert status(open_site, headers={"Host": host}) == 200


def test_another_site_cannot_make_the_user_rate(open_site: Site):
    path, body = "/api/users/10/ratings", b'{"item_id": "1", "rating": 1}'
    plain = {"Content-Type": "text/plain"}
    ours = {"Content-Type": "application/json"}
    assert status(open_site, path, "POST", body, plain) == 415  # what a form could send
    assert status(open_site, path, "POST", body, ours | {"Sec-Fetch-Site": "cross-site"}) == 403
    assert (
        status(open_site, "/api/users/10/events", "DELETE", None, {"Sec-Fetch-Site": "cross-site"})
        == 403
    )
    assert open_site.get("/api/users/10")["new_events"] == 0
    assert status(open_site, path, "OPTIONS", None, {"Origin": "http://evil.example"}) == 405


def test_what_is_sent_is_bounded(open_site: Site):
    path, json_type = "/api/users/10/ratings", {"Content-Type": "application/json"}
    assert status(open_site, path, "POST", b" " * 4_097, json_type) == 413
    assert status(open_site, f"/api/search?q={'x' * 3_000}") == 414
    chunked = json_type | {"Transfer-Encoding": "chunked"}
    assert status(open_site, path, "POST", b"2\r\n{}\r\n0\r\n\r\n", chunked) == 411
    assert status(open_site, f"/api/users/{'x' * 129}") == 422
    assert status(open_site, "/api/users/10/recommendations?k=51") == 422


@pytest.mark.parametrize("path", ["/", "/api/status", "/page/app.js", "/nonsense", "/openapi.json"])
def test_every_answer_has_the_headers(open_site: Site, path):
    headers = requests.get(f"{open_site.url}{path}", timeout=30).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert len(headers["x-request-id"]) == 32
    assert "server" not in headers


def test_with_a_token_nothing_but_health_and_readiness_is_open(closed_site: Site):
    assert status(closed_site, "/health") == 200
    assert status(closed_site, "/ready") == 200
    for path in ("/", "/metrics", "/docs", "/openapi.json", "/page/app.js", "/api/status"):
        assert status(closed_site, path) == 401
    wrong = ("", TOKEN[:-1], TOKEN + "x", "é" * 20)
    for given in wrong:
        assert status(closed_site, headers={"Authorization": f"Bearer {given}".encode()}) == 401
    assert status(closed_site, headers={"Authorization": f"Bearer {TOKEN}"}) == 200
    assert (
        status(closed_site, headers={"Authorization": f"Bearer {TOKEN}", "Host": "any.name"}) == 200
    )


def test_a_browser_gets_a_cookie_for_the_token(closed_site: Site):
    with requests.Session() as browser:
        first = browser.get(f"{closed_site.url}/?token={TOKEN}", timeout=30, allow_redirects=False)
        assert (first.status_code, first.headers["location"]) == (303, "/")
        cookie = first.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert browser.get(f"{closed_site.url}/api/status", timeout=30).status_code == 200
    assert status(closed_site, f"/?token={TOKEN}x") == 401
    assert status(closed_site, headers={"Cookie": "recsys_token=wrong"}) == 401
