"""Every fault of a service becomes one of the four errors, in time."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from connectors.addresses import allowed
from connectors.answers import retry_after
from connectors.errors import ConnectorError, NotConnected, Rejected, Unavailable, Uncertain
from connectors.http import Http, local

DEADLINE = 1.5


@pytest.fixture
def http(faults):
    made = Http(faults.base_url, allow_loopback=True, deadline=DEADLINE, cap=200_000)
    yield made
    made.close()


TABLE = [
    # fault, a read is, a write is
    ("401", NotConnected, NotConnected),
    ("403", Rejected, Rejected),
    ("404", Rejected, Rejected),
    ("408", Unavailable, Unavailable),
    ("425", Unavailable, Unavailable),
    ("429", Unavailable, Unavailable),
    ("503", Unavailable, Unavailable),
    ("500", Unavailable, Uncertain),
    ("502", Unavailable, Uncertain),
    ("redirect", Rejected, Rejected),
    ("html", Rejected, Uncertain),
    ("nan", Rejected, Uncertain),
    ("deep", Rejected, Uncertain),
    ("long", Rejected, Uncertain),
    ("bomb", Rejected, Uncertain),
    ("broken gzip", Rejected, Uncertain),
    ("half a gzip", Rejected, Uncertain),
    ("brotli", Rejected, Uncertain),
    ("short", Unavailable, Uncertain),
    ("reset", Unavailable, Uncertain),
    ("half", Unavailable, Uncertain),
    ("noise", Unavailable, Uncertain),
    ("drip", Rejected, Uncertain),
    ("slow header", Rejected, Uncertain),
    ("silent", Unavailable, Uncertain),
]


@pytest.mark.parametrize(("fault", "read", "write"), TABLE)
def test_a_fault_is_told_as_what_to_do_next_within_the_deadline(http, fault, read, write):
    for expected, call in ((read, http.get), (write, http.post)):
        start = time.monotonic()
        with pytest.raises(ConnectorError) as caught:
            call(f"/{fault.replace(' ', '%20')}").json()
        assert type(caught.value) is expected
        assert time.monotonic() - start < DEADLINE + 1
        assert "010" not in str(caught.value)
        assert "127.0.0.1" not in str(caught.value)


def test_a_read_is_tried_three_times_and_a_write_once(http, faults):
    for call, times in ((http.get, 3), (http.post, 1), (http.put, 1), (http.delete, 1)):
        faults.asked.clear()
        with pytest.raises(ConnectorError):
            call("/500")
        assert len(faults.asked) == times


def test_a_service_that_says_when_is_asked_no_earlier(http, faults):
    faults.asked.clear()
    with pytest.raises(Unavailable) as caught:
        http.get("/503")
    assert (caught.value.retry_after, faults.asked) == (120.0, ["503"])


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7.0), ("-5", 0.0), ("inf", None), ("nan", None), ("soon", None), ("", None), ("9e9", 86400.0)],
)
def test_an_odd_retry_after_harms_nobody(said, seconds):
    assert retry_after({"retry-after": said}) == seconds


def test_an_answer_is_exact_and_an_accepted_status_is_no_error(http):
    assert http.get("/good").json() == {"a": Decimal("1.10")}
    assert http.delete("/404", accept=(404,)).status == 404


def test_nothing_listening_is_unavailable_for_reads_and_writes():
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    http = local(f"http://127.0.0.1:{port}", deadline=0.5)
    for call in (http.get, http.post):
        with pytest.raises(Unavailable):
            call("/")
    http.close()


def test_many_threads_call_at_once_and_each_gets_its_answer(faults):
    http = local(faults.base_url)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: http.get("/good").status, range(64)))
    assert answers == [200] * 64
    http.close()


FORBIDDEN = """
127.0.0.1 127.8.9.10 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.254 192.168.0.1 192.168.255.1
169.254.169.254 169.254.0.1 100.64.0.1 100.100.100.200 168.63.129.16 192.0.0.192 192.0.2.1 198.18.0.1 198.51.100.1
203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 ::1 :: fe80::1 fe80::1%eth0 fc00::1 fd00:ec2::254
fec0::1 ff02::1 2001:db8::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 ::10.0.0.1
64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 2002:7f00:1:: 2002:a9fe:a9fe:: 2001:0:4136:e378:8000:63bf:80ff:fffe
64:ff9b:1::a00:1
""".split()  # noqa: SIM905 - a table


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_inside_is_refused(address):
    assert not allowed(address, loopback=False)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_an_address_outside_is_called(address):
    assert allowed(address, loopback=False)


def test_loopback_opens_nothing_but_loopback():
    assert [one for one in FORBIDDEN if allowed(one, loopback=True)] == [
        "127.0.0.1",
        "127.8.9.10",
        "::1",
        "::ffff:127.0.0.1",
    ]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "0", "[::]"],
)
def test_no_spelling_of_this_machine_is_called_unless_allowed(host, faults):
    with pytest.raises((Rejected, NotConnected)):
        Http(f"https://{host}:{faults.port}", deadline=DEADLINE).get("/good")


@pytest.mark.parametrize(
    "base",
    [
        "http://example.com",
        "ftp://example.com",
        "example.com",
        "",
        "https://",
        "https://u:p@example.com",
        "https://example.com#x",
        "https://10.0.0.1",
        "https://[fe80::1]",
        "https://example.com:99999",
        "http://127.0.0.1.example.com",
    ],
)
def test_a_base_url_that_is_not_safe_is_refused(base):
    with pytest.raises(NotConnected) as caught:
        Http(base, allow_loopback=True)
    assert "base_url" in caught.value.reason or "address" in caught.value.reason


@pytest.mark.parametrize(
    "path",
    """../x /a/../b /a/%2e%2e/b /%252e%252e/b //evil.example /a\\b /a/..%2fb /a?x=1 /a#b /%0d%0ax
    https://evil.example/ http://127.0.0.1/ https://10.0.0.1/""".split(),  # noqa: SIM905 - a table
)
def test_a_path_cannot_leave_the_service(path):
    with pytest.raises(ConnectorError) as caught:
        Http("https://example.com/api").get(path)
    assert type(caught.value) is Rejected


def test_only_this_machine_is_local():
    for base in ("http://example.com", "http://10.0.0.1", "http://127.0.0.1.example.com"):
        with pytest.raises(ValueError, match="local"):
            local(base)


def test_what_a_service_sets_as_a_cookie_comes_with_no_later_call():
    heard: list[bytes] = []
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nset-cookie: who=han\r\n\r\n{}"
    with socket.create_server(("127.0.0.1", 0)) as ear, ThreadPoolExecutor(1) as pool:

        def serve() -> None:
            line, _ = ear.accept()
            with line:
                for _ in range(2):
                    heard.append(line.recv(65536))
                    line.sendall(answer)

        served = pool.submit(serve)
        http = Http(f"http://127.0.0.1:{ear.getsockname()[1]}", allow_loopback=True, auth=("한", "s:3"))
        http.get("/a"), http.get("/b")
        http.close()
        served.result(5)
    assert all(b"\r\ncookie:" not in one.lower() for one in heard)
    assert [one.split(b"\r\n")[0] for one in heard] == [b"GET /a HTTP/1.1", b"GET /b HTTP/1.1"]
    assert all(b"authorization: Basic 7ZWcOnM6Mw==" in one for one in heard)
