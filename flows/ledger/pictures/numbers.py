"""How numbers of metrics are said: exactly with their unit, or briefly where there is room for few signs."""

from dataclasses import replace
from decimal import Decimal

from flows.ledger.pictures.words import words
from flows.playbook.wording import Format, said_money

_KOREAN = ((Decimal(10) ** 12, "조"), (Decimal(10) ** 8, "억"), (Decimal(10) ** 4, "만"))
_ENGLISH = ((Decimal(10) ** 9, "b"), (Decimal(10) ** 6, "m"), (Decimal(10) ** 4, "k"))
_PLAIN = frozenset({"count", "minutes", "ratio"})


def exact(value: Decimal, unit: str, form: Format) -> str:
    """All of a number, with its unit."""
    if unit == "ratio":
        return f"{value * 100:,.1f}".removesuffix(".0") + "%"
    if unit not in _PLAIN:
        return said_money(value, replace(form, currency=unit))
    said = digits(value)
    return words(form.language)["minutes"].format(said) if unit == "minutes" else said


def brief(value: Decimal, unit: str, form: Format) -> str:
    """At most about six signs, without the unit: 1,204 · 31.2만 · 2.5k."""
    if unit == "ratio":
        return f"{value * 100:.0f}%"
    for size, sign in _KOREAN if form.language == "ko" else _ENGLISH:
        if abs(value) >= size:
            many = value / (1000 if sign == "k" else size)
            return (f"{many:,.0f}" if abs(many) >= 100 else f"{many:.1f}".removesuffix(".0")) + sign
    return digits(round(value, 1) if abs(value) >= 100 else round(value, 2))


def digits(value: Decimal) -> str:
    """Without zeros behind the point, and with commas: 1.10 is 1.1."""
    return f"{value.normalize():,f}"


def change(now: Decimal | None, before: Decimal | None) -> str:
    """By how much it grew or shrank, in percent; empty where that says nothing."""
    if now is None or before is None or before <= 0:
        return ""
    share = round((now - before) * 100 / before)
    return f"{share:+d}%".replace("-", "−") if share else "±0%"
