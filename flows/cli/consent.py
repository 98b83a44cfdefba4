"""A person's consent at a service: the page to open, and its answer, which comes to this computer or is pasted."""

import queue
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from connectors.oauth import Consent, OAuth
from flows.screen import Refused, say

PATIENCE = 600.0  # seconds for a person to read and say yes
_CALLBACK = "/callback"
_THANKS = "You can close this page and go back to the terminal. 이 창을 닫고 터미널로 돌아가세요.\n"
_STRANGE = "This is no answer to the question that digilog asked.\n"


def ask(connection: OAuth, port: int) -> None:
    """Have a person consent, and keep the tokens. Raises Refused or ConnectorError."""
    answers: queue.Queue[str] = queue.Queue()
    with _listening(answers, port) as redirect:
        consent = connection.consent(redirect)
        say("Open this page, choose the company's account, and consent:\n")
        say(f"  {consent.url}\n")
        say(f"Its answer comes back to {redirect}.")
        say("If the browser is on another computer: paste here the address that it ends at, though it shows an error.")
        threading.Thread(target=_pasted, args=(answers,), daemon=True, name="read what is pasted").start()
        connection.consented(consent, _code(answers, consent))


def _code(answers: "queue.Queue[str]", consent: Consent) -> str:
    """The code in the answer to this very question: any page may send something to a port of this computer."""
    while True:
        try:
            given = parse_qs(urlsplit(answers.get(timeout=PATIENCE)).query)
        except queue.Empty:
            raise Refused("nobody consented within ten minutes; run the command again") from None
        except ValueError:
            given = {}
        if given.get("state") != [consent.state]:
            say("that is no answer to this question; it is left aside", style="yellow")
        elif "code" in given:
            return given["code"][0]
        else:
            raise Refused("the consent was refused at the service; run the command again to ask once more")


def _pasted(answers: "queue.Queue[str]") -> None:
    for line in sys.stdin:
        if line.strip():
            answers.put(line.strip())


@contextmanager
def _listening(answers: "queue.Queue[str]", port: int) -> Iterator[str]:
    """Take the answer at a port of this computer; brings the address of it."""

    class Door(BaseHTTPRequestHandler):
        timeout = 10  # seconds: browsers open lines ahead, and say nothing on them

        def do_GET(self) -> None:
            ours = urlsplit(self.path).path == _CALLBACK and "state=" in self.path
            if ours:
                answers.put(self.path)
            content = (_THANKS if ours else _STRANGE).encode()
            self.send_response(200 if ours else 404)
            self.send_header("content-type", "text/plain; charset=utf-8")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """The address holds the code: nothing is logged."""

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), Door)  # one silent line must not keep the answer waiting
    except OSError:
        raise Refused(f"port {port} of this computer is taken; name another: --port") from None
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True, name="wait for consent")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{_CALLBACK}"
        finally:
            server.shutdown()
            thread.join()
