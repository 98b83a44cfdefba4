"""A picture as PNG, for messages; drawn with this computer's own fonts."""

from datetime import datetime
from functools import cache
from typing import Literal

from sqlalchemy import Connection

from flows.ledger.pictures.draw import STYLE
from flows.ledger.pictures.grid import grid
from flows.ledger.pictures.month import month_svg, weeks
from flows.ledger.series import begun, series
from flows.playbook.model import Book

_SAMPLES = {"ko": "가", "en": "a"}
_LETTER = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><text y="30">{}</text></svg>'


class NoFontError(Exception):
    """No font here has the language's letters; the sentence says what to install."""


def png(svg: str, width: int | None = None, *, fonts: bool = True) -> bytes:
    """The picture in its own size, or so many px wide, in fixed light colours; without `fonts`, without words."""
    import resvg_py  # 40 ms and all fonts, which pages and most playbooks never need

    drawn: bytes = resvg_py.svg_to_bytes(
        svg_string=svg, style_sheet=STYLE, background="#ffffff", width=width, skip_system_fonts=not fonts
    )
    return drawn


def month_png(session: Connection, book: Book, now: datetime, *, fonts: bool = True) -> bytes:
    """The picture of the morning: four weeks up to yesterday, 1,200 px wide. Raises NoFontError."""
    need_font(book.company.language, fonts=fonts)
    these, those = weeks(now.astimezone(book.company.zone).date())
    found = series(session, book, book.metrics.metrics, those[0], these[-1], now)
    begin = begun(session, book, found, those[0], these[-1])
    return png(month_svg(book, grid(book, found, these, those, begin)))


@cache
def need_font(language: Literal["ko", "en"], *, fonts: bool = True) -> None:
    """Raises NoFontError where a letter of the language leaves no trace on a picture."""
    if png(_LETTER.format(_SAMPLES[language]), fonts=fonts) == png(_LETTER.format(""), fonts=fonts):
        raise NoFontError(f"no font here has letters of {language!r}; install one, such as the package fonts-noto-cjk")
