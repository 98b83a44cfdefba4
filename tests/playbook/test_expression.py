"""What conditions may say, what they give, and what is said of those that do not fit."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from flows.playbook.expression import Expression, Type

TODAY = date(2026, 11, 21)
SEOUL = ZoneInfo("Asia/Seoul")
VALUES: dict[str, object] = {
    "channel": "referral",
    "age": 41,
    "price": Decimal("45000.50"),
    "rate": 0.1,
    "attend.attended": False,
    "attend.memo": None,
    "ends": date(2026, 12, 5),
    "class_at": datetime(2026, 11, 21, 15, 30, tzinfo=UTC),  # already the 22nd in Seoul
    "at": time(9, 30),
    "tags": ["a", "b"],
    "party.has.visit_trial": 2,
}


def value(source: str) -> object:
    return Expression.parse(source).evaluate(VALUES.get, TODAY, SEOUL)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("channel == 'referral'", True),
        ('channel == "walk_in"', False),
        ("channel != 'walk_in'", True),
        ("not attend.attended", True),
        ("attend.attended == false", True),
        ("age >= 40 and age < 50", True),
        ("age < 40 or channel == 'referral'", True),
        ("age in [40, 41]", True),
        ("channel in ['a', 'referral']", True),
        ("channel not in ['a']", True),
        ("'a' in tags", True),
        ("age + 1 * 2 == 43", True),
        ("(age + 1) * 2 == 84", True),
        ("price / 2 > 22500", True),
        ("-age < 0", True),
        ("rate == 0.1", True),
        ("party.has.visit_trial > 1", True),
        ("days_until(ends) == 14", True),
        ("days_since(ends) == -14", True),
        ("days_until(class_at) == 1", True),
        ("ends > today", True),
        ("channel == '홍대 (나가다) # =~ ?'", False),
        # missing: a comparison or function is false, whichever way it is asked
        ("attend.memo == 'x'", False),
        ("attend.memo != 'x'", False),
        ("attend.memo < 3", False),
        ("attend.memo in ['x']", False),
        ("days_until(attend.memo) == 3", False),
        ("attend.memo + 1 > 0", False),
        ("attend.memo", False),
        ("not attend.memo", True),
        ("nobody.knows == 1", False),
        ("age / 0 > 1", False),
    ],
)
def test_conditions_give_what_they_say(source: str, expected: object) -> None:
    assert value(source) is expected


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("channel =~ 'x.*'", "=~ is not part"),
        ("channel !~ 'x'", "!~ is not part"),
        ("$now > ends", "$ is not part"),
        ("9 ** 9 ** 9 ** 9 > 1", "** is not part"),
        ("age = 3", "to compare write =="),
        ("age // 2 == 1", "// is not part"),
        ("age % 2 == 1", "% is not part"),
        ("age & 1", "& is not part"),
        ("age ? 1 : 2", "? is not part"),
        ("[x for x in tags]", "for is not part"),
        ("null == age", "null is not part"),
        ("age > inf", "inf is not part"),
        ("tags[0] == 'a'", "reading by [..]"),
        ("tags", None),
        ("[1, 2]", "without in before it"),
        ("channel.to_upper() == 'X'", "channel.to_upper() is not part"),
        ("'a'.length == 1", "a point may stand only between names"),
        ("open('x')", "open() is not part"),
        ("days_until(ends, ends) > 1", "exactly one date"),
        ("d'2026-11-21' < ends", "d cannot stand directly"),
        ("t'P1D' < ends", "t cannot stand directly"),
        ("age >", "ends too early"),
        ("channel == 'x", "never closed"),
        ("이름 == 'x'", "cannot be read"),
        ("1 < age < 5", "cannot be read at '<'"),
        ("(age).x == 1", "a point may stand only between names"),
        ("{{ age }} > 1", "without braces"),
        ("", "an expression is expected"),
        ("age in 3", "after in stand words|cannot be computed"),
        ("1 < 'a'", "cannot be computed"),
        ("not " * 400 + "age", "longer than"),
        ("(" * 490 + "age" + ")" * 490, None),
    ],
)
def test_what_is_not_in_the_language_is_refused(source: str, sentence: str | None) -> None:
    if sentence is None:
        Expression.parse(source)
        return
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the sentence is asked below
        Expression.parse(source)
    assert any(part in str(refused.value) for part in sentence.split("|"))


TYPES = {
    "channel": Type("text", frozenset({"referral", "walk_in"})),
    "age": Type("number"),
    "attended": Type("yesno"),
    "memo": Type("text"),
    "ends": Type("date"),
    "class_at": Type("datetime"),
    "tags": Type("list"),
    "answer": Type("any"),
}


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("channel == 'referral' and age > 3 and not attended", ""),
        ("answer == 3 or answer == 'x'", ""),
        ("answer", ""),
        ("days_until(class_at) < 3 and ends == today", ""),
        ("memo == 3", "memo is text and 3 is a number"),
        ("age == '3'", "age is a number and '3' is text"),
        ("channel == 'referal'", "'referal' is not among the choices; did you mean referral?"),
        ("channel in ['walkin']", "'walkin' is not among the choices; did you mean walk_in?"),
        ("age in ['x']", "the brackets hold text"),
        ("'x' in memo", "after in stand several values; memo is text"),
        ("agge > 3", "agge is not known here; did you mean age?"),
        ("attended == yes", "write true or false"),
        ("two-days > 3", "two is not known here"),
        ("days_until(memo) > 3", "days_until() takes a date; memo is text"),
        ("memo + 1 > 3", "+ takes numbers; memo is text"),
        ("-memo > 3", "- takes numbers; memo is text"),
        ("not memo", "not takes yes or no; memo is text"),
        ("memo and attended", "and takes yes or no; memo is text"),
        ("attended > false", "> cannot order yes or no"),
        ("ends < class_at", "ends is a date and class_at is a date with a time"),
        ("age", "a condition is true or false; this is a number"),
        ("age + 1", "a condition is true or false; this is a number"),
    ],
)
def test_kinds_are_checked_before_a_case_comes(source: str, sentence: str) -> None:
    found = Expression.parse(source).check(TYPES.get, TYPES)
    assert bool(found) is bool(sentence)
    assert any(sentence in line for line in found) or not sentence


@pytest.mark.parametrize("source", ["channel > 3", "age == 'x'", "ends == age", "channel + 1 > 2"])
def test_mixed_kinds_of_unknown_values_are_an_error_without_the_value(source: str) -> None:
    with pytest.raises(ValueError, match="cannot be") as refused:
        value(source)
    assert "referral" not in str(refused.value)


def test_names_are_told_as_dotted_paths() -> None:
    found = Expression.parse("a.b.c == 1 and days_until(d.e) in [f, 2] or today > g")
    assert found.names == {"a.b.c", "d.e", "f", "today", "g"}


def test_equal_sources_are_equal_expressions() -> None:
    assert {Expression.parse("age > 3"), Expression.parse("age > 3")} == {Expression.parse("age > 3")}
    assert Expression.parse(Expression.parse("age > 3")).source == "age > 3"
