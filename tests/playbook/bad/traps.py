"""Traps that no rule grows: bombs, letters of other tables, later words, circles, and what a hurried hand writes."""

from collections.abc import Iterator
from pathlib import Path

from flows.playbook.schema import NOT_YET
from tests.playbook.bad.corpus import COMPANY, Bad

TRIAL = "trial-booking.yaml"
_TEXT = (COMPANY / TRIAL).read_text()
_DEEP = 10_000

BOMBS: dict[str, bytes] = {
    "ten thousand brackets": b"a: " + b"[" * _DEEP + b"]" * _DEEP,
    "ten thousand braces": b"a: " + b"{a: " * _DEEP + b"}" * _DEEP,
    "ten thousand dashes": b"- " * _DEEP + b"x",
    "ten thousand questions": b"? " * _DEEP + b"x",
    "ten thousand steps inward": b"".join(b" " * one + b"a:\n" for one in range(700)),
    "brackets over lines": b"a: " + b"[\n " * _DEEP,
    "quotes that never close": b"a: '" + b"''" * 100_000,
    "double quotes that never close": b'a: "' + b"\\n" * 100_000,
    "a billion laughs": b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (i, i, i, i) for i in range(98, 121)),
    "merges in a row": b"a: &a {x: 1}\nb: {<<: *a}\n",
    "a hundred thousand names": b"".join(b"k%d: v\n" % one for one in range(30_000))[:260_000],
    "one name a hundred thousand times": b"k: v\n" * 50_000,
    "a long line": b"a: " + b"x" * 260_000,
    "a long name": b"x" * 260_000 + b": a",
    "too large": b"# x\n" * 100_000,
    "only colons": b": " * 100_000,
    "only commas": b"a: [" + b"," * 200_000 + b"]",
    "only line ends": b"\n" * 260_000,
    "only blanks": b" " * 260_000,
    "only hashes": b"#" * 260_000,
    "text that never ends": b"a: |\n" + b" x\n" * 80_000 + b"b: [",
    "a name of braces": b"{" * 15 + b"a" + b"}" * 15 + b": b",
    "tags in a row": b"a: " + b"!!x " * 50_000,
    "directives": b"%YAML 9.9\n" * 20_000 + b"---\na: b\n",
    "documents": b"---\na: b\n" * 20_000,
    "numbers": b"a: " + b"9" * 200_000,
    "half letters": b"a: \xea\xb0" * 10_000,
    "zeros": b"\x00" * 1_000,
    "a program": b"!!python/object/apply:os.system ['touch canary']",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40,
    "a page": "<!doctype html><title>로그인</title>".encode(),
    "a letter": "안녕하세요, 체험수업을 신청합니다.".encode(),
    "nothing": b"",
    "a list of nothing": b"- \n- \n",
    "a quotation mark": b"'",
}  # fmt: skip

# what stands there, what is written instead, and a piece of the sentence that must name that line
CHANGED: tuple[tuple[str, str, str], ...] = (
    # comma traps between braces
    ("label: 이름}", "label: 이름, 성}", "the comma before '성' divides the value"),
    ("label: 오셨나요}", "label: 네, 아니요}", "the comma before '아니요' divides the value"),
    ("do: 전화로 확정을 알린다}", "do: 전화로, 바로 알린다}", "the comma before '바로 알린다' divides"),
    ("kind: visit_trial, note:", "kind: visit, trial, note:", "divides the value"),
    ('"{{ name }}", 지점', "{{ name }}, 지점", "written in quotes"),
    ("s1: 검색이나", "s1: 검색: 이나", "a colon with a blank behind it"),
    # signs that cut a value
    ("title: 체험수업", "title: #1 체험수업", "what follows # is a comment"),
    ("do: 거래장부에 신청", "do: 신청: 거래장부에", "a colon with a blank behind it"),
    ("purpose: 체험수업을", "purpose: *체험*수업을", "* at the beginning"),
    ("purpose: 체험수업을", "purpose: &체험수업을", "& at the beginning"),
    ("purpose: 체험수업을", "purpose: !체험수업을", "! at the beginning"),
    ("purpose: 체험수업을", "purpose: '체험'수업을", ""),
    ("purpose: 체험수업을", "purpose: - 체험수업을", "a - cannot stand here"),
    ("purpose: 체험수업을", "purpose: > 체험수업을", "begins on the next line"),
    # phone numbers and times
    ("by_hand: 3m", "by_hand: 00:03", "is no"),
    ("by_hand: 3m", "by_hand: 3분", "is no"),
    ("by_hand: 3m", "by_hand: -3m", "is no"),
    ("by_hand: 3m", "by_hand: 3 m 3", "is no"),
    ("remind: 15m", "remind: 15", "is no"),
    ("due: 1 business hour", "due: 1 bussiness hour", "is no"),
    ("due: 1 business hour", "due: 한 시간", "is no"),
    ("due: 1 business hour", "due: 25:00", "is no"),
    ("due: 1 business hour", "due: today 24:60", "is no"),
    ("due: 1 business hour", "due: 99999999999999999999d", ""),
    ("between: 09:00-21:00", "between: 21:00-21:00", ""),
    ("between: 09:00-21:00", "between: 9-21", "is no"),
    ("silent_after: 7d", "silent_after: a week", "is no"),
    ("on: 2026-11-15", "on: 2026-02-30", "is no date"),
    ("on: 2026-11-15", "on: 15.11.2026", "is no date"),
    ("revision: 2", "revision: two", "a whole number"),
    ("required: no}", "required: maybe}", "yes or no"),
    # names that come later, or never
    ("wait: assign.class_at - 20h", "wait: attend.class_at - 20h", "attend"),
    ("valid_for: assign.class_at", "valid_for: nobody.class_at", "nobody"),
    ("who: assign.instructor", "who: attend.attended", "attend"),
    ("when: not attend.attended", "when: not came.attended", "came"),
    ("when: not attend.attended", "when: attend.attended == 'x'", ""),
    ("when: not attend.attended", "when: attend.memo > 3", ""),
    ("when: not attend.attended", "when: attend.attended =! yes", ""),
    ("when: not attend.attended", "when: attend..attended", ""),
    ("when: not attend.attended", "when: import os", ""),
    ('"{{ channel }}"', '"{{ chanel }}"', "did you mean channel?"),
    ('"{{ channel }}"', '"{{ attend.memo }}"', "attend"),
    ('"{{ channel }}"', '"{{ channel | uper }}"', ""),
    ('"{{ channel }}"', '"{{ channel"', ""),
    ("serves: [s1]", "serves: [s9]", "s9 is no line of the scenario"),
    ("case: phone", "case: news", ""),
    ("case: phone", "case: phon", "did you mean phone?"),
    ("owner: manager", "owner: yoon", "is no role"),
    ("role: instructor, label", "role: instructer, label", "did you mean instructor?"),
    ("type: phone,", "type: telephone,", "not one of the words"),
    ("use: ledger.record", "use: ledger.eval", "no such action"),
    ("use: ledger.record", "use: ledger.__class__", ""),
    ("use: ledger.record", "use: os.system", "is no connection"),
    ("use: roster.upsert_row", "use: rooster.upsert_row", "did you mean roster?"),
    ("  - id: assign", "  - id: log", "is a name twice"),
    ("  - id: assign", "  - id: case", "is a word of the language"),
    ("  - id: assign", "  - id: 배정", "is no name"),
    ("  - id: assign", "  - id: Assign", "is no name"),
)


