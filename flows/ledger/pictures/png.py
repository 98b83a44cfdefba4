"""A picture as PNG, for messages; drawn with this computer's own fonts."""

from datetime import datetime
from functools import cache

from sqlalchemy import Connection

from flows.ledger.pictures.draw import STYLE
from flows.ledger.pictures.grid import begun, grid
from flows.ledger.pictures.month import month_svg, weeks
from flows.ledger.series import series
from flows.playbook.model import Book

_SAMPLES = {"ko": "가", "en": "a"}


class NoFontError(Exception):
    """No font here has the language's letters; the sentence says what to install."""


def png(svg: str, width: int | None = None) -> bytes:
    """The picture in its own size, or so many px wide, in fixed light colours."""
    import resvg_py  # 40 ms and all fonts, which pages and most playbooks never need

    drawn: bytes = resvg_py.svg_to_bytes(svg_string=svg, style_sheet=STYLE, background="#ffffff", width=width)
    return drawn


def month_png(session: Connection, book: Book, now: datetime) -> bytes:
    """The picture of the morning: four weeks up to yesterday, 1,200 px wide. Raises NoFontError."""
    language = book.company.language
    if not _has(language):
        raise NoFontError(f"no font here has letters of {language!r}; install one, such as the package fonts-noto-cjk")
    these, those = weeks(now.astimezone(book.company.zone).date())
    found = series(session, book, book.metrics.metrics, those[0], these[-1], now)
    begin = begun(session, found, those[0], these[-1])
    return png(month_svg(book, grid(book, found, these, those, begin)))


@cache
def _has(language: str) -> bool:
    return drawn(_SAMPLES[language]) != drawn("")


def drawn(text: str) -> bytes:
    """A text alone; without a font for it, nothing stands there."""
    return png(f'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><text y="30">{text}</text></svg>')
