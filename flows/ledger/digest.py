"""The morning's digest: at most ten lines of yesterday's numbers, the worst news first, in the company's language."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from rich.cells import cell_len

from flows.ledger.alerts import told
from flows.ledger.alerts.judge import Facts, Finding, due_at, judge, lags
from flows.ledger.pictures.numbers import change
from flows.playbook.wording import said_date

MOST_LINES = 10
_BAD, _TARGETS = 5, 2  # lines at most
_WIDTH = 64  # columns of a line with several numbers; a Korean letter has two
_NAMED = 4  # metrics in a sentence
_WORDS: Mapping[str, Mapping[str, str]] = {
    "ko": {
        "subject": "{company} {day} 숫자: {news}", "well": "이상 없음",
        "all_there": "모든 숫자가 들어왔습니다.", "nothing": "metrics.yaml에 지표가 없습니다.",
        "failing": "가져오지 못함: {metrics} ({source}: {reason})", "missing": "빠짐: {metrics}",
        "unusual": "평소와 다름: {said}", "zero": "0이 이어짐: {said}",
        "restated": "바뀜: {said}", "behind": "뒤처짐: {said}",
        "waiting": "아직 적지 않음: {metrics}",
        "and": "그 밖에 {}건", "more": "{} 외 {}개", "rest": "외 {}개",
        "head": "{day}, 괄호는 지난주 같은 요일과 견줌{star}:", "star": ", *는 아직 바뀔 수 있음",
        "target": "{label} {value} / {wanted}", "limit": "{label} {value} (한도 {wanted})", "targets": "목표: ",
        "n_failing": "못 가져옴 {}", "n_missing": "빠짐 {}", "n_unusual": "평소와 다름 {}", "n_zero": "0이 이어짐 {}",
        "n_behind": "뒤처짐 {}", "n_restated": "바뀜 {}",
    },
    "en": {
        "subject": "{company}, numbers of {day}: {news}", "well": "all well",
        "all_there": "All numbers are there.", "nothing": "There are no metrics in metrics.yaml.",
        "failing": "Not brought: {metrics} ({source}: {reason})", "missing": "Missing: {metrics}",
        "unusual": "Unusual: {said}", "zero": "Stuck: {said}",
        "restated": "Restated: {said}", "behind": "Behind: {said}",
        "waiting": "Not typed yet: {metrics}",
        "and": "And {} more", "more": "{} and {} more", "rest": "and {} more",
        "head": "{day}, compared with the same day a week before{star}:", "star": ", * may still change",
        "target": "{label} {value} / {wanted}", "limit": "{label} {value} (at most {wanted})", "targets": "Targets: ",
        "n_failing": "{} not brought", "n_missing": "{} missing", "n_unusual": "{} unusual",
        "n_zero": "{} stuck at zero", "n_behind": "{} behind", "n_restated": "{} restated",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Digest:
    """What is sent: one subject line, and at most `MOST_LINES` lines."""

    subject: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _News:
    """Bad news: its kind, its line, and how many things it is about."""

    kind: str
    line: str
    count: int = 1


def digest(facts: Facts) -> Digest:
    """The digest of the day before. `facts` are of all metrics and targets."""
    words, yesterday = _words(facts), facts.today - timedelta(days=1)
    day = said_date(yesterday, facts.book.company.format)
    news = [*_news(facts, yesterday)]
    counts = Counter[str]()
    for one in news:
        counts[one.kind] += one.count
    said = ", ".join(words[f"n_{kind}"].format(count) for kind, count in counts.items()) or words["well"]
    subject = words["subject"].format(company=facts.book.company.name, day=day, news=said)
    if not facts.book.metrics.metrics:
        return Digest(subject, (words["nothing"],))
    first = [*_bad(facts, news), *_waiting(facts, yesterday)] or [words["all_there"]]
    targets = _packed(words, [*_targets(facts)], _TARGETS, words["targets"])
    numbers = [*_numbers(facts, yesterday)]
    star = words["star"] if any("*" in one for one in numbers) else ""
    shown = _packed(words, numbers, MOST_LINES - 1 - len(first) - len(targets))
    head = [words["head"].format(day=day, star=star)] if shown else []
    return Digest(subject, (*first, *head, *shown, *targets))


def _bad(facts: Facts, news: list[_News]) -> list[str]:
    if len(news) <= _BAD:
        return [one.line for one in news]
    left = sum(one.count for one in news[_BAD - 1 :])
    return [*(one.line for one in news[: _BAD - 1]), _words(facts)["and"].format(left)]


def _waiting(facts: Facts, yesterday: date) -> Iterator[str]:
    """What a person may still type in time is not missing."""
    found = facts.book.metrics.metrics
    if labels := [found[name].label for name in found if _lacks(facts, name, yesterday) == "waits"]:
        yield _words(facts)["waiting"].format(metrics=_named(facts, labels))


def _words(facts: Facts) -> Mapping[str, str]:
    return _WORDS[facts.book.company.language]


def _news(facts: Facts, yesterday: date) -> Iterator[_News]:
    """The worst first. What was said on another morning is not said again."""
    words, found = _words(facts), facts.book.metrics.metrics
    failing = {one.source: one for one in facts.failures}
    for source, failure in failing.items():
        theirs = [metric.label for metric in found.values() if metric.source.use == source]
        line = words["failing"].format(metrics=_named(facts, theirs), source=source, reason=failure.reason)
        yield _News("failing", line)
    lacking = [name for name in found if _lacks(facts, name, yesterday) == "missing"]
    lacking = [name for name in lacking if found[name].source.use not in failing]
    if lacking:
        labels = [found[name].label for name in lacking]
        yield _News("missing", words["missing"].format(metrics=_named(facts, labels)), len(lacking))
    recent = tuple(one for one in facts.changes if facts.now - one.at < timedelta(days=1))
    for one in judge(replace(facts, changes=recent)):
        if one.kind in {"zero", "restated", "behind"} or (one.kind == "unusual" and _is_fresh(facts, one)):
            yield _News(one.kind, words[one.kind].format(said=told.sentence(facts.book, one)))


def _lacks(facts: Facts, name: str, day: date) -> Literal["", "waits", "missing"]:
    """Whether a day's number should be there and is not."""
    if facts.cell(name, day).status != "missing" or day < facts.begin(name):
        return ""
    by_hand = facts.book.metrics.metrics[name].source.by
    due = due_at(facts.book, name, day) if by_hand else None
    return "waits" if due and due > facts.now else "missing"


