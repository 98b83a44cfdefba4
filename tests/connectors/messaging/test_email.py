"""E-mail against a real SMTP server with STARTTLS and a login."""

import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from connectors.errors import ConnectorError, NotConnected, Rejected, Unavailable, Uncertain
from connectors.messaging.email import Email


class Post:
    """Keeps what it takes; answers as the receiver's name says."""

    def __init__(self):
        self.mails = []

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        said = {"gone": "550 no such user", "busy": "451 come later", "shut": "421 closing"}.get(address.split("@")[0])
        if said:
            return said
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        name = envelope.rcpt_tos[0].split("@")[0]
        if name == "lost":
            server.transport.abort()
        said = {"spam": "554 no, 010-1234-5678", "full": "452 no room"}.get(name)
        if not said:
            self.mails.append(message_from_bytes(envelope.content, policy=default))
        return said or "250 taken"


def login(server, session, envelope, mechanism, data):
    right = mechanism in {"LOGIN", "PLAIN"} and (data.login, data.password) == (b"shop", b"hush")
    return AuthResult(success=right, handled=False)


@pytest.fixture(scope="module")
def cert(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cert")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout k.pem -out c.pem "
        "-addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE"
    )
    subprocess.run(
        command.split(),
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


@contextmanager
def serving(context, **more):
    post = Post()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(
        post,
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=context is not None,
        authenticator=login,
        auth_required=context is not None,
        **more,
    )
    controller.start()
    try:
        post.port = port
        yield post
    finally:
        controller.stop()


@pytest.fixture
def post(cert, monkeypatch):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert / "c.pem", cert / "k.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(cert / "c.pem"))
    with serving(context) as found:
        yield found


def mailbox(port, password="hush", deadline=5.0, home=None, **settings):
    given = {"host": "localhost", "port": port, "username": "shop", "sender": "온다 <shop@example.com>"}
    made = Email.connect(
        "mail",
        given | {"allow_loopback": "yes"} | settings,
        environ={"DIGILOG_CONNECTIONS__MAIL__PASSWORD": password},
        home=home,
    )
    made._deadline = deadline
    return made


def send(email, to="kim@example.com", subject="안녕하세요", text="첫 줄\n=둘째 줄\n.\n끝"):
    return email.call("send", {"medium": "email", "to": to, "subject": subject, "text": text}, key="case/step/email")


@pytest.mark.verifies("email.send", peer="aiosmtpd 1.4.6")
def test_a_mail_arrives_as_written(post):
    sent = send(mailbox(post.port))
    (mail,) = post.mails
    assert (mail["subject"], mail["to"], str(mail["from"])) == (
        "안녕하세요",
        "kim@example.com",
        "온다 <shop@example.com>",
    )
    assert mail.get_content().splitlines() == ["첫 줄", "=둘째 줄", ".", "끝"]
    assert (mail["message-id"], sent["state"]) == (sent["id"], "accepted")


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("gone@example.com", Rejected),
        ("spam@example.com", Rejected),
        ("busy@example.com", Unavailable),
        ("full@example.com", Unavailable),
        ("shut@example.com", Unavailable),
        ("lost@example.com", Uncertain),
        ("a@b.c, d@e.f", Rejected),
        ("a@b.c\nBcc: d@e.f", Rejected),
        ("김@example.com", Rejected),
        ("nobody", Rejected),
        ("", Rejected),
    ],
)
def test_a_failed_mail_is_told_as_what_to_do_next(post, to, expected):
    with pytest.raises(ConnectorError) as caught:
        send(mailbox(post.port), to)
    assert type(caught.value) is expected
    assert "010" not in str(caught.value)
    assert len(post.mails) == (expected is Uncertain)  # in doubt, and in fact it was taken


def test_a_subject_carries_no_second_header(post):
    with pytest.raises(Rejected):
        send(mailbox(post.port), subject="hello\r\nBcc: d@e.f")


def test_a_wrong_password_is_not_connected_and_a_right_one_is_proven(post):
    assert "accepts the login" in mailbox(post.port).probe()
    with pytest.raises(NotConnected, match="refused the login"):
        mailbox(post.port, "wrong").probe()


def test_the_password_never_travels_in_clear(post):
    with serving(None) as bare:
        with pytest.raises(NotConnected, match="offers none"):
            send(mailbox(bare.port))
        with pytest.raises(NotConnected, match="in clear"):
            send(mailbox(bare.port, starttls="no", allow_loopback="no"))


def test_a_certificate_of_somebody_else_is_not_believed(post, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Unavailable):
        send(mailbox(post.port))


def test_a_mail_server_on_this_machine_must_be_allowed(post):
    with pytest.raises(Rejected, match="this machine"):
        send(mailbox(post.port, allow_loopback="no"))


def test_a_dripping_server_is_cut_at_the_deadline():
    with socket.create_server(("127.0.0.1", 0)) as door:

        def drip():
            line, _ = door.accept()
            with line:
                try:
                    for letter in b"220-" + b"a" * 100:
                        line.sendall(bytes([letter]))
                        time.sleep(0.1)
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        start = time.monotonic()
        with pytest.raises(Unavailable):
            send(mailbox(door.getsockname()[1], deadline=0.5))
        assert time.monotonic() - start < 2
        thread.join()


@pytest.mark.parametrize(("kept", "went"), [(True, "attached"), (False, "left out: there is no such picture")])
def test_a_picture_goes_along_with_its_mail_or_is_left_out_and_said(post, tmp_path, kept, went):
    if kept:
        (tmp_path / "pictures").mkdir()
        (tmp_path / "pictures" / "digest.png").write_bytes(b"\x89PNG\r\n\x1a\ngrid")
    notice = {"medium": "team", "to": "han@example.com", "subject": "어제", "text": "숫자", "picture": "digest"}
    assert mailbox(post.port, home=tmp_path).call("send", notice, key="k")["picture"] == went
    (mail,) = post.mails
    assert mail.get_body().get_content().strip() == "숫자"
    found = [(one.get_filename(), one.get_content_type(), one.get_content()) for one in mail.iter_attachments()]
    assert found == ([("digest.png", "image/png", b"\x89PNG\r\n\x1a\ngrid")] if kept else [])
