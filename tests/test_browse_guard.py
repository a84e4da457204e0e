"""Who may ask: only this machine's browser, with the token, from our own pages."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from gyges.browse.guard import HEADERS, POLICY
from gyges.browse.serve import listen
from gyges.errors import UsageError
from tests.browsing import COOKIE, PORT, TOKEN, client, kind_run, served


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kind_run(tmp_path_factory.mktemp("runs"))


GOOD_HOSTS = [f"127.0.0.1:{PORT}", f"localhost:{PORT}", f"[::1]:{PORT}", f"LOCALHOST:{PORT}"]
BAD_HOSTS = [
    "evil.example",
    f"evil.example:{PORT}",
    f"localhost.evil.example:{PORT}",
    f"localhost.:{PORT}",
    f"127.0.0.1.evil.example:{PORT}",
    "127.0.0.1",
    "localhost",
    f"127.0.0.1:{PORT + 1}",
    f"0.0.0.0:{PORT}",
    f"127.1:{PORT}",
    f"2130706433:{PORT}",
    f"0x7f.0.0.1:{PORT}",
    f"[::]:{PORT}",
    f"[::ffff:127.0.0.1]:{PORT}",
    f"::1:{PORT}",
    f"user@127.0.0.1:{PORT}",
    f"127.0.0.1:{PORT}@evil.example",
    f"127.0.0.1:{PORT}/",
    f"127.0.0.1:{PORT}, evil.example",
    f"127.0.0.1:0{PORT}",
    "",
]


@pytest.mark.parametrize("host", GOOD_HOSTS)
def test_loopback_names_with_our_port_are_welcome(run: Path, host: str) -> None:
    assert client(run).get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_any_other_host_is_refused_and_told_nothing(run: Path, host: str) -> None:
    answer = client(run).get("/", headers={"host": host})
    assert answer.status_code == 400
    assert "kind" not in answer.text


@pytest.mark.parametrize("lines", [[], ["Host: 127.0.0.1:{port}", "Host: evil.example"]])
def test_no_host_and_two_hosts_are_refused_on_a_real_socket(run: Path, lines: list[str]) -> None:
    with served(run) as address:
        port = int(address.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            head = [line.format(port=port) for line in lines]
            asked = ["GET / HTTP/1.1", *head, f"Cookie: gyges-{port}={TOKEN}", "Connection: close", "", ""]
            connection.sendall("\r\n".join(asked).encode())
            said = b"".join(iter(lambda: connection.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 400")
    assert b"kind" not in said


def test_without_the_token_nothing_is_shown(run: Path) -> None:
    for path in ("/", "/run/kind/pairs", "/static/gyges.js", "/nowhere", "/label"):
        answer = client(run, cookie=False).get(path)
        assert answer.status_code == 401
        assert TOKEN not in answer.text


@pytest.mark.parametrize(
    "cookie",
    [
        f"gyges-{PORT}=wrong",
        f"gyges-{PORT}=",
        f"gyges-{PORT + 1}={TOKEN}",
        f"other={TOKEN}",
        "=;;=",
        f"gyges-{PORT}=é",
    ],
)
def test_a_wrong_cookie_is_refused(run: Path, cookie: str) -> None:
    answer = client(run, cookie=False).get("/", headers=[(b"cookie", cookie.encode())])
    assert answer.status_code == 401


def test_the_token_moves_from_the_address_into_a_cookie_that_scripts_and_sites_never_see(run: Path) -> None:
    answer = client(run, cookie=False).get(f"/run/kind/pairs?quadrant=reverse&token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/run/kind/pairs?quadrant=reverse")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN not in answer.headers["location"]


@pytest.mark.parametrize("query", ["token=wrong", "token=", f"token={TOKEN}&token=wrong", "token=%C3%A9"])
def test_a_wrong_token_gives_no_cookie(run: Path, query: str) -> None:
    answer = client(run, cookie=False).get(f"/?{query}")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "path", ["//evil.example/", "/\\evil.example", "///evil.example", "/%0d%0aSet-Cookie:%20x=y"]
)
def test_taking_the_token_never_leads_to_another_host(run: Path, path: str) -> None:
    answer = client(run, cookie=False).get(f"http://127.0.0.1:{PORT}{path}?token={TOKEN}")
    where = answer.headers["location"]
    assert where.startswith("/")
    assert not where.startswith(("//", "/\\"))
    assert "x=y" not in answer.headers["set-cookie"]


def test_no_page_holds_the_token(run: Path) -> None:
    for path in ("/", "/run/kind/pairs", "/static/gyges.js", "/nowhere"):
        assert TOKEN not in client(run).get(path).text


@pytest.mark.parametrize(
    "path",
    ["/", "/run/kind/pairs", "/nowhere", "/static/gyges.css", "/run/none/pairs"],
)
def test_every_answer_carries_the_policy(run: Path, path: str) -> None:
    headers = client(run).get(path).headers
    assert {name: headers.get(name) for name in HEADERS} == HEADERS
    assert "access-control-allow-origin" not in headers
    assert "unsafe" not in POLICY


def test_a_report_may_run_nothing_and_look_only_as_it_was_made(run: Path) -> None:
    answer = client(run).get("/run/kind/report")
    policy = answer.headers["content-security-policy"]
    allowed = r"default-src 'none'; style-src 'sha256-[\w+/]{43}='"
    assert re.fullmatch(f"{allowed}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'", policy)
    assert "<svg" in answer.text
    assert " style=" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_refusals_carry_the_policy_too(run: Path) -> None:
    assert client(run, cookie=False).get("/").headers["content-security-policy"] == POLICY


ORIGIN = f"http://127.0.0.1:{PORT}"
FOREIGN = [
    {},
    {"origin": "null"},
    {"origin": "http://evil.example"},
    {"origin": f"http://localhost:{PORT}"},
    {"origin": f"http://127.0.0.1:{PORT + 1}"},
    {"origin": f"https://127.0.0.1:{PORT}"},
    {"origin": f"{ORIGIN}.evil.example"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
    {"origin": ORIGIN, "sec-fetch-site": "same-site"},
    {"origin": "http://evil.example", "sec-fetch-site": "same-origin"},
    {"origin": "null", "sec-fetch-site": "cross-site"},
    {"origin": "null", "sec-fetch-site": "none"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_change_asked_for_by_another_site_is_refused(run: Path, headers: dict[str, str]) -> None:
    assert client(run).post("/label/kind", headers=headers, data={"x": "y"}).status_code == 403


def test_every_page_refuses_what_one_page_refuses(run: Path) -> None:
    asking, stranger = client(run), client(run, cookie=False)
    pages = ("/", "/live", "/run/kind/pairs?q=nice", "/run/kind/report", "/run/kind/labels", "/static/gyges.js")
    forms = ("/run/kind/views", "/run/kind/label/0123456789abcdef")
    hosts = [asking.get(page, headers={"host": host}).status_code for page in pages for host in BAD_HOSTS]
    cookies = [
        stranger.get(page, headers=[("cookie", f"gyges-{PORT}={word}")]) for page in pages for word in ("", "x")
    ]
    sites = [
        asking.post(form, headers=headers, data={"x": "y"}).status_code for form in forms for headers in FOREIGN
    ]
    methods = [asking.request(method, page).status_code for page in pages for method in ("PUT", "DELETE", "PATCH")]
    assert set(hosts) == {400}
    assert {answer.status_code for answer in cookies} == {401}
    assert set(sites) == {403}
    assert set(methods) == {405}
    assert len(hosts) + len(cookies) + len(sites) + len(methods) > 180


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_do_nothing(run: Path, method: str) -> None:
    assert client(run).request(method, "/").status_code == 405


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_can_open_a_page_but_not_embed_one(run: Path, site: str) -> None:
    embedded = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"}
    opened = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    framed = opened | {"sec-fetch-dest": "iframe"}
    answers = [client(run).get("/", headers=headers).status_code for headers in (embedded, opened, framed)]
    assert answers == [403, 200, 403]


TRAVERSALS = [
    "/static/../app.py",
    "/static/..%2fapp.py",
    "/static/%2e%2e/app.py",
    "/static/..%5capp.py",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/static/gyges.css%00.js",
    "/static/",
    "/static/.",
    "/run/../pairs",
    "/run/..%2f..%2fetc%2fpasswd/pairs",
    "/run/%2e%2e/pairs",
    "/run/%00/pairs",
    "/run/kind.sqlite/pairs",
    "/run/%2fetc%2fpasswd/pairs",
    "/run/C:%5cwindows/pairs",
    "/run/kind/pair/..%2f..%2f..%2fetc%2fpasswd",
    "/run/kind/text/..%2f..%2fetc/passwd",
    "/run/kind/text/%2e%2e/2-t0",
    "//evil.example/",
    "/run/kind",
    "/%2e%2e/%2e%2e/etc/passwd",
]


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_address_leads_out_of_the_runs(run: Path, path: str) -> None:
    answer = client(run).get(f"http://127.0.0.1:{PORT}{path}")
    assert answer.status_code in (400, 404)
    assert "root:" not in answer.text
    assert "import" not in answer.text


def test_a_busy_port_is_left_to_whom_it_belongs() -> None:
    taken = listen(0)
    port = taken[0].getsockname()[1]
    try:
        with pytest.raises(UsageError, match="free"):
            listen(port, tries=1)
        others = listen(port, tries=50)
        assert others[0].getsockname()[1] != port
        assert others[0].getsockname()[0] == "127.0.0.1"
        for one in others:
            one.close()
    finally:
        for one in taken:
            one.close()


def test_a_head_request_gets_no_body(run: Path) -> None:
    answer = client(run).head("/", headers=COOKIE)
    assert (answer.status_code, answer.text) == (200, "")
