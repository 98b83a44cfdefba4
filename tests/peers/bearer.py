"""A door before Prism, which knows the scheme Bearer alone: PortOne's own scheme is renamed, nothing else touched."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def renaming(scheme: str, port: int) -> Iterator[str]:
    """Pass every call on to `port` with `Authorization: <scheme> x` as `Bearer x`; gives the address to call."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            sent = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
            word, _, secret = self.headers.get("authorization", "").partition(" ")
            sent["authorization"] = f"Bearer {secret}" if word == scheme else f"{word} {secret}"
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            line.request(self.command, self.path, body or None, sent)
            answer = line.getresponse()
            content = answer.read()
            line.close()
            self.send_response(answer.status)
            self.send_header("content-type", answer.getheader("content-type", "application/json"))
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = handle_any  # noqa: N815 - the names that the standard library calls

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


_OWN = {"host", "connection", "authorization", "accept-encoding", "content-length"}
