"""Pictures that go along with notices: PNG files in the home, readable by its owner alone; the newest are kept."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

KEPT = 30  # pictures of one kind
log = logging.getLogger(__name__)


def put(file: Path, draw: Callable[[], bytes]) -> bool:
    """Draw and keep one picture, named `<kind>-<day>.png`; whether it is there. A notice never fails by its picture."""
    try:
        content = draw()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(content)
        new.replace(file)
        kind = file.stem.partition("-")[0]
        for old in sorted(file.parent.glob(f"{kind}-*.png"))[:-KEPT]:
            old.unlink(missing_ok=True)
    except Exception:  # no font, a full disk, or what a drawing library does not like: the words go without it
        log.exception("the picture %s could not be drawn", file.stem)
        return False
    return True
