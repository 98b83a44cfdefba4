"""The company's words, as Prefect takes them for names."""

import re

_REFUSED = re.compile(r"[/%&<>]+")
_LONGEST = 200


def plain(words: str) -> str:
    """Words without the signs that Prefect refuses in names: / % & > <."""
    return " ".join(_REFUSED.sub(" ", words).split())[:_LONGEST]