def traps() -> Iterator[Bad]:
    for name, raw in BOMBS.items():
        for file in (TRIAL, "company.yaml", "messages.yaml"):
            yield Bad(f"{name} as {file}", file, raw)
    for old, new, says in CHANGED:
        assert old in _TEXT, old
        raw = _TEXT.replace(old, new, 1)
        begin = next(place for place, (one, other) in enumerate(zip(_TEXT, raw, strict=False)) if one != other)
        yield Bad(f"{old} > {new}", TRIAL, raw.encode(), raw[:begin].count("\n") + 1, 0, says)
    yield from _later_words()
    yield from _breaks()


_AT = {"Playbook": "overlap: single", "Start": "connection: trial-form", "Step": "do: 거래장부에 신청을 적는다",
       "Stop": "outcome: lost", "FormField": "label: 이름"}  # fmt: skip


def _later_words() -> Iterator[Bad]:
    """Words that a later digilog brings, each where it would stand; and playbooks that start each other."""
    for owner, word in sorted(NOT_YET):
        if owner not in _AT:
            continue
        old = _AT[owner]
        inside = owner in {"Start", "Stop", "FormField"}
        at = _TEXT.index(old)
        indent = " " * (at - _TEXT.rindex("\n", 0, at) - 1)
        new = f"{word}: x, {old}" if inside else f"{word}: x\n{indent}{old}"
        line = _TEXT[:at].count("\n") + 1
        yield Bad(f"later {owner}.{word}", TRIAL, _TEXT.replace(old, new, 1).encode(), line, len(indent) + 1, word)
    for other in ("trial-booking", "daily-metrics", "nowhere"):
        start = f"start: {{step: {other}.log}}"
        raw = _TEXT.replace("start: {event: form.submitted, connection: trial-form}", start).encode()
        yield Bad(f"starts {other}", TRIAL, raw, 14, 15)


def _breaks() -> Iterator[Bad]:
    """A file torn off at each of many places, or put together wrongly."""
    for at in range(40, len(_TEXT) - 40, 97):
        torn = _TEXT[:at].rstrip("\n")
        if torn.count("steps:") and torn.endswith(("적혀 있다", "한다", "받는다")):
            continue
        yield Bad(f"torn at {at}", TRIAL, (torn + "\n: {").encode())
    other = (COMPANY / "company.yaml").read_text()
    yield Bad("two files in one", TRIAL, (_TEXT + other).encode())
    yield Bad("twice the same", TRIAL, (_TEXT + _TEXT).encode())
    yield Bad("another file's words", TRIAL, other.encode())
    yield Bad("the playbook as company", "company.yaml", _TEXT.encode())
    yield Bad("marks of a conflict", TRIAL, ("<<<<<<< HEAD\n" + _TEXT + ">>>>>>> x\n").encode())
    yield Bad("a fence around", TRIAL, f"```yaml\n{_TEXT}```\n".encode())
    yield Bad("typographic quotes", TRIAL, _TEXT.replace('"', "\N{LEFT DOUBLE QUOTATION MARK}").encode())
    yield Bad("wide colons", TRIAL, _TEXT.replace(": ", "\N{FULLWIDTH COLON} ").encode())
    yield Bad("hard blanks", TRIAL, _TEXT.replace("  ", "\N{NO-BREAK SPACE} ").encode())
    yield Bad("wide blanks", TRIAL, _TEXT.replace("  ", "\N{IDEOGRAPHIC SPACE}").encode())
    for name in sorted(path.name for path in Path(COMPANY).glob("*.yaml")):
        yield Bad(f"no rights to {name}", name, b"\xff\xfe\x00")
