"""What the sweep says in the end: a table by process and call, the load, and each thing that is wrong."""

from collections.abc import Iterable, Sequence

from tests.sweep.killed import Result

_HEAD = ("process", "killed at", "points", "died there", "in doubt", "lost", "twice", "otherwise wrong")
_MOST = 20  # faults that are told in full


def table(results: Iterable[Result]) -> list[str]:
    """A line for each process and call, and one for all."""
    rows: dict[tuple[str, str], list[int]] = {}
    for one in results:
        call = f"{one.point.call}{', answers lost' if one.point.unanswered else ''}"
        found = (1, one.died, bool(one.outcome.doubts), *map(bool, _wrong(one)))
        for key in ((one.point.part, call), ("all", "")):
            rows[key] = [old + new for old, new in zip(rows.get(key, [0] * 6), found, strict=True)]
    lines = [_HEAD, *((*key, *map(str, rows[key])) for key in sorted(rows, key=lambda key: (key[0] == "all", key)))]
    widths = [max(len(line[at]) for line in lines) for at in range(len(_HEAD))]
    return ["  ".join(_padded(line, widths)) for line in lines]


def _wrong(one: Result) -> tuple[list[str], list[str], list[str]]:
    return one.outcome.lost, one.outcome.twice, one.outcome.other


def _padded(line: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    for at, (word, width) in enumerate(zip(line, widths, strict=True)):
        yield word.ljust(width) if at < 2 else word.rjust(width)


def faults(wrong: Sequence[str]) -> list[str]:
    """Each thing that is wrong; of very many the first ones."""
    more = [f"... and {len(wrong) - _MOST} more"] if len(wrong) > _MOST else []
    return [f"FAIL {one}" for one in wrong[:_MOST]] + more
