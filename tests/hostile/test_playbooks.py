"""A careless owner and a hostile one: whatever stands in the files, `check` answers with places and sentences."""

import os
import random
import shutil
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from flows.playbook.check import Checked, check
from flows.playbook.expression import Expression, Type
from flows.playbook.text import Text

COMPANIES = (Path(__file__).parents[2] / "playbooks", Path(__file__).parents[1] / "playbook" / "company")
ROUNDS = int(os.environ.get("DIGILOG_SOAK", "300"))  # mutated companies; the soak takes 5,000
CHUNKS = 6
SECOND = 1.0  # of this process's own time, for one check
MACHINERY = (
    "scalar", "mapping", "token", "NoneType", "pydantic", "Input should", "Traceback", "ruamel", "jinja",
    "rule_engine", "__", "dict", "object at", "Error",
)  # fmt: skip


@pytest.fixture(scope="module", params=COMPANIES, ids=["example", "test"])
def files(request: pytest.FixtureRequest) -> dict[str, str]:
    """The files of a company that checks clean, by name."""
    folder: Path = request.param
    found = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in sorted(folder.rglob("*.yaml"))}
    assert len(found) > 5
    return found


def _written(folder: Path, files: dict[str, str], **changed: bytes) -> Path:
    """The company in a folder, with some of its files otherwise."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(changed.get(name, text.encode()))
    return folder


def _judged(folder: Path) -> Checked:
    """What check says: problems or a book, in time, in people's words, each at a place that exists."""
    begin = time.process_time()
    checked = check(folder)
    spent = time.process_time() - begin
    assert bool(checked.problems) is (checked.book is None)
    assert spent <= SECOND, f"{spent:.2f} s"
    for problem in checked.problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert "\n" not in problem.message
        assert len(problem.message) < 600, problem.message[:200]
    return checked


WORDS = (
    "null", "~", "{}", "[]", "''", "- x", "{{ name }}", "'{{ name }}'", "yes", "1e999", "-1", "0", "9" * 400, "nan",
    "0x1f", "2026-02-30", "25:99", "'#{x}'", "&a", "*a", "!!python/name:os.system", "<<: {}", "|", ">", "%", "@", "`",
    "'", '"', "{", "}", "[", "]", ",", ":", "#", "\\", "\t", "\r", "\x00", "\ufeff", "\u202e", "가" * 300, "a.b.c.d",
    "{a: b}", "[a, b]", "x: y", "- - -", "? x", "__class__", "'{{ x.__class__.__mro__ }}'", "name + ", "1h 1h",
    "99999999999999d", "-5m", "P1D", "form.submitted", "ledger.record", "team.notify", "self", "today",
)  # fmt: skip


def _line(text: str, chance: random.Random, do: Callable[[list[str], int], None]) -> str:
    lines = text.split("\n")
    do(lines, chance.randrange(len(lines)))
    return "\n".join(lines)


def _value(text: str, chance: random.Random) -> str:
    """Another word in the place of a value."""

    def put(lines: list[str], at: int) -> None:
        name, colon, _ = lines[at].partition(": ")
        lines[at] = f"{name}{colon or ' '}{chance.choice(WORDS)}"

    return _line(text, chance, put)


def _word(text: str, chance: random.Random) -> str:
    """Two words of the file change places, or one of ours stands there."""
    words = text.split(" ")
    at = chance.randrange(len(words))
    words[at] = chance.choice([chance.choice(WORDS), chance.choice(words), ""])
    return " ".join(words)


def _deleted(text: str, chance: random.Random) -> str:
    begin = chance.randrange(len(text))
    return text[:begin] + text[begin + chance.choice([1, 1, 2, 5, 40, 400]) :]


