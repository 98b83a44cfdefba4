"""Whatever stands in a file: refused at its place, in words a shop owner understands, in a second, without harm."""

import os
import random
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.playbook.blueprint import blueprint
from flows.playbook.check import Checked, check
from flows.playbook.document import document
from flows.playbook.load import Document
from tests.playbook.bad import corpus, traps
from tests.playbook.bad.corpus import COMPANY, RULES, Bad
from tests.playbook.bad.small import SHOP, mutated

SOAK = int(os.environ.get("DIGILOG_SOAK", "0"))  # mutations; the soak takes 200,000 and every bad file
FUZZED = SOAK or 1_600
CHUNKS = 4
FEW = 1 if SOAK else 9  # of the grown files every ninth; together still more than 400
HANGING = 10.0  # seconds of this process's own time: nothing grows without bound
MEGABYTES = 100
# words of the machinery below us, and of those who build it
FOREIGN = re.compile(
    r"\b(scalar|mapping|token|NoneType|None|dict|dictionary|list|tuple|str|int|float|bool|boolean|string|validation|validator|"
    r"pydantic|regex|regexp|schema|parser?|parsing|literal|exception|traceback|error|object|instance|"
    r"syntax|node|stream|block|flow|anchor|alias|ruamel|yaml\.org|jinja2?|template|rule_engine|undefined|"
    r"input should|attribute|module|class|function|iterable|callable|decimal|codec|utf-?16)\b|__|0x[0-9a-f]{4}",
    re.IGNORECASE,
)


def foreign(message: str, written: str) -> list[str]:
    """Words that no reader knows, unless they were written in the file."""
    known = written + " none"  # a word of the language: `missed: none`
    return [found.group() for found in FOREIGN.finditer(message) if found.group() not in known]


@pytest.fixture(scope="module")
def files() -> dict[str, Document]:
    return corpus.documents()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return Path(shutil.copytree(COMPANY, tmp_path / "company"))


def judged(place: Path, file: str, raw: bytes, others: str = "") -> Checked:
    """What check says of a company with one file otherwise; every sentence of it is looked at."""
    (place / file).write_bytes(raw)
    begin = time.process_time()
    checked = check(place)
    spent = time.process_time() - begin
    assert spent <= HANGING, f"{file}: {spent:.2f} s"
    assert (checked.book is None) is bool(checked.problems)
    written = raw.decode("utf-8", "replace") + others + str(place)
    for problem in checked.problems:
        assert not (said := foreign(problem.message, written)), f"{said}: {problem}"
        assert problem.line >= 1
        assert problem.column >= 1
        assert "\n" not in problem.message
        assert len(problem.message) < 600, problem.message[:200]
    return checked


def named(bad: Bad, checked: Checked, place: Path) -> bool:
    """The bad place itself is told."""
    return any(
        problem.path == str(place / bad.file)
        and problem.line == (bad.line or problem.line)
        and problem.column == (bad.column or problem.column)
        and bad.says in problem.message
        for problem in checked.problems
    )


def each(place: Path, files: dict[str, Document], wrong: list[Bad]) -> None:
    words = "".join(document.text for document in files.values())
    for bad in wrong:
        checked = judged(place, bad.file, bad.raw, words)
        said = [str(problem) for problem in checked.problems][:4]
        assert named(bad, checked, place), f"{bad.name} ({bad.file}:{bad.line}:{bad.column} {bad.says}): {said}"
        (place / bad.file).write_text(files[bad.file].text)


@pytest.mark.parametrize("rule", RULES)
def test_what_is_wrong_is_refused_where_it_stands(place: Path, files: dict[str, Document], rule: str) -> None:
    each(place, files, corpus.grown(rule)[::FEW])


def test_a_trap_is_refused(place: Path, files: dict[str, Document]) -> None:
    each(place, files, list(traps.traps()))


def test_there_are_enough_bad_files() -> None:
    grown = {bad.raw for rule in RULES for bad in corpus.grown(rule)[::FEW]}
    assert len(grown | {bad.raw for bad in traps.traps()}) >= 400


