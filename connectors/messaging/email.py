"""E-mail by SMTP, built only with EmailMessage, which refuses line breaks in headers."""

import os
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from hashlib import sha256
from threading import Timer
from typing import ClassVar, Never

from pydantic import Field, PrivateAttr, SecretStr

from connectors.addresses import resolve
from connectors.base import Connector, action
from connectors.errors import ConnectorError, NotConnected, Rejected, Unavailable, Uncertain
from connectors.messaging import Message
from connectors.messaging.pictures import MISSING, picture_of

DEADLINE = 20.0  # seconds for a whole message
_IMPLICIT_TLS = 465
_REFUSED_LOGIN = frozenset({530, 534, 535, 538})  # RFC 4954


class Email(Connector):
    """Sends e-mail through the company's own mail account."""

    service: ClassVar[str] = "email"
    room: ClassVar[str] = "messaging"

    host: str
    port: int = 587
    username: str
    password: SecretStr = Field(
        description="the mail provider shows it as SMTP or app password, often under security or POP3/IMAP settings"
    )
    sender: str
    starttls: bool = True

    _deadline: float = PrivateAttr(DEADLINE)

    @action(effect="once")
    def send(
        self, *, medium: str, to: str, text: str, subject: str = "", message: str = "", picture: str = "", key: str
    ) -> Message:
        """Send one plain text e-mail to one address, with a picture if there is one."""
        del message
        at = self._clock.now()
        mail = self._mail(to, subject, text, key)
        mail["Date"] = format_datetime(at)
        seen = picture_of(self, picture) if picture else None
        if seen:
            mail.add_attachment(seen, maintype="image", subtype="png", filename=f"{picture}.png")
        went = "attached" if seen else MISSING if picture else ""
        with self._session() as session:
            _hand_over(session, parseaddr(self.sender)[1], to, mail)
        return Message(id=str(mail["Message-ID"]), medium=medium, to=to, at=at, picture=went)

    def probe(self) -> str:
        """Log in and do nothing."""
        with self._session() as session:
            session.noop()
        return f"{self.host} accepts the login of {self.username}"

    def _mail(self, to: str, subject: str, text: str, key: str) -> EmailMessage:
        name, address = parseaddr(self.sender)
        mail = EmailMessage(policy=SMTP)
        try:
            mail["From"] = Address(name, addr_spec=address)
            mail["To"] = Address(addr_spec=to)
            mail["Subject"] = subject
        except (ValueError, IndexError):
            raise Rejected("the receiver, the sender or the subject cannot stand in an e-mail") from None
        if not to.isascii() or "@" not in to:
            raise Rejected("the receiver is no e-mail address")
        # The same key gives the same id, so a second copy can be recognised by whoever settles a doubt.
        mail["Message-ID"] = f"<{sha256(key.encode()).hexdigest()[:32]}@{address.rpartition('@')[2]}>"
        mail.set_content(text)
        return mail

    @contextmanager
    def _session(self) -> Iterator["_Session"]:
        if not self.starttls and self.port != _IMPLICIT_TLS and not self.allow_loopback:
            raise NotConnected("starttls: without it the password would travel in clear")
        greeting = parseaddr(self.sender)[1].rpartition("@")[2] or "localhost"
        until = time.monotonic() + self._deadline
        session = _Session(self.host, self.port, until, greeting=greeting, loopback=self.allow_loopback)
        watch = Timer(self._deadline, session.cut)
        watch.daemon = True
        watch.start()
        try:
            with _told():
                session.open(starttls=self.starttls)
                session.login(self.username, self.password.get_secret_value())
            yield session
        finally:
            watch.cancel()
            session.end()


class _Session(smtplib.SMTP):
    """An SMTP session with a deadline as a whole; smtplib's timeout counts from line to line."""

    def __init__(self, host: str, port: int, until: float, *, greeting: str, loopback: bool) -> None:
        # Without a name of ours smtplib asks the name server for one, and waits for it.
        super().__init__(local_hostname=greeting, timeout=max(until - time.monotonic(), 0.01))
        self._name, self._port, self._until, self._loopback = host, port, until, loopback

    def open(self, *, starttls: bool) -> None:
        self._host = self._name  # what the certificate must name
        code, _ = self.connect(self._name, self._port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, b"")
        if starttls and self._port != _IMPLICIT_TLS:
            self.ehlo_or_helo_if_needed()
            if not self.has_extn("starttls"):
                raise NotConnected("starttls: the mail server offers none on this port; port 587 usually does")
            self.starttls(context=_context())
            self.ehlo()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        addresses = resolve(host, port, loopback=self._loopback, timeout=timeout)
        found = self._reach(addresses, port)
        return _context().wrap_socket(found, server_hostname=host) if port == _IMPLICIT_TLS else found

    def _reach(self, addresses: list[str], port: int) -> socket.socket:
        for address in addresses:
            with suppress(OSError):
                return socket.create_connection((address, port), max(self._until - time.monotonic(), 0.01))
        raise ConnectionRefusedError

    def cut(self) -> None:
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        with suppress(OSError, smtplib.SMTPException):
            if self.sock is not None:
                self.quit()
        self.close()


def _hand_over(session: _Session, sender: str, to: str, mail: EmailMessage) -> None:
    with _told():
        session.ehlo_or_helo_if_needed()
        for code, _ in (session.mail(sender), session.rcpt(to)):
            if code not in {250, 251}:
                raise smtplib.SMTPResponseException(code, b"")
    try:
        code, _ = session.data(mail.as_bytes())
    except smtplib.SMTPDataError as error:  # refused before the text was sent
        _raise_for(error.smtp_code)
    except (OSError, smtplib.SMTPException):
        raise Uncertain("the mail server's answer was lost after the text was sent") from None
    if 400 <= code < 600:
        _raise_for(code)
    if code != 250:  # smtplib says -1 for what is no answer at all, and takes half a line for a whole one
        raise Uncertain("the mail server's answer to the text cannot be read")


@contextmanager
def _told() -> Iterator[None]:
    """Failures before the text was sent, as our errors."""
    try:
        yield
    except ConnectorError:
        raise
    except smtplib.SMTPResponseException as error:
        _raise_for(error.smtp_code)
    except smtplib.SMTPNotSupportedError:
        raise NotConnected("the mail server offers no login on this port") from None
    except (OSError, smtplib.SMTPException):
        raise Unavailable("the mail server cannot be reached, or broke off before the text was sent") from None


def _raise_for(code: int) -> Never:
    if code in _REFUSED_LOGIN:
        raise NotConnected(f"the mail server refused the login ({code})") from None
    if 500 <= code < 600:
        raise Rejected(f"the mail server refused the message ({code})") from None
    raise Unavailable(f"the mail server asks to come later ({code})") from None


def _context() -> ssl.SSLContext:
    return _trusting(os.environ.get("SSL_CERT_FILE"))


@lru_cache(maxsize=4)
def _trusting(cert_file: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=cert_file)