def _inserted(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return text[:at] + chance.choice(WORDS) + text[at:]


def _moved(text: str, chance: random.Random) -> str:
    def move(lines: list[str], at: int) -> None:
        lines.insert(chance.randrange(len(lines)), lines.pop(at))

    return _line(text, chance, move)


def _again(text: str, chance: random.Random) -> str:
    def repeat(lines: list[str], at: int) -> None:
        lines[at : at + 1] = [lines[at]] * chance.choice([2, 3, 100])

    return _line(text, chance, repeat)


def _shifted(text: str, chance: random.Random) -> str:
    def shift(lines: list[str], at: int) -> None:
        lines[at] = chance.choice([" ", "  ", "        "]) + lines[at] if chance.random() < 0.5 else lines[at].lstrip()

    return _line(text, chance, shift)


def _broken(text: str, chance: random.Random) -> bytes:
    """Bytes that are no text."""
    raw = bytearray(text.encode())
    for _ in range(chance.choice([1, 3])):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(raw)


MUTATIONS = (_value, _value, _word, _word, _deleted, _inserted, _moved, _again, _shifted)


def _mutated(text: str, chance: random.Random) -> bytes:
    for _ in range(chance.choice([1, 1, 2, 4])):
        text = chance.choice(MUTATIONS)(text, chance) or " "
    return _broken(text, chance) if chance.random() < 0.05 else text.encode("utf-8", "replace")


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_mistake_anywhere_is_a_sentence_at_a_place(tmp_path: Path, files: dict[str, str], chunk: int) -> None:
    names, clean = list(files), 0
    for number in range(chunk, ROUNDS // 2, CHUNKS):
        chance = random.Random(f"{number} of {len(files)}")
        name = chance.choice(names)
        raw = _mutated(files[name], chance)
        folder = _written(tmp_path / "company", files, **{name: raw})
        try:
            checked = _judged(folder)
            clean += checked.book is not None
            plain = raw.decode("utf-8", "replace")
            for problem in checked.problems:
                said = [word for word in MACHINERY if word in problem.message and word not in plain]
                assert not said, f"{said}: {problem}"
        except Exception as error:
            kept = Path(os.environ.get("DIGILOG_KEEP", tmp_path)) / f"bad-{number}-{len(files)}-{Path(name).name}"
            kept.write_bytes(raw)
            raise AssertionError(f"mutation {number} of {name}: {type(error).__name__}: {error}") from error
    assert clean < ROUNDS  # most mutations are mistakes


INJECTED = (
    "{{ name.__class__.__mro__[1].__subclasses__() }}", "{{ ''.__class__ }}",
    "{{ lipsum() }}", "{{ name|attr('x') }}", "{{ name * 999999999 }}", "{{ range(999999999) }}", "{% include 'x' %}",
    "{{ name | default(name) }}", "{{ 'x' * 9 }}", "{{ self }}{{ 7*7 }}", "{{ name[0] }}", "{# x #}", "{{ }}", "{{",
    "}}", "{{ name | upper }}", "{{ name if 1 }}", "{{ name ~ name }}", "{{ name() }}",
)  # fmt: skip
COMPUTED = (
    "name.__class__ == 'x'", "9 ** 9 ** 9 == 1", "'x' * 999999999 == 'y'", "name =~ '(a+)+$'", "[x for x in name]",
    "name ? 1 : 2", "$today == 1", "open('x') == 1", "name[0] == 'a'", "name.as_upper == 'A'", "not " * 400 + "name",
    "(" * 400 + "name", "1 == 1 and " * 90 + "x", "d'2026-01-01' == today", "inf == 1", "{1} == 1",
    "name == 'x' or __import__('os')", "days_until(days_until(today)) == 1", "'a' in name.x.y.z",
)  # fmt: skip


@pytest.mark.parametrize("text", INJECTED)
def test_a_text_holds_names_and_nothing_that_computes(text: str) -> None:
    begin = time.process_time()
    if text == "}}":
        assert Text.parse(text).parts == ("}}",)
        return
    with pytest.raises(ValueError, match=r"\w"):
        Text.parse(text)
    assert time.process_time() - begin < SECOND


def test_a_name_of_pythons_is_only_a_name_that_nobody_has() -> None:
    assert Text.parse("{{ cycler.__init__.__globals__ }}").names == {"cycler.__init__.__globals__"}


@pytest.mark.parametrize("text", ["much * much > 1", "much / none > 1", "less * less > 1", "-much - much < 1"])
def test_what_cannot_be_computed_is_missing_or_false_and_never_a_fault(text: str) -> None:
    known = {"much": Decimal("9e999999"), "less": Decimal("1e-999999"), "none": Decimal(0)}
    assert Expression.parse(text).evaluate(known.get, date(2026, 11, 22)) in {True, False}


@pytest.mark.parametrize("text", COMPUTED)
def test_a_condition_compares_names_and_words_and_nothing_else(text: str) -> None:
    begin = time.process_time()
    try:
        said = Expression.parse(text).check(lambda path: Type("text") if path == "name" else None)
    except ValueError as error:
        said = [str(error)]
    assert said
    assert not [word for word in MACHINERY for line in said if word in line and word not in text]
    assert time.process_time() - begin < SECOND
