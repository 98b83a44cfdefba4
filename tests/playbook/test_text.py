"""Texts are filled once, from names alone, in the company's words."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from flows.playbook.text import Format, MissingValue, Text, blanks, fill, render_all

KOREAN = Format(ZoneInfo("Asia/Seoul"))
ENGLISH = Format(ZoneInfo("Asia/Seoul"), "en")
EURO = Format(ZoneInfo("Europe/Berlin"), "en", "EUR", "DE")
AT = datetime(2026, 11, 21, 12, 40, tzinfo=UTC)
VALUES: dict[str, object] = {
    "name": "김하나",
    "short": "하나",
    "at": AT,
    "day": date(2026, 1, 5),
    "clock": time(9, 5),
    "iso": "2026-11-21T12:40:00+00:00",
    "price": Decimal(45000),
    "cents": Decimal("-1234.5"),
    "phone": "+821012345678",
    "abroad": "+12125550123",
    "email": "kim@example.com",
    "yes": True,
    "rows": [1, 2],
    "evil": "{{ name }} {% raw %} #{이름}",
}


def filled(source: str, form: Format = KOREAN) -> object:
    return Text.parse(source).render(VALUES.get, form)


@pytest.mark.parametrize(
    ("source", "form", "expected"),
    [
        ("{{ name }}님", KOREAN, "김하나님"),
        ("{{ at | datetime }}", KOREAN, "11월 21일(토) 21:40"),
        ("{{ iso | datetime }}", KOREAN, "11월 21일(토) 21:40"),
        ("{{ at | datetime }}", ENGLISH, "Sat 21 Nov 21:40"),
        ("{{ at | datetime }}", EURO, "Sat 21 Nov 13:40"),
        ("{{ at }}.", KOREAN, "11월 21일(토) 21:40."),
        ("{{ day | date }}", KOREAN, "1월 5일(월)"),
        ("{{ day }}.", ENGLISH, "Mon 5 Jan."),
        ("{{ at | time }}", KOREAN, "21:40"),
        ("{{ clock | time }}", KOREAN, "09:05"),
        ("{{ price | money }}", KOREAN, "45,000원"),
        ("{{ price | money }}", ENGLISH, "₩45,000"),
        ("{{ cents | money }}", EURO, "-€1,234.50"),
        ("{{ cents | number }}", KOREAN, "-1,234.5"),
        ("{{ phone | phone }}", KOREAN, "010-1234-5678"),
        ("{{ abroad | phone }}", KOREAN, "+1 212-555-0123"),
        ("{{ phone | masked }}", KOREAN, "010-****-5678"),
        ("{{ name | masked }}", KOREAN, "김*나"),
        ("{{ short | masked }}", KOREAN, "하*"),
        ("{{ email | masked }}", KOREAN, "k***@example.com"),
        ("{{ yes }}.", KOREAN, "예."),
        ("{{ yes }}.", ENGLISH, "yes."),
        ("{{ rows }}.", KOREAN, "1, 2."),
        ("{{ nothing | default('없음') }}", KOREAN, "없음"),
        ("{{ nothing | date | default('') }}.", KOREAN, "."),
        ("{{ name | default('x') }}!", KOREAN, "김하나!"),
        ("no names\n", KOREAN, "no names\n"),
        ("line\n{{ name }}\n", KOREAN, "line\n김하나\n"),
    ],
)
def test_values_are_said_as_people_say_them(source: str, form: Format, expected: str) -> None:
    assert filled(source, form) == expected


@pytest.mark.parametrize("name", ["at", "price", "yes", "rows", "day", "name"])
def test_exactly_one_name_keeps_its_type(name: str) -> None:
    assert filled(f"{{{{ {name} }}}}") is VALUES[name]
    assert filled(f"{{{{ {name} | default('x') }}}}") is VALUES[name]
    assert isinstance(filled(f" {{{{ {name} }}}}"), str)


@pytest.mark.parametrize(
    "source", ["{{ nothing }}", "x {{ nothing }}", "{{ nothing | date }}", "{{ name }} {{ a.b.nothing }}"]
)
def test_a_missing_value_is_an_error_with_its_name(source: str) -> None:
    with pytest.raises(MissingValue) as missing:
        filled(source)
    assert missing.value.path.endswith("nothing")


def test_what_a_customer_typed_is_never_read_as_a_text() -> None:
    assert filled("{{ evil }}!") == f"{VALUES['evil']}!"
    assert fill("#{a} #{b}", {"a": "#{b}", "b": "{{ name }}"}) == "#{b} {{ name }}"


@given(some.text())
def test_anything_typed_comes_out_as_it_was(typed: str) -> None:
    assert Text.parse("<{{ name }}>").render({"name": typed}.get, KOREAN) == f"<{typed}>"
    assert fill("<#{이름}>", {"이름": typed}) == f"<{typed}>"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("{{ name.upper() }}", "stands a name"),
        ("{{ name['x'] }}", "stands a name"),
        ("{{ 'x' * 100000000 }}", "stands a name"),
        ("{{ 1 + 1 }}", "stands a name"),
        ("{{ name if yes else 1 }}", "stands a name"),
        ("{{ [name] }}", "stands a name"),
        ("{{ name ~ name }}", "stands a name"),
        ("{{ name is defined }}", "stands a name"),
        ("{% if name %}x{% endif %}", "{% %}"),
        ("{% set x = 1 %}", "{% %}"),
        ("{# a note #}", "{# #}"),
        ("{{ name | upper }}", "upper is no filter"),
        ("{{ name | dat }}", "did you mean date?"),
        ("{{ at | date('x') }}", "nothing in parentheses"),
        ("{{ at | default }}", "default takes one quoted word"),
        ("{{ at | default(name) }}", "default takes one quoted word"),
        ("{{ name", "braces cannot be read"),
        ("{{ }}", "braces cannot be read"),
        ("{{ name }} }} {{", "braces cannot be read"),
        ("x" * 20_001, "longer than"),
    ],
)
def test_a_text_holds_names_and_our_filters_alone(source: str, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the sentence is asked below
        Text.parse(source)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "source", ["{{ name | date }}", "{{ name | money }}", "{{ yes | number }}", "{{ day | time }}"]
)
def test_a_filter_refuses_what_it_cannot_say_without_the_value(source: str) -> None:
    with pytest.raises(ValueError, match="cannot be shown") as refused:
        filled(source)
    assert "김하나" not in str(refused.value)


def test_names_are_told_with_those_that_must_be_there() -> None:
    text = Text.parse("{{ a.b | date }} {{ c | default('') }}")
    assert (text.names, text.needed) == ({"a.b", "c"}, {"a.b"})


def test_nested_arguments_are_rendered_in_place() -> None:
    written = {"row": {"a": Text.parse("{{ price }}"), "b": [Text.parse("{{ name }}님"), 3]}}
    assert render_all(written, VALUES.get, KOREAN) == {"row": {"a": Decimal(45000), "b": ["김하나님", 3]}}


def test_a_message_has_the_blanks_that_are_filled() -> None:
    assert blanks("#{이름}님 #{ 일시 } # {x} #{} {{ y }} #{이름}") == {"이름", "일시"}
    assert fill("#{이름}님 #{ 일시 }", {"이름": "하나", "일시": "내일"}) == "하나님 내일"
    with pytest.raises(MissingValue, match="일시"):
        fill("#{이름} #{일시}", {"이름": "하나"})
