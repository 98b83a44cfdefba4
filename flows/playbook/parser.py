"""rule-engine, with the tables of its parser kept beside our byte code.

It builds them anew in each process, which takes a third of a second. ply, inside it, looks for a module of kept
tables first, and takes them only where they were made from the same grammar.
"""

import contextlib
import sys
import tempfile
from importlib.metadata import version
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

__all__ = ["Rule", "ast", "errors"]
_NAME = "rule_engine.parser.parsetab"  # where ply looks
_PARTS = ("_tabversion", "_lr_action", "_lr_goto", "_lr_productions", "_lr_method", "_lr_signature")
_FILE = Path(__file__).parent / "__pycache__" / f"parsetab-{version('rule-engine')}.py"


def _read() -> None:
    spec = spec_from_file_location(_NAME, _FILE)
    if _FILE.is_file() and spec and spec.loader:
        found = module_from_spec(spec)
        spec.loader.exec_module(found)
        if all(hasattr(found, part) for part in _PARTS):
            sys.modules[_NAME] = found


def _write() -> None:
    from rule_engine._vendor.ply import yacc

    _FILE.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_FILE.parent) as folder:
        yacc.yacc(module=Rule.parser, debug=False, outputdir=folder, errorlog=yacc.NullLogger())
        (Path(folder) / "parsetab.py").replace(_FILE)


with contextlib.suppress(Exception):  # a damaged file is as good as none
    _read()

from rule_engine import Rule, ast, errors  # noqa: E402

if _NAME not in sys.modules and not sys.dont_write_bytecode:
    with contextlib.suppress(Exception):  # a folder that nobody may write, or another shape inside: it takes its time
        _write()
