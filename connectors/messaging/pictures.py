"""Pictures that go along with a notice: PNG files in the home's `pictures` folder, by name."""

import re

from connectors.base import Connector
from connectors.errors import ConnectorError

LARGEST = 5 * 1024 * 1024  # bytes
MISSING = "left out: there is no such picture"
_NAME = re.compile(r"[a-z0-9-]{1,80}")
_PNG = b"\x89PNG\r\n\x1a\n"


def picture_of(connection: Connector, name: str) -> bytes | None:
    """The picture called `name`; none: there is none, or what bears the name is no PNG of up to 5 MB.

    A notice never waits for its picture, so nothing is raised.
    """
    if not _NAME.fullmatch(name):
        return None
    try:
        path = connection.in_pictures(f"{name}.png")
        content = path.read_bytes() if path.stat().st_size <= LARGEST else b""
    except (OSError, ConnectorError):
        return None
    return content if content.startswith(_PNG) else None
