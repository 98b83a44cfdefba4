"""A line to a peer that forwards a request and loses its answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def losing_answers(port: int) -> Iterator[str]:
    """The address of a line to 127.0.0.1:`port`: what is sent is done, what is answered is lost."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(0.1)
        closing = threading.Event()

        def carry() -> None:
            while not closing.is_set():
                try:
                    near, _ = door.accept()
                except TimeoutError:
                    continue
                with near, socket.create_connection(("127.0.0.1", port), 10) as far:
                    far.settimeout(10)
                    far.sendall(_request(near))
                    far.recv(65536)

        carrying = threading.Thread(target=carry, daemon=True)
        carrying.start()
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            closing.set()
            carrying.join()


def _request(line: socket.socket) -> bytes:
    line.settimeout(10)
    whole = b""
    while b"\r\n\r\n" not in whole:
        whole += line.recv(65536)
    head, _, body = whole.partition(b"\r\n\r\n")
    lengths = [one.split(b":")[1] for one in head.lower().split(b"\r\n") if one.startswith(b"content-length:")]
    while len(body) < int(lengths[0] if lengths else 0):
        more = line.recv(65536)
        body += more
        whole += more
    return whole
