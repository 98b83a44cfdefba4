"""The kept tables of the parser: used when whole, made again when not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import rule_engine

import flows.playbook.parser

_SAYS = """
import sys
from flows.playbook.grammar import parse
print(parse("a > 1 and b == 'x'"))
print("rule_engine.parser.parsetab" in sys.modules)
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the code, which may write its byte code."""
    source = Path(flows.playbook.parser.__file__).parents[2]
    for room in ("flows", "connectors"):
        shutil.copytree(source / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def says(house: Path) -> list[str]:
    """How an expression is read, and whether by kept tables."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", _SAYS], cwd=house, env=clean, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()


def kept(house: Path) -> Path:
    return house / f"flows/playbook/__pycache__/parsetab-{rule_engine.__version__}.py"


def test_tables_are_kept_at_the_first_start_and_used_at_the_next(house: Path) -> None:
    (first, used), (second, used_then) = says(house), says(house)
    assert kept(house).is_file()
    assert (used, used_then) == ("False", "True")
    assert first == second


def test_tables_that_are_damaged_or_of_another_grammar_are_not_used(house: Path) -> None:
    (whole, _), text = says(house), kept(house).read_text("utf-8")
    for harmed in ("broken =", "_tabversion = '3.10'\n", text.replace("_lr_signature = '", "_lr_signature = 'x")):
        kept(house).write_text(harmed, "utf-8")
        assert says(house)[0] == whole
