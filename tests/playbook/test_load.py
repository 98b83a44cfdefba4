"""The traps of YAML: what is text stays text, and what would surprise is refused with its place."""

import time
from pathlib import Path

import pytest

from flows.playbook.load import load, load_text

MACHINERY = ("scalar", "mapping", "token", "NoneType", "block end", "flow", "anchor", "alias", "Traceback")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("01012345678", "01012345678"),
        ("01012345670", "01012345670"),
        ("12:30", "12:30"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("null", "null"),
        ("~", "~"),
        ("1e3", "1e3"),
        ("0x10", "0x10"),
        ("2026-11-21", "2026-11-21"),
        ("2026-11-21 21:40", "2026-11-21 21:40"),
        (".5", ".5"),
        (".inf", ".inf"),
        ("''", ""),
        ("'#{이름}님'", "#{이름}님"),
        ("a#b", "a#b"),
        ("|-\n  안녕 #{이름}님\n  둘째 줄", "안녕 #{이름}님\n둘째 줄"),
    ],
)
def test_everything_is_the_text_that_was_written(written: str, value: str) -> None:
    document = load_text(f"a: {written}\n", "f.yaml")
    assert document.problems == []
    assert document.data == {"a": value}


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("a: 1\na: 2\n", "2:1", "a stands here a second time, first in line 1"),
        ("a: {b: 1, b: 2}\n", "1:11", "b stands here a second time"),
        ("a: &x 1\n", "1:4", "& at the beginning of a value"),
        ("a: *x\n", "1:4", "* at the beginning of a value"),
        ("b: 1\n<<: {a: 1}\n", "2:1", "<< is not part of the language"),
        ("a: !!int 1\n", "1:4", "! at the beginning of a value"),
        ("a: !python/object:x {}\n", "1:4", "! at the beginning of a value"),
        ("%YAML 1.1\n---\na: 1\n", "1:1", "% at the beginning of a line"),
        ("a:\tb\n", "1:3", "a tab stands here"),
        ("a:\n\t- b\n", "2:1", "a tab stands here"),
        ("a: b\x00\n", "1:5", "a sign that cannot be seen"),
        ("a: b\ufeffc\n", "1:5", "a sign that cannot be seen"),
        ("a: b\u2028c\n", "1:5", "a sign that cannot be seen"),
        ("a: 1\n---\nb: 1\n", "2:1", "a file holds one document"),
        ("", "1:1", "the file is empty"),
        ("# only words\n", "1:1", "the file is empty"),
        ("a:\nb: 1\n", "1:1", "a has no value; write one"),
        ("a: #31\n", "1:1", "a has no value: what follows # is a comment"),
        ("a: [1, ]\nb:\n", "2:1", "b has no value"),
        ("a: {of: minutes(start, thanks)}\n", "1:24", "the comma before 'thanks)' divides the value"),
        ("a: {{ name }}\n", "1:5", "a text with {{ }} is written in quotes"),
        ("? [a]\n: b\n", "1:3", "a name is expected before the colon"),
        ("a: b: c\n", "1:5", "a colon with a blank behind it"),
        ("a: 'b\nc: 1\n", "1:4", "a quotation mark is opened and never closed"),
        ('a: "b\nc: 1\n', "1:4", "a quotation mark is opened and never closed"),
        ("a: 'b' c\n", "1:8", "look at the blanks before it"),
        ("a:\n  b: 1\n c: 2\n", "3:2", "look at the blanks before it"),
        ("- a\nb: 1\n", "2:1", "look at the blanks before it"),
        ("a: [1, 2\nb: 3\n", "2:2", "a comma or ] is missing"),
        ("a: {b: 1\nc: 2\n", "2:2", "a comma or } is missing"),
        ("a: @x\n", "1:4", "cannot begin with this sign"),
        ("a: `x`\n", "1:4", "cannot begin with this sign"),
        ("a: %x\n", "1:4", "cannot begin with this sign"),
        ('a: "\\d"\n', "1:6", "use single quotes"),
        ("a: !체험\n", "1:5", "! at the beginning of a value"),
        ("a: x\rb:\rc:", "2:1", "b has no value"),
        ("a: b\n" * 6_000, "5000:2", "the file holds too much to be read by people"),
        ("a: - b\n", "1:4", "begin it on a line of its own"),
        ("a: >b\n", "1:5", "begins on the next line"),
        ("- " * 30, "1:41", "more than 20 levels deep"),
        ("a: '" + "가" * 90_000 + "'\n", "1:1", "larger than 256 KiB"),
    ],
)
def test_what_would_surprise_is_refused_where_it_stands(text: str, place: str, sentence: str) -> None:
    document = load_text(text, "f.yaml")
    said = [str(problem) for problem in document.problems]
    assert any(line.startswith(f"f.yaml:{place} ") and sentence in line for line in said), said
    assert not [word for word in MACHINERY for line in said if word in line]


