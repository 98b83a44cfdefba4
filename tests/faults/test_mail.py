"""Whatever a mail server does wrong, and when: before the text has gone nothing happened, after it nobody knows."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

from connectors.errors import ConnectorError, NotConnected, Rejected, Unavailable, Uncertain
from connectors.messaging.email import Email
from tests.faults.calls import GRACE
from tests.faults.menu import CANARY

DEADLINE = 1.2
STAGES = ["connect", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "text"]
WELL = {
    "connect": "220 mail.example.com", "EHLO": "250-mail.example.com\r\n250 AUTH PLAIN LOGIN", "AUTH": "235 in",
    "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", "text": "250 taken",
}  # fmt: skip
ANSWERS = ["421", "450", "451", "452", "500", "502", "535", "550", "552", "554"]
BREAKS = [
    "closed",
    "reset",
    "silent",
    "no SMTP",
    "a line without end",
    "lines without end",
    "dripping",
    "200",
    "299",
    "999",
]


def expected(stage: str, fault: str) -> set:
    """What comes of it."""
    late = stage == "text"
    if fault in ANSWERS:
        if fault == "535" and stage in {"AUTH", "MAIL", "RCPT", "DATA", "text"}:
            return {NotConnected}
        if stage == "connect":  # a greeting is 220 or nobody is at home
            return {Unavailable, Rejected, NotConnected}
        if stage == "EHLO":  # HELO is tried then, which offers no login
            return {Unavailable, Rejected, NotConnected}
        return {Unavailable} if fault.startswith("4") else {Rejected, NotConnected} if stage == "AUTH" else {Rejected}
    if late:
        return {Uncertain}
    if stage == "DATA":  # smtplib gives the command and the text in one
        return {Uncertain, Unavailable, Rejected}
    return {Unavailable, Rejected, NotConnected}


class Post:
    """A mail server that does wrong at one stage."""

    def __init__(self, stage: str, fault: str) -> None:
        self.stage, self.fault, self.over, self.texts = stage, fault, threading.Event(), 0

    def talk(self, line: socket.socket) -> None:
        file = line.makefile("rb")
        if not self.say(line, "connect"):
            return
        while command := file.readline():
            name = command[:4].decode("latin-1").upper().strip()
            name = "EHLO" if name == "HELO" else name
            if name in {"QUIT", "RSET", "NOOP"}:
                line.sendall(b"221 bye\r\n")
                continue
            if not self.say(line, name if name in WELL else "AUTH"):
                return
            if name == "DATA" and (self.stage, self.fault) != ("DATA", self.fault):
                while (one := file.readline()) and one.rstrip(b"\r\n") != b".":
                    pass
                self.texts += 1
                if not self.say(line, "text"):
                    return

    def say(self, line: socket.socket, stage: str) -> bool:
        """Whether the talk goes on."""
        if stage != self.stage or self.fault == "none":
            line.sendall(f"{WELL[stage]}\r\n".encode())
            return True
        match self.fault:
            case "closed":
                return False
            case "reset":
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
                return False
            case "silent":
                self.over.wait(30)
            case "no SMTP":
                line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            case "a line without end":
                while not self.over.wait(0.001):
                    line.sendall(b"2" * 9000)
            case "lines without end":
                while not self.over.wait(0.001):
                    line.sendall(b"250-more\r\n" * 100)
            case "dripping":
                for _ in range(900):
                    line.sendall(b"2")
                    if self.over.wait(0.03):
                        break
            case code:
                line.sendall(f"{code} {CANARY}\r\n".encode())
                return True
        return False


@contextmanager
def serving(post: Post):
    def accept() -> None:
        with suppress(OSError):
            while True:
                line, _ = door.accept()
                threading.Thread(target=guarded, args=(line,), daemon=True).start()

    def guarded(line: socket.socket) -> None:
        with line, suppress(OSError):
            line.settimeout(30)
            post.talk(line)

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield door.getsockname()[1]
        finally:
            post.over.set()
            with suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)


def sent(stage: str, fault: str) -> tuple[object, float, str, int]:
    post = Post(stage, fault)
    with serving(post) as port:
        settings = {"host": "127.0.0.1", "port": port, "username": "shop", "sender": "shop@example.com",
                    "starttls": "no", "allow_loopback": "yes"}  # fmt: skip
        mail = Email.connect("mail", settings, environ={"DIGILOG_CONNECTIONS__MAIL__PASSWORD": "hush-hush"})
        mail._deadline = DEADLINE
        start, error = time.monotonic(), None
        try:
            mail.call("send", {"medium": "email", "to": "hana@example.com", "text": "본문", "subject": "예약"}, key="k")
        except ConnectorError as caught:
            error = caught
        return type(error) if error else None, time.monotonic() - start, str(error or ""), post.texts


def judged(stage: str, fault: str) -> list[str]:
    for _ in range(2):  # on a machine that is busy a deadline passes by itself: once more
        outcome, seconds, told, texts = sent(stage, fault)
        wrong = [] if outcome in expected(stage, fault) else [f"{outcome}: {told}"]
        wrong += [f"took {seconds:.2f} s"] if seconds > DEADLINE + GRACE else []
        wrong += [f"shows {one}" for one in (CANARY, "010-1234", "hush", "hana@", "127.0.0.1") if one in told]
        wrong += ["the connector stumbled"] if "unexpectedly" in told else []
        wrong += [f"{texts} texts"] if texts != (stage == "text") else []
        if not wrong:
            break
    return [f"{stage}, {fault}: {one}" for one in wrong]


def test_a_mail_is_taken_when_nothing_is_wrong():
    assert sent("none", "none")[0::3] == (None, 1)


@pytest.mark.parametrize("stage", STAGES)
def test_a_fault_of_a_mail_server_is_told_as_what_to_do_next(stage):
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda fault: judged(stage, fault), [*ANSWERS, *BREAKS]))
    assert [wrong for one in found for wrong in one] == []
