"""Phone numbers and e-mail addresses in one form each, so that the same customer is found again."""

import re
import unicodedata

import phonenumbers

_KOREAN_MOBILE = re.compile(r"\+82(?!10)|\+8210\d{8}$")  # the library also takes 010 with seven digits


def phone(text: str, country: str = "KR") -> str:
    """E.164, e.g. `+821012345678`. Raises ValueError for what is no number that can be called."""
    written = unicodedata.normalize("NFKC", text).strip()
    try:
        number = phonenumbers.parse(written, country)
    except phonenumbers.NumberParseException:
        raise ValueError("is no phone number; write it like 010-1234-5678") from None
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not phonenumbers.is_valid_number(number) or (plain.startswith("+82") and not _KOREAN_MOBILE.match(plain)):
        raise ValueError("is no phone number; write it like 010-1234-5678")
    return plain


def email(text: str) -> str:
    """Lower case, the domain in ASCII. Raises ValueError for what is no address."""
    written = unicodedata.normalize("NFKC", text).strip()
    name, at, domain = written.rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        domain = ""
    if not at or not name or "." not in domain or re.search(r'[\s<>,;:"()\[\]\\@]', name):
        raise ValueError("is no e-mail address; write it like name@example.com")
    return f"{name.casefold()}@{domain}"


def sought(kind: str, value: str) -> str:
    """How it is looked for: a number backwards, as people know its end; words without case and spaces."""
    if kind == "phone":
        return value[::-1]
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", value)).casefold()
