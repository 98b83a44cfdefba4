"""What a Korean text message can carry: its bytes as the carriers count them, and the signs that they cannot write."""

import unicodedata

CODING = "cp949"
SMS, LMS, SUBJECT = 90, 2000, 40  # bytes; https://developers.solapi.com/references/messages/sendManyDetail
# A phone or a word processor writes these without being asked; the carriers know only the plain sign.
_PLAIN = {0xA0: " ", 0x202F: " ", 0x2007: " ", 0x2013: "-", 0x2014: "-", 0x200B: None, 0x200D: None, 0xFEFF: None}


def writable(text: str) -> str:
    """The text with whole syllables and plain spaces: what carriers can write of it stays what it is."""
    return unicodedata.normalize("NFC", text).translate(_PLAIN)


def size(text: str) -> int:
    """Bytes of a text; a sign that cannot be written counts as two."""
    return sum(len(sign.encode(CODING)) if _known(sign) else 2 for sign in writable(text))


def unwritable(text: str) -> str:
    """The signs that carriers cannot write, each once, in their order: emoji above all."""
    return "".join(dict.fromkeys(sign for sign in writable(text) if not _known(sign)))


def _known(sign: str) -> bool:
    try:
        sign.encode(CODING)
    except UnicodeEncodeError:
        return False
    return True
