"""How values are said to people: dates, money, phone numbers, in the company's language and zone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Literal

import phonenumbers

_KOREAN_DAYS = "월화수목금토일"
_ENGLISH_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ENGLISH_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIGNS = {"KRW": "₩", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_WHOLE = {"KRW", "JPY"}  # currencies without a smaller coin


@dataclass(frozen=True, slots=True)
class Format:
    """The company's way of saying values; datetimes are shown in `zone`."""

    zone: tzinfo
    language: Literal["ko", "en"] = "ko"
    currency: str = "KRW"
    country: str = "KR"


def plain(value: object, form: Format) -> str:
    """A value in the middle of a text, where no filter is named."""
    match value:
        case bool():
            return ("예" if value else "아니요") if form.language == "ko" else ("yes" if value else "no")
        case datetime():
            return said_datetime(value, form)
        case date():
            return said_date(value, form)
        case time():
            return f"{value:%H:%M}"
        case Decimal():
            return f"{value:f}"
        case list() | tuple():
            return ", ".join(plain(inner, form) for inner in value)
    return str(value)


def said_date(value: object, form: Format) -> str:
    day = _moment(value, form)
    if form.language == "ko":
        return f"{day.month}월 {day.day}일({_KOREAN_DAYS[day.weekday()]})"
    return f"{_ENGLISH_DAYS[day.weekday()]} {day.day} {_ENGLISH_MONTHS[day.month - 1]}"


def said_datetime(value: object, form: Format) -> str:
    return f"{said_date(value, form)} {said_time(value, form)}"


def said_time(value: object, form: Format) -> str:
    if isinstance(value, time):
        return f"{value:%H:%M}"
    moment = _moment(value, form)
    if not isinstance(moment, datetime):
        raise ValueError("a date without a time cannot be shown as a time")  # noqa: TRY004
    return f"{moment:%H:%M}"


def said_number(value: object, form: Format) -> str:  # noqa: ARG001 - all filters are called alike
    return f"{_number(value):,f}"


def said_money(value: object, form: Format) -> str:
    amount = _number(value)
    digits = f"{amount:,.0f}" if form.currency in _WHOLE and amount == amount.to_integral() else f"{amount:,.2f}"
    if form.language == "ko" and form.currency == "KRW":
        return f"{digits}원"
    sign = _SIGNS.get(form.currency, f"{form.currency} ")
    return f"-{sign}{digits[1:]}" if digits.startswith("-") else f"{sign}{digits}"


def said_phone(value: object, form: Format) -> str:
    """A number as it is dialled at home; what is no phone number stays as it is."""
    try:
        number = phonenumbers.parse(str(value), form.country)
    except phonenumbers.NumberParseException:
        return str(value)
    home = phonenumbers.region_code_for_country_code(number.country_code or 0) == form.country
    style = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, style)


def masked(value: object, form: Format) -> str:
    """김*나, 010-****-5678, k***@example.com."""
    words = plain(value, form)
    if "@" in words:
        name, _, domain = words.partition("@")
        return f"{name[:1]}***@{domain}"
    if sum(letter.isdigit() for letter in words) >= 7:
        pieces = said_phone(words, form).split("-")
        if len(pieces) == 3:
            return f"{pieces[0]}-{'*' * len(pieces[1])}-{pieces[2]}"
        return "*" * (len(words) - 4) + words[-4:]
    if len(words) <= 2:
        return words[:1] + "*"
    return words[0] + "*" * (len(words) - 2) + words[-1]


def _moment(value: object, form: Format) -> date:
    if isinstance(value, str):
        value = _read(value)
    match value:
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=form.zone)).astimezone(form.zone)
        case date():
            return value
    raise ValueError("only a date can be shown as a date")


def _read(value: str) -> date:
    try:
        return datetime.fromisoformat(value) if len(value) > len("2026-11-21") else date.fromisoformat(value)
    except ValueError:
        raise ValueError("a text that is no date cannot be shown as a date") from None


def _number(value: object) -> Decimal:
    if isinstance(value, bool):
        raise ValueError("yes or no cannot be shown as a number")  # noqa: TRY004
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("a text that is no number cannot be shown as a number") from None
    if not number.is_finite():
        raise ValueError("only a finite number can be shown")
    return number


FILTERS: Mapping[str, Callable[[object, Format], str]] = {
    "date": said_date,
    "time": said_time,
    "datetime": said_datetime,
    "number": said_number,
    "money": said_money,
    "phone": said_phone,
    "masked": masked,
}
