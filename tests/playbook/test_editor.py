"""What an editor is told agrees with what `check` says: nothing good is marked, an unknown word is."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from flows.playbook import model
from flows.playbook.check import check
from flows.playbook.editor import KINDS, as_json, schema, settings
from flows.playbook.meanings import MEANINGS
from flows.playbook.problem import Problem

COMPANIES = (Path(__file__).parents[2] / "playbooks", Path(__file__).parent / "company")
FILES = [path for folder in COMPANIES for path in sorted(folder.rglob("*.yaml"))]
BY_US = {"text", "version"}


def kind_of(path: Path) -> str:
    return "tests" if path.parent.name == "tests" else path.stem if path.stem in KINDS else "playbook"


def seen(text: str) -> Any:
    """As an editor reads YAML 1.2: `yes` is a word, a number is a number."""
    return YAML(typ="safe", pure=True).load(text.replace("on: 2026", "on: d2026"))


def marked(kind: str, data: object) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(schema(kind)).iter_errors(data)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_a_schema(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(kind))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_nothing_good_is_marked(path: Path) -> None:
    assert marked(kind_of(path), seen(path.read_text())) == []


def unknown_words() -> list[tuple[str, str, str]]:
    """A word that does not exist, in each place of the language where it can stand."""
    company = COMPANIES[1]
    found = []
    for name, places in {
        "trial-booking.yaml": ["title:", "event: form", "outcome: lost", "do: 거래장부에", "after: 2", "label: 이름",
                               "when: not", "revision: 2", "tell: manager"],
        "company.yaml": ["zone:", "backup: owner", "email: han", "opt_out:", "file: roster.xlsx"],
        "canvas.yaml": ["stages:", "design: 신", "stage: apply"],
        "metrics.yaml": ["ratios:", "settle_days: 7", "due:", "cohort:"],
        "messages.yaml": ["purpose: info"],
        "tests/trial-booking.yaml": ["clock:", "outcome:"],
    }.items():  # fmt: skip
        text = (company / name).read_text()
        for old in places:
            assert old in text, old
            found.append((name, old, text.replace(old, "x" + old, 1)))
    return found


@pytest.mark.parametrize(("name", "old", "text"), unknown_words(), ids=lambda value: value[:40])
def test_a_word_that_is_unknown_is_marked(name: str, old: str, text: str) -> None:
    assert marked(kind_of(Path("company") / name), seen(text)), old


def written(kind: type[model.Written] = model.Written) -> set[tuple[str, str]]:
    found = {(kind.__name__, field.alias or name) for name, field in kind.model_fields.items()}
    return found.union(*(written(inner) for inner in kind.__subclasses__()))


def test_every_key_has_its_sentence_and_no_other() -> None:
    ours = {(kind, key) for kind, key in written() if kind != "Playbook" or key not in BY_US} - {
        ("ConnectionEntry", "settings")
    }
    said = {(kind, key) for kind, keys in MEANINGS.items() for key in keys}
    assert ours - said == set()
    assert {one for one in said - ours if one[0] != "ConnectionEntry"} == set()
    assert '"description": "the role that answers for the result"' in json.dumps(schema("playbook"))


def test_a_secret_among_the_settings_is_marked() -> None:
    data = seen((COMPANIES[0] / "company.yaml").read_text())
    data["connections"]["partner-form"]["signing_secrets"] = "whsec_x"
    assert marked("company", data)


def test_each_file_has_one_schema() -> None:
    told = settings("playbooks", ["cake-order.yaml"], "./.schemas")["yaml.schemas"]
    assert told["./.schemas/playbook.json"] == ["playbooks/cake-order.yaml"]
    assert told["./.schemas/tests.json"] == ["playbooks/tests/*.yaml"]
    assert set(told) == {f"./.schemas/{kind}.json" for kind in KINDS}


def test_problems_for_a_program_are_those_for_people(tmp_path: Path) -> None:
    for name in ("company.yaml", "canvas.yaml"):
        (tmp_path / name).write_text((COMPANIES[0] / name).read_text().replace("backup: manager", "backup: manger", 1))
    checked = check(tmp_path)
    told = json.loads(as_json(checked))
    assert told["ok"] is False
    [problem] = told["problems"]
    [shown] = checked.problems
    assert str(shown) == "{file}:{line}:{column} {message}; {hint}".format(**problem)
    assert problem["hint"] == "did you mean manager?"


@pytest.mark.parametrize("message", ["a; b; c", "a", "'x; y' is unknown", ""])
def test_a_message_and_its_hint_are_the_whole_sentence(message: str) -> None:
    wrong, hint = Problem("f", 1, 1, message).parts
    assert (f"{wrong}; {hint}" if hint else wrong) == message