def _is_fresh(facts: Facts, finding: Finding) -> bool:
    """Yesterday's, or a day that became final today."""
    settles = facts.book.metrics.metrics[finding.subject].settle_days
    return facts.today - finding.days[-1] in {timedelta(days=1), timedelta(days=settles + 1)}


def _named(facts: Facts, labels: list[str]) -> str:
    said = ", ".join(labels[:_NAMED])
    return _words(facts)["more"].format(said, len(labels) - _NAMED) if len(labels) > _NAMED else said


def _numbers(facts: Facts, yesterday: date) -> Iterator[str]:
    """`체험 신청 3 (+50%)`, with a star where it may still change."""
    for name, metric in facts.book.metrics.metrics.items():
        cell = facts.cell(name, yesterday)
        if cell.value is not None:
            moved = change(cell.value, facts.cell(name, yesterday - timedelta(weeks=1)).value)
            value = told.said_value(facts.book, name, cell.value) + ("*" if cell.provisional else "")
            yield f"{metric.label} {value}" + (f" ({moved})" if moved else "")


def _targets(facts: Facts) -> Iterator[str]:
    """Where each target stands, but for those that are told of as news."""
    words, alerts = _words(facts), facts.book.metrics.alerts
    for target, pace in facts.paces:
        told_of = target.metric in alerts and alerts[target.metric].behind and lags(target, pace)
        if pace.value is not None and not told_of:
            value, wanted = (told.said_value(facts.book, target.metric, one) for one in (pace.value, pace.wanted))
            said = words["target" if target.direction == "at_least" else "limit"]
            yield said.format(label=told.label(facts.book, target.metric), value=value, wanted=wanted)


def _packed(words: Mapping[str, str], pieces: list[str], most: int, begin: str = "") -> list[str]:
    """Pieces side by side, in at most so many lines; the last line says how many are left out."""
    lines: list[str] = []
    for number, piece in enumerate(pieces):
        if lines and cell_len(lines[-1]) + cell_len(piece) + 3 <= _WIDTH:
            lines[-1] += f" · {piece}"
        elif len(lines) < most:
            lines.append(piece if lines else begin + piece)
        else:
            lines[-1] += f" · {words['rest'].format(len(pieces) - number)}"
            break
    return lines
