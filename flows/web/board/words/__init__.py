"""What the board says: each page has a module of pairs, (Korean, English) by key."""

from collections.abc import Mapping
from typing import Literal

Pairs = Mapping[str, tuple[str, str]]


def of(language: Literal["ko", "en"], *pairs: Pairs) -> dict[str, str]:
    """The words of some pages in one language; the later go before the earlier."""
    place = 0 if language == "ko" else 1
    return {key: both[place] for some in pairs for key, both in some.items()}
