"""No address of a private network, of this machine or of a cloud's own services is ever connected to."""

import socket
from contextlib import suppress
from functools import partial
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from connectors.base import variable_of
from connectors.errors import ConnectorError, NotConnected, Rejected, Unavailable
from connectors.http import Http
from connectors.messaging.email import Email
from connectors.oauth import OAuth
from connectors.registry import find
from connectors.tokens import FileVault
from connectors.web import Web
from tests.faults.calls import Call, calls, connect
from tests.faults.server import Service, serving, whole
from tests.faults.watch import looking

CLOUDS = """
169.254.169.254 169.254.169.253 169.254.169.123 169.254.169.249 169.254.170.2 169.254.170.23 169.254.42.42 169.254.0.23
169.254.10.10 169.254.169.255 100.100.100.200 100.100.2.136 168.63.129.16 192.0.0.192 192.0.0.170 192.0.0.8
""".split()  # AWS, GCP, Azure, Oracle, Alibaba, Tencent, Scaleway, Linode, and what stands beside  # noqa: SIM905
INSIDE = """
10.0.0.1 10.255.255.254 172.16.0.1 172.31.255.254 192.168.0.1 192.168.255.254 100.64.0.1 100.127.255.254 0.0.0.0 0.1.2.3
192.0.2.1 198.18.0.1 198.19.255.254 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
""".split()  # noqa: SIM905 - a table
HERE = "127.0.0.1 127.8.9.10 127.255.255.254".split()  # noqa: SIM905 - a table
SIX = """
:: ::1 0:0:0:0:0:0:0:1 fe80::1 fe80::a9fe:a9fe fc00::1 fd00::1 fd00:ec2::254 fd00:ec2::23 fd20:ce::254 fd00:42::42
fd00:a9fe:a9fe::1 fec0::1 ff02::1 ff0e::1 2001:db8::1 3fff::1 100::1 5f00::1 2001::1 2001:2::1 ::127.0.0.1 ::10.0.0.1
::169.254.169.254 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:a9fe:a9fe ::ffff:0:127.0.0.1
::ffff:0:10.0.0.1 64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b::168.63.129.16 64:ff9b:1::a00:1
64:ff9b:1:7f00:0:100:808:808 2002:7f00:1:: 2002:a9fe:a9fe:: 2002:a00:1::1 2002:c0a8:1::1
2001:0:4136:e378:8000:63bf:80ff:fffe 2001:0:a00:1:8000:63bf:3fff:fdd2 2606:4700::5efe:10.0.0.1
2606:4700::200:5efe:169.254.169.254
""".split()  # noqa: SIM905 - mapped, translated, tunnelled, and each net that is not the internet
SPELLED = """
127.1 127.0.1 0 0x7f.1 0x7f000001 0X7F.0.0.1 0177.0.0.1 0177.1 017700000001 2130706433 0x7f.0x0.0x0.0x1 00000177.0.0.1
127.0.0.1. 0x0a000001 10.1 012.1 167772161 0xa9fea9fe 0xa9.0xfe.0xa9.0xfe 2852039166 0251.0376.0251.0376 169.254.43518
169.16689662 0xa9.254.0251.254 192.168.257 3232235777 0xc0a80001 0300.0250.0.1 172.1048577
localhost LOCALHOST localhost.
shop.localhost 127。0。0。1 127．0．0．1 127｡0｡0｡1 １２７.0.0.1 ①②⑦.⓪.⓪.① ⓛⓞⓒⓐⓛⓗⓞⓢⓣ 169。254。169。254 ０ｘ７ｆ.1
metadata.google.internal metadata.google.internal. METADATA.google.internal metadata instance-data
instance-data.ec2.internal metadata.azure.internal host.docker.internal kubernetes.default.svc.cluster.local
printer.local
[::1%25lo] [fe80::1%25eth0] [::ffff:7f00:1] [0:0:0:0:0:ffff:127.0.0.1] [::ffff:0x7f.1] [v1.127.0.0.1] [::1 ::1]
u:p@127.0.0.1 example.com@127.0.0.1 example.com:443@10.0.0.1 127.0.0.1:443@example.com 127.0.0.1#@example.com
127.0.0.1\\@example.com example.com\\@127.0.0.1 127.0.0.1?@example.com %31%32%37.0.0.1 127.0.0.1%2f.example.com
127.0.0.1%00.example.com
""".split()  # noqa: SIM905 - octal, hex, whole numbers, other alphabets' digits and dots, logins, escapes
NAMES = {  # what a name server answers
    **{f"one-{number}.example": [address] for number, address in enumerate([*CLOUDS, *INSIDE, *HERE, *SIX])},
    "good-then-bad.example": ["1.1.1.1", "127.0.0.1"],
    "bad-then-good.example": ["169.254.169.254", "1.1.1.1"],
    "both-families.example": ["2606:4700:4700::1111", "::1"],
    "many.example": [*["8.8.8.8"] * 9, "10.0.0.1"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "xn--9n2bp8q.example": ["192.168.0.1"],
    "예시.example": ["192.168.0.1"],
}
URLS = [
    *(f"https://{host}" for host in [*CLOUDS, *INSIDE, *HERE, *SPELLED]),
    *(f"https://[{host}]" for host in SIX),
    *(f"https://{name}" for name in NAMES),
    *(f"http://{host}" for host in ("169.254.169.254", "example.com", "127.0.0.1", "[::1]", "localhost")),
    *(
        f"{scheme}:{rest}"
        for scheme in ("file", "ftp", "gopher", "unix", "")
        for rest in ("///etc/passwd", "//127.0.0.1/x")
    ),
]


@pytest.fixture(autouse=True)
def name_server(monkeypatch):
    """Numbers are read as ever; names are answered by script, so that no test asks the world."""
    real, asked = socket.getaddrinfo, []

    def answer(host, port, *more, **named):
        asked.append(host)
        name = host.decode() if isinstance(host, bytes) else host
        if name in NAMES:
            return [(socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
                    for one in NAMES[name]]  # fmt: skip
        if name == "localhost" or ":" in name or _number(name):
            return real(host, port, *more, **named)
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


def _number(name: str) -> bool:
    try:
        socket.inet_aton(name)
    except (OSError, UnicodeError):
        return False
    return True


def refused(do, seen) -> bool:
    try:
        do()
    except ConnectorError:
        return not seen.connected
    return False


def test_the_list_is_long():
    assert len(URLS) == len(set(URLS))
    assert len(URLS) >= 200


FIRST = {one.values[0].service: one for one in reversed(calls()) if one.values[0].action not in {"poll", "confirm"}}


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("call", FIRST.values())
def test_no_service_is_looked_for_inside(call: Call, tmp_path):
    if issubclass(find(call.service), OAuth):  # or it would look for a token first, and come no further
        living = {"access_token": "x", "refresh_token": "y", "until": "2199-01-01T00:00:00+00:00"}
        FileVault(tmp_path / "secrets").save(call.service, living)

    def ask(url: str) -> None:
        connector = connect(call.service, url, tmp_path, loopback=False)
        if isinstance(connector, OAuth):
            connector = connector.model_copy(update={"service_account": None})
        call.make(connector)

    with looking() as seen:
        assert [url for url in URLS if not refused(partial(ask, url), seen)] == []


@pytest.mark.usefixtures("hurry")
def test_no_path_leads_inside():
    inner = Http("https://one-0.example", hosts=("127.0.0.1", "metadata", *NAMES))
    web = Web.connect("crm", {"base_url": "https://one-0.example"}, environ={})
    with looking() as seen:
        assert [url for url in URLS if not refused(lambda url=url: inner.get(url), seen)] == []
        assert [url for url in URLS if not refused(lambda url=url: web.call("get", {"path": url}), seen)] == []
        assert [url for url in URLS if not refused(lambda url=url: web.call("get", {"path": url[6:]}), seen)] == []


def _host(url: str) -> list[str]:
    with suppress(ValueError):
        return [urlsplit(url).hostname or ""]
    return []


@pytest.mark.usefixtures("hurry")
def test_no_secret_address_of_a_chat_leads_inside():
    variable = variable_of("chat", "url")
    with looking() as seen:
        for url in URLS:
            settings = {"shape": "plain", "allowed_hosts": _host(url)}

            def send(settings=settings, url=url):
                chat = find("chat_webhook").connect("chat", settings, environ={variable: f"{url}/secret"})
                chat.call("send", {"medium": "team", "to": "x", "text": "x"}, key="k")

            assert refused(send, seen), url


@pytest.mark.usefixtures("hurry")
def test_no_token_is_asked_for_inside(tmp_path, monkeypatch):
    old = {"access_token": "x", "refresh_token": "y", "until": "2000-01-01T00:00:00+00:00"}
    FileVault(tmp_path / "secrets").save("till", old)

    def asking(url):
        class Till(OAuth):
            """A service whose tokens are made at an address of ours."""

            service: ClassVar[str] = "till"
            token_url: ClassVar[str] = url

        secret = {variable_of("till", "client_secret"): "s"}
        return Till.connect("till", {"client_id": "c"}, environ=secret, home=tmp_path).access_token

    with looking() as seen:
        assert [url for url in URLS if not refused(asking(url), seen)] == []
    monkeypatch.setitem(NAMES, "open.example", ["1.1.1.1"])
    with looking() as seen, pytest.raises(ConnectorError):
        asking("https://open.example")()
    assert seen.connected == [("1.1.1.1", 443)]  # so it does ask


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_answer_leads_inside(status):
    def lead(url, talk):
        target = url.encode("ascii", "ignore").decode()
        talk.send(whole(f"{status} Elsewhere", b"", "text/plain", f"location: {target}", f"refresh: 0; url={target}"))

    with serving(Service({"GET /": (200, {})})) as service, looking(service.port) as seen:
        web = Web.connect("crm", {"base_url": service.base_url, "allow_loopback": "yes"}, environ={})
        for url in URLS:
            service.asked.clear()
            service.fault = partial(lead, url)
            with pytest.raises((Rejected, Unavailable)):  # a place that is no address at all counts as a broken answer
                web.call("get", {"path": "/"})
            assert {one.what for one in service.asked} == {"GET /"}
        assert seen.connected == []
        web.close()


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("proxy", ["", "http://10.0.0.9:3128"])
def test_a_proxy_is_asked_for_nothing_inside(proxy):
    """What only a name server knows is the proxy's business; what can be seen in the address is refused."""
    written = [url for url in URLS if url.split("//")[1] not in NAMES] if proxy else URLS
    with looking() as seen:
        for url in written:
            assert refused(lambda url=url: Http(url, proxy=proxy or None).get("/"), seen), url


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize(
    "host", [*CLOUDS, "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "0xa9fea9fe", "one-0.example"]
)
def test_a_cloud_is_no_proxy(host):
    with looking() as seen:
        assert refused(lambda: Http("https://example.com", proxy=f"http://{host}:80").get("/"), seen)


@pytest.mark.parametrize("host", [*CLOUDS, *INSIDE, *HERE, *SIX, *SPELLED, *NAMES])
def test_no_mail_is_carried_inside(host):
    settings = {"host": host.strip("[]"), "username": "shop", "sender": "shop@example.com"}
    mail = Email.connect("mail", settings, environ={"DIGILOG_CONNECTIONS__MAIL__PASSWORD": "hush"})
    mail._deadline = 0.5
    with looking() as seen:
        assert refused(lambda: mail.call("send", {"medium": "email", "to": "a@b.example", "text": "x"}, key="k"), seen)


def test_a_name_that_changes_its_mind_is_asked_once_and_only_what_was_checked_is_called(monkeypatch, name_server):
    class Changing(list):
        def __iter__(self):
            found, NAMES["changing.example"] = list.__iter__(self), ["127.0.0.1"]
            return found

    monkeypatch.setitem(NAMES, "changing.example", Changing(["1.1.1.1"]))
    with looking() as seen, pytest.raises(ConnectorError):
        Http("https://changing.example", deadline=0.5).post("/")
    assert seen.connected == [("1.1.1.1", 443)]
    assert name_server == ["changing.example", "1.1.1.1"]  # the second only to connect


def test_what_may_be_called_is_called(monkeypatch):
    """Or all of the above would hold of a door that is shut."""
    monkeypatch.setitem(NAMES, "open.example", ["1.1.1.1", "2606:4700:4700::1111"])
    for url, wanted in (("https://open.example", "1.1.1.1"), ("https://8.8.8.8", "8.8.8.8")):
        with looking() as seen, pytest.raises(ConnectorError):
            Http(url, deadline=0.5).post("/")
        assert seen.connected[0] == (wanted, 443)
    with looking() as seen, pytest.raises(ConnectorError):
        Http("https://open.example", proxy="http://10.0.0.9:3128", deadline=0.5).post("/")
    assert seen.connected == [("10.0.0.9", 3128)]
    with pytest.raises(NotConnected):
        Http("https://open.example@127.0.0.1")
