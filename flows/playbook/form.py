"""Answers of people and senders, typed by the fields that a playbook declares."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TypeVar
from zoneinfo import ZoneInfo

from flows.playbook import contact
from flows.playbook.model import Company, FormField

YES = {"yes", "y", "true", "on", "1", "예", "네", "동의", "동의합니다"}
NO = {"no", "n", "false", "off", "0", "아니오", "아니요", ""}
D = TypeVar("D", bound=date)
LONGEST = 10_000  # characters of one answer
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")  # stores or files refuse it
_DIGITS = 30  # before the point and behind it: written out, 1e999999999 fills the memory
_FIRST, _LAST = 1900, 2200  # years; further off, a change of zone or a day more leaves what a date can hold


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that cannot be taken: the field, and a sentence for the person who typed it."""

    field: str
    sentence: str


def typed(
    fields: Mapping[str, FormField], answers: Mapping[str, object], company: Company
) -> tuple[dict[str, object], list[Refusal]]:
    """Values by field name, and what is wrong. Answers are found by `from`, label, or the field's name.

    Moments come as company time and go out aware; phone numbers as E.164; a person as the id.
    """
    values: dict[str, object] = {}
    refused: list[Refusal] = []
    for name, field in fields.items():
        raw = _find(name, field, answers)
        try:
            value = _one(field, raw, company)
        except ValueError as error:
            refused.append(Refusal(name, f"{field.label or name}: {error}"))
            continue
        values[name] = value
    return values, refused + _unconsented(fields, values)


def _unconsented(fields: Mapping[str, FormField], values: Mapping[str, object]) -> list[Refusal]:
    """A consent that is required but was not given."""
    return [
        Refusal(name, f"{field.label or name}: needs your consent to go on")
        for name, field in fields.items()
        if field.type == "consent" and field.required and values.get(name) is False
    ]


def _find(name: str, field: FormField, answers: Mapping[str, object]) -> object:
    for key in (field.source, field.label, name):
        if key and key in answers:
            return answers[key]
    found: object = answers
    for part in (field.source or "").split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _one(field: FormField, raw: object, company: Company) -> object:
    if field.type == "consent":
        return _yes_no(raw if raw is not None else "no")
    raw = _NO_TEXT.sub("", raw) if isinstance(raw, str) else raw
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        if field.default is not None:
            raw = field.default
        elif field.required:
            raise ValueError("is missing")
        else:
            return None
    if isinstance(raw, bool) and field.type == "yesno":
        return raw
    if not isinstance(raw, str | int | float | Decimal) or isinstance(raw, bool):
        raise ValueError("is of a shape that cannot be read here")  # noqa: TRY004 - one error for all refusals
    text = str(raw).strip()
    if len(text) > LONGEST:
        raise ValueError(f"is longer than {LONGEST:,} characters")
    return _value(field, text, company)


def _value(field: FormField, text: str, company: Company) -> object:
    match field.type:
        case "phone":
            return contact.phone(text, company.country)
        case "email":
            return contact.email(text)
        case "yesno":
            return _yes_no(text)
        case "choice":
            return _choice(field.choices, text)
        case "person":
            return _person(field, text, company)
        case "integer" | "number" | "money":
            return _number(field, text)
        case "date" | "time" | "datetime":
            return _moment(field.type, text, company.zone)
        case _:
            return text


def _yes_no(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().casefold()
    if word in YES:
        return True
    if word in NO:
        return False
    raise ValueError("answer yes or no")


def _choice(choices: Mapping[str, str], text: str) -> str:
    for id, label in choices.items():
        if text in (id, label):
            return id
    raise ValueError("choose one of " + ", ".join(choices.values()))


def _person(field: FormField, text: str, company: Company) -> str:
    role = company.roles.get(field.role or "")
    for id in role.people if role else company.people:
        if text == id or (id in company.people and text == company.people[id].name):
            return id
    raise ValueError("choose one of " + ", ".join(role.people if role else company.people))


def _number(field: FormField, text: str) -> object:
    try:
        number = Decimal(text.replace(",", "").removesuffix("원").removesuffix("KRW").strip())
    except InvalidOperation:
        raise ValueError("is no number") from None
    if not number.is_finite() or (field.type == "integer" and number != number.to_integral_value()):
        raise ValueError("is no whole number" if field.type == "integer" else "is no number")
    if field.min is not None and number < field.min:
        raise ValueError(f"must be at least {field.min}")
    if field.max is not None and number > field.max:
        raise ValueError(f"must be at most {field.max}")
    if int(number.as_tuple().exponent) < -_DIGITS or number.adjusted() >= _DIGITS:
        raise ValueError("is no number")
    return int(number) if field.type == "integer" else number


def _moment(kind: str, text: str, zone: ZoneInfo) -> object:
    try:
        match kind:
            case "date":
                return _near(date.fromisoformat(text))
            case "time":
                return time.fromisoformat(text)
            case _:
                at = _near(datetime.fromisoformat(text))
    except ValueError:
        shape = {"date": "2026-11-28", "time": "10:00", "datetime": "2026-11-28 10:00"}[kind]
        raise ValueError(f"is no {kind}; write it like {shape}") from None
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _near(day: D) -> D:
    if not _FIRST <= day.year <= _LAST:
        raise ValueError
    return day
