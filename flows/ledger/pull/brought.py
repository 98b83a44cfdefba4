"""What a pull brought, in words: counts first, then what is missing and why. At most twelve lines."""

from collections.abc import Iterator, Mapping
from datetime import date

from flows.ledger.pull.planning import runs
from flows.ledger.pull.summary import Summary
from flows.playbook.model import Book

MOST_LINES = 12
_NAMED = 3  # metrics or days in one line
_WORDS: Mapping[str, Mapping[str, str]] = {
    "ko": {
        "counts": "새 숫자 {kept}, 바뀐 숫자 {restated}, 없는 숫자 {missing}",
        "failed": "가져오지 못함: {source} ({metrics}, {days}): {reason}",
        "typed": "아직 적지 않음: {metrics}",
        "absent": "출처에 숫자가 없음: {metrics} {days}",
        "beside": "사람이 고친 값과 다르게 온 숫자 {beside}",
        "left": "묻다 만 것 {left}: 다음에 이어서 묻습니다",
        "room": "표로 넘기지 못한 오래된 숫자 {left}: digilog metrics --csv 에는 모두 있습니다",
        "more": "외 {}", "and": "그 밖에 {}",
    },
    "en": {
        "counts": "{kept} new numbers, {restated} restated, {missing} missing",
        "counts_1": "1 new number, {restated} restated, {missing} missing",
        "failed": "not brought: {source} ({metrics}, {days}): {reason}",
        "typed": "not typed yet: {metrics}",
        "absent": "no number at the source: {metrics} {days}",
        "beside": "{beside} numbers differ from what a person corrected",
        "beside_1": "1 number differs from what a person corrected",
        "left": "{left} questions are left; the next pull asks them",
        "left_1": "1 question is left; the next pull asks it",
        "room": "{left} older numbers had no room among the rows for a sheet; digilog metrics --csv has all",
        "more": "and {} more", "and": "and {} more of these",
    },
}  # fmt: skip


def lines(book: Book, summary: Summary, language: str = "") -> list[str]:
    """The summary as lines of the company's language, or of another."""
    words = _WORDS[language or book.company.language]
    counts = {"kept": summary.kept, "restated": summary.restated, "missing": summary.missing}
    told = [_of(words, "counts", summary.kept).format(**counts), *_told(book, summary, words)]
    over = len(told) - MOST_LINES
    return [*told[: MOST_LINES - 1], words["and"].format(over + 1)] if over > 0 else told


def without_room(book: Book, left: int) -> list[str]:
    """A line about numbers that a sheet will not have, if there are any."""
    return [_WORDS[book.company.language]["room"].format(left=left)] if left else []


def _of(words: Mapping[str, str], key: str, number: int) -> str:
    """The sentence for so many; one has its own where the language has one."""
    return words.get(f"{key}_{number}", words[key])


def _told(book: Book, summary: Summary, words: Mapping[str, str]) -> Iterator[str]:
    reasons: dict[tuple[str, str], tuple[set[str], list[date]]] = {}
    for one in summary.failed:
        metrics, on = reasons.setdefault((one.part.source, one.reason), (set(), []))
        metrics.update(one.part.metrics)
        on += [one.part.since, one.part.until]
    for (source, reason), (metrics, on) in reasons.items():
        between = _days([min(on), max(on)])
        yield words["failed"].format(source=source, metrics=_labels(book, metrics, words), days=between, reason=reason)
    if summary.typed:
        yield words["typed"].format(metrics=_labels(book, summary.typed, words))
    for name, on in summary.absent.items():
        yield words["absent"].format(metrics=_labels(book, [name], words), days=_named(on, words))
    if summary.beside:
        yield _of(words, "beside", summary.beside).format(beside=summary.beside)
    if summary.left:
        yield _of(words, "left", summary.left).format(left=summary.left)


def _labels(book: Book, names: set[str] | list[str], words: Mapping[str, str]) -> str:
    known = [name for name in book.metrics.metrics if name in names]
    told = ", ".join(book.metrics.metrics[name].label for name in known[:_NAMED])
    return f"{told} {words['more'].format(len(known) - _NAMED)}" if len(known) > _NAMED else told


def _named(on: set[date] | list[date], words: Mapping[str, str]) -> str:
    """Days as they follow each other, the newest first."""
    found = list(runs(on, len(set(on))))
    told = ", ".join(_days([first, last]) for first, last in found[:_NAMED])
    return f"{told} {words['more'].format(len(found) - _NAMED)}" if len(found) > _NAMED else told


def _days(on: list[date]) -> str:
    first, last = min(on), max(on)
    if first == last:
        return f"{first:%m-%d}"
    return f"{first:%m-%d} ~ {last:%m-%d}" if first.year == last.year else f"{first} ~ {last}"
