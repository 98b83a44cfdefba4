"""fmt changes blanks: never a word, a comment, or what a file means."""

import random
import stat
from pathlib import Path

import pytest

from flows.playbook.check import version_of
from flows.playbook.load import load_text
from flows.playbook.tidy import CannotTidy, comments, replace, tidy

COMPANIES = (Path(__file__).parents[2] / "playbooks", Path(__file__).parent / "company")
FILES = [path for folder in COMPANIES for path in sorted(folder.rglob("*.yaml"))]


def put_in_order(text: str) -> str:
    return tidy(load_text(text, "f.yaml"))


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a:\n- b\n- c: 1\n  d: 2\n", "a:\n  - b\n  - c: 1\n    d: 2\n"),
        ("   a: 1\n   b:\n         c: 2\n", "a: 1\nb:\n  c: 2\n"),
        ("a: {b: 1,c:  2}\n", "a: {b: 1, c: 2}\n"),
        ("a: 1   \r\nb: 'x  y'\r\n", "a: 1\nb: 'x  y'\n"),
        ("a: 1\n\n\n\n", "a: 1\n"),
        ("a: 1", "a: 1\n"),
        ("a: [1,\n  2,\n  3]\n", "a: [1, 2, 3]\n"),
        # what stays as it was
        ("a: yes\nb: 010\nc: 2026-01-01\nd: ~\ne: null\n'f': 1e3\ng: 12:30\n", None),
        ("name:    {type: text,   label: 이름}   # why\nphone:   {type: phone,  label: 연락처}\n", None),
        ("# top\n\na: 1  # one\n\n# between\nb: |-  # why\n  안녕 #{이름}\n\n  # text\n# end\n", None),
        ("a: \"x\\ny\"\nb: 'it''s'\nc: >\n  folded\n  text\n", None),
        ("a:\n  # first\n  b: 1\n  # second\nc:\n  - 1\n  # third\n  - 2\n", None),
    ],
)
def test_a_file_gets_one_look_and_keeps_its_words(text: str, after: str | None) -> None:
    assert put_in_order(text) == (after or text)
    assert put_in_order(put_in_order(text)) == put_in_order(text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_the_example_company_is_in_order(path: Path) -> None:
    assert put_in_order(path.read_text()) == path.read_text()


def shaken(text: str, chance: random.Random) -> str:
    """The same file, as a careless hand leaves it: comments, blank lines, other indents, other line ends."""
    wider = chance.choice([1, 2, 3])
    lines = []
    for line in text.split("\n"):
        blanks = len(line) - len(line.lstrip(" "))
        if chance.random() < 0.1 and "|-" not in text:
            lines.append(" " * (blanks * wider) + f"# 메모 {chance.randrange(99)}: {{x}} 'y'")
        begin, word = line[:blanks], line[blanks:]
        if word.startswith("- ") and "|-" not in text:
            word = "-" + " " * (2 * wider - 1) + word[2:]
        lines.append(begin * wider + word + " " * chance.choice([0, 0, 3]) * ("|-" not in text))
    return chance.choice(["\n", "\r\n"]).join(lines)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_careless_hand_is_put_in_order_and_nothing_is_lost(path: Path) -> None:
    good = path.read_text()
    for seed in range(4):
        text = shaken(good, random.Random(seed))
        before, said = load_text(text, "f.yaml"), comments(text)
        assert before.problems == []
        after = put_in_order(text)
        assert load_text(after, "f.yaml").data == before.data == load_text(good, "f.yaml").data
        assert version_of(load_text(after, "f.yaml")) == version_of(load_text(good, "f.yaml"))
        assert comments(after) == said
        assert put_in_order(after) == after


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [1,\n  # in the middle\n  2]\n", "something would be lost"),
        ("a: 1\na: 2\n", "a stands here a second time"),
        ("a: &x 1\n", "not part of the language"),
        ("a: [\n", "something is missing|comma|value"),
        ("", "the file is empty"),
    ],
)
def test_what_would_lose_something_stays_as_it_is(text: str, sentence: str) -> None:
    with pytest.raises(CannotTidy, match=sentence) as raised:
        put_in_order(text)
    assert raised.value.problems[0].path == "f.yaml"


def test_comments_are_found_wherever_they_stand() -> None:
    text = "# 1\na: 'no # text'  # 2\nb: |  # 3\n  no # text\nc: [x,  # 4\n  y]\nd: no#text\n# 5\n"
    assert comments(text) == ["# 1", "# 2", "# 3", "# 4", "# 5"]


def test_a_file_is_replaced_in_one_go_and_keeps_its_rights(tmp_path: Path) -> None:
    file, link = tmp_path / "a.yaml", tmp_path / "b.yaml"
    file.write_text("a: 1\n")
    file.chmod(0o640)
    link.symlink_to(file)
    replace(link, "a: 2\n")
    assert (file.read_text(), link.is_symlink()) == ("a: 2\n", True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml", "b.yaml"]