_MEASURED = """
import resource, sys
from pathlib import Path
from flows.playbook.check import check
from flows.playbook.load import load_text
place = Path(sys.argv[1])
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
assert not check(place).problems
before = peak()
for bomb in sorted((place / "bombs").iterdir()):
    (place / "trial-booking.yaml").write_bytes(bomb.read_bytes())
    assert check(place).problems, bomb
    load_text.cache_clear()
print(peak() - before)
"""


def test_no_bomb_takes_more_than_a_hundred_megabytes(place: Path) -> None:
    (place / "bombs").mkdir()
    for number, raw in enumerate(traps.BOMBS.values()):
        (place / "bombs" / f"{number:02}").write_bytes(raw)
    ran = subprocess.run(
        [sys.executable, "-c", _MEASURED, place], capture_output=True, text=True, timeout=120, check=True
    )
    assert ran.stderr == ""
    assert int(ran.stdout) <= MEGABYTES


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_mutation_harms_or_speaks_of_the_machinery(tmp_path: Path, chunk: int) -> None:
    for name, text in SHOP.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
    assert check(tmp_path).problems == []
    words, clean, before = "".join(SHOP.values()), 0, _memory()
    for number in range(chunk, FUZZED, CHUNKS):
        chance = random.Random(number)
        name = chance.choice(list(SHOP))
        raw = mutated(name, chance)
        try:
            clean += judged(tmp_path, name, raw, words).book is not None
        except Exception as error:
            kept = Path(os.environ.get("DIGILOG_KEEP", tmp_path)) / f"bad-{number}-{Path(name).name}"
            kept.write_bytes(raw)
            raise AssertionError(f"mutation {number} of {name}: {type(error).__name__}: {error}") from error
        (tmp_path / name).write_text(SHOP[name])
    assert clean < FUZZED / CHUNKS / 2  # most mutations are mistakes
    assert _memory() - before < MEGABYTES


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


INJECTED = (
    "{{ 40 + 2 }}x", "{{ ''.__class__.__mro__ }}", "{% for x in [1] %}42{% endfor %}", "${40+2}", "#{40+2}",
    "`touch canary`", "$(touch canary)", "=cmd|' /C calc'!A0", "__import__('os').system('touch canary')",
    "<script>alert(42)</script>", "'; DROP TABLE cases; --", "%(x)s %s {0} {x}", "../../etc/passwd",
    "!!python/object/apply:os.system ['touch canary']", "eval(40+2)", "\\x1b[2J", "{{ name }}{{ name }}",
    "{{ cycler.__init__.__globals__.os.popen('touch canary').read() }}", "file:///etc/passwd", "%0d%0aX: 1",
    "lambda: 42", "open('canary', 'w')",
)  # fmt: skip


def leaves(files: dict[str, Document]) -> Iterator[tuple[str, tuple[str | int, ...], bytes, str]]:
    """Each value of each file, with an injection in its place, in quotes so that it is one text."""
    count = 0
    for file, read in files.items():
        for _, number, column, line, value in corpus._values(read):
            for payload in INJECTED if SOAK else (INJECTED[count % len(INJECTED)],):
                quoted = "'" + payload.replace("'", "''") + "'"
                lines = read.lines.copy()
                lines[number - 1] = line[: column - 1] + quoted + line[column - 1 + len(value) :]
                yield file, (number, column), "\n".join(lines).encode(), payload
            count += 1


def test_nothing_that_is_injected_is_evaluated(
    place: Path, files: dict[str, Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    words, taken, seen = "".join(read.text for read in files.values()), 0, set()
    for file, at, raw, payload in list(leaves(files))[:: 1 if SOAK else 3]:
        checked = judged(place, file, raw, words)
        seen.add(payload)
        if checked.book is not None:
            taken += 1
            shown = blueprint(checked.book) + "".join(
                document(one, checked.book) for one in checked.book.playbooks.values()
            )
            assert "42x" not in shown, (file, at, payload)
        assert not (place / "canary").exists(), (file, at, payload)
        (place / file).write_text(files[file].text)
    assert seen == set(INJECTED)
    assert taken > 20  # a sentence for people may hold anything, and stays a sentence
