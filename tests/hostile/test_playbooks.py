"""A hostile owner: what texts and conditions refuse. Whole files: `tests/playbook/test_bad.py`."""

import time
from datetime import date
from decimal import Decimal

import pytest

from flows.playbook.expression import Expression, Type
from flows.playbook.text import Text

SECOND = 1.0  # of this process's own time, for one check
MACHINERY = (
    "scalar", "mapping", "token", "NoneType", "pydantic", "Input should", "Traceback", "ruamel", "jinja",
    "rule_engine", "__", "dict", "object at", "Error",
)  # fmt: skip


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