@pytest.mark.parametrize("bomb", ["[", "{", "- ", "? ", "[\n", "{a: ", "a: [", '"a": [', "- - "])
def test_a_bomb_is_refused_at_once(bomb: str) -> None:
    begin = time.process_time()
    document = load_text((bomb * 10_000)[:262_000], f"bomb {bomb!r}")
    assert len(document.problems) == 1
    assert time.process_time() - begin < 1


def test_a_large_file_is_read_in_a_time_that_grows_with_it() -> None:
    begin = time.process_time()
    document = load_text("\n".join(f"k{number}: v" for number in range(4_900)), "large.yaml")
    assert (document.problems, len(document.data)) == ([], 4_900)
    assert time.process_time() - begin < 5


def test_all_repeated_and_empty_names_of_a_file_are_said_together() -> None:
    document = load_text("a: 1\na: 2\nb:\nc: {d: , d: 1}\n", "f.yaml")
    assert [(problem.line, problem.column) for problem in document.problems] == [(2, 1), (3, 1), (4, 5), (4, 10)]


def test_places_are_those_of_the_file() -> None:
    document = load_text("가: 1\nsteps:\n  - id: a\n    do: '나'\n  - {id: b, do: 다}\n", "f.yaml")
    at = document.place(("steps", 1, "do"))
    assert (at.line, at.column) == (5, 17)
    assert document.place(("steps", 0, "do"), key=True).column == 5
    # what is not written stands at what holds it
    assert document.place(("steps", 0, "by", "role")) == document.place(("steps", 0))


def test_a_value_cut_by_a_comment_is_remembered() -> None:
    document = load_text(
        "a: 안녕하세요 #{이름}님\nb: '안녕 #{이름}'\nc: |-\n  안녕 #{이름}\nd: note #31: late\n", "f.yaml"
    )
    assert document.data["a"] == "안녕하세요"
    assert document.cut == [("a",), ("d",)]


@pytest.mark.parametrize(
    ("raw", "place", "sentence"),
    [
        (b"\xef\xbb\xbfa: 1\n", "1:1", "byte order mark"),
        ("a: 1\n".encode("utf-16"), "1:1", "byte order mark"),
        ("a: 1\nb: 가나\n".encode("cp949"), "2:4", "is not UTF-8"),
        (b"a: 1\n" * 60_000, "1:1", "larger than 256 KiB"),
    ],
)
def test_a_file_is_utf8_and_small(tmp_path: Path, raw: bytes, place: str, sentence: str) -> None:
    (tmp_path / "f.yaml").write_bytes(raw)
    [problem] = load(tmp_path / "f.yaml", "f.yaml").problems
    assert str(problem).startswith(f"f.yaml:{place} ")
    assert sentence in problem.message


def test_a_file_that_is_not_there_is_a_problem() -> None:
    [problem] = load(Path("nowhere.yaml")).problems
    assert "cannot be read" in problem.message
