"""Findings and numbers in words, in the company's language: for assignments, notices and the digest."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from flows.ledger.alerts.judge import Finding
from flows.ledger.pictures.numbers import exact
from flows.playbook.model import Book
from flows.playbook.wording import Format, said_date, said_money

_DAYS = 3  # named in a sentence
_WORDS: Mapping[str, Mapping[str, str]] = {
    "ko": {
        "failing": "{label}: {count}일째 숫자를 가져오지 못합니다 ({reason})",
        "missing": "{label}: {days} 숫자가 없습니다",
        "unusual": "{label}: {days} {value}, 평소 {usual} ({low} ~ {high})",
        "zero": "{label}: {first}부터 {count}일째 0입니다",
        "behind": "{label}: {value}, 오늘까지 {by_now}, 목표 {wanted}",
        "restated": "{label}: {first} 숫자가 {before}에서 {after}(으)로 바뀌었습니다{others}",
        "others": " (외 {}일)",
        "days": "날짜", "value": "값", "usual": "평소", "low": "낮아도", "high": "높아도", "weeks": "견준 주",
        "by_now": "오늘까지", "wanted": "목표", "before": "전", "after": "후", "reason": "까닭",
        "more": "{} 외 {}일",
        "unasked": "metrics.yaml에서 더는 묻지 않습니다",
        "over_failing": "다시 가져옵니다", "over_missing": "지난 한 주에 빠진 숫자가 없습니다",
        "over_unusual": "지난 한 주에 평소와 다른 숫자가 없습니다", "over_zero": "더는 0이 아닙니다",
        "over_behind": "더는 뒤처지지 않았습니다", "over_restated": "지난 한 주에 바뀐 숫자가 없습니다",
    },
    "en": {
        "failing": "{label}: no numbers on {count} days in a row ({reason})",
        "missing": "{label}: no number of {days}",
        "unusual": "{label}: {value} on {days}, usually {usual} ({low} to {high})",
        "zero": "{label}: zero for {count} days, since {first}",
        "behind": "{label}: {value}, should be {by_now} by now, target {wanted}",
        "restated": "{label}: the number of {first} was {before} and is {after}{others}",
        "others": " (and {} other days)",
        "days": "days", "value": "value", "usual": "usually", "low": "at least", "high": "at most",
        "weeks": "weeks compared", "by_now": "by now", "wanted": "target", "before": "before", "after": "after",
        "reason": "why",
        "more": "{} and {} other days",
        "unasked": "metrics.yaml does not ask for it any more",
        "over_failing": "it gives numbers again", "over_missing": "no number of the last week is missing",
        "over_unusual": "no number of the last week is unusual", "over_zero": "it is not zero any more",
        "over_behind": "it is not behind any more", "over_restated": "no number was restated within a week",
    },
}  # fmt: skip


def sentence(book: Book, finding: Finding) -> str:
    """One line: what is the matter, with its numbers."""
    words, form = _WORDS[book.company.language], book.company.format
    numbers = {name: said_value(book, finding.subject, value) for name, value in finding.numbers.items()}
    others = words["others"].format(len(finding.days) - 1) if len(finding.days) > 1 else ""
    return words[finding.kind].format(
        label=label(book, finding.subject), days=_said_days(book, finding.days), count=len(finding.days),
        first=said_date(finding.days[0], form) if finding.days else "", reason=finding.reason, others=others, **numbers,
    )  # fmt: skip


def facts(book: Book, finding: Finding) -> tuple[tuple[str, str], ...]:
    """The evidence in pairs of a label and a value."""
    words, form = _WORDS[book.company.language], book.company.format
    told = [(words["days"], ", ".join(said_date(day, form) for day in finding.days))] if finding.days else []
    for name, value in finding.numbers.items():
        told.append((words[name], str(value) if name == "weeks" else said_value(book, finding.subject, value)))
    return tuple([*told, (words["reason"], finding.reason)] if finding.reason else told)


def over(book: Book, finding: Finding) -> str:
    """What the assignment's last line says when it is over by itself."""
    asked = finding.kind == "failing" or finding.subject in book.metrics.alerts
    return _WORDS[book.company.language][f"over_{finding.kind}" if asked else "unasked"]


def label(book: Book, subject: str) -> str:
    """A metric's or ratio's label; a source's own name."""
    found = book.metrics.metrics.get(subject) or book.metrics.ratios.get(subject)
    return (found.label if found else "") or subject


def said_value(book: Book, subject: str, value: Decimal) -> str:
    """A number with its unit: 45,000원, 12분, 80%, 1,234. A ratio of two of one unit is a percentage."""
    form, found = book.company.format, book.metrics
    unit = found.metrics[subject].unit if subject in found.metrics else "count"
    if ratio := found.ratios.get(subject):
        above, below = found.metrics[ratio.of].unit, found.metrics[ratio.by].unit
        unit = "ratio" if above == below else above
    return exact(_rounded(value, unit, form), unit, form)


def _rounded(value: Decimal, unit: str, form: Format) -> Decimal:
    """A median or a pace has more places than its metric."""
    places = {"count": "0.01", "minutes": "1", "ratio": "0.001"}.get(unit)
    if places is None:  # a currency; some have no smaller coin
        places = "1" if "." not in said_money(Decimal(), replace(form, currency=unit)) else "0.01"
    return value.quantize(Decimal(places), ROUND_HALF_UP)


def _said_days(book: Book, days: tuple[date, ...]) -> str:
    named = ", ".join(said_date(day, book.company.format) for day in days[:_DAYS])
    more = _WORDS[book.company.language]["more"]
    return more.format(named, len(days) - _DAYS) if len(days) > _DAYS else named


def dump(finding: Finding) -> str:
    """A finding as the table `alert` keeps it: numbers and days, exact."""
    numbers = {name: format(value, "f") for name, value in finding.numbers.items()}
    days = [day.isoformat() for day in finding.days]
    kept = {
        "subject": finding.subject,
        "kind": finding.kind,
        "days": days,
        "numbers": numbers,
        "reason": finding.reason,
    }
    return json.dumps(kept, ensure_ascii=False)


def load(evidence: str) -> Finding:
    kept = json.loads(evidence)
    numbers = {name: Decimal(value) for name, value in kept["numbers"].items()}
    days = tuple(date.fromisoformat(day) for day in kept["days"])
    return Finding(kept["subject"], kept["kind"], days, numbers, kept["reason"])
