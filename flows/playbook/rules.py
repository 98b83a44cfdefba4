"""What a playbook must keep beside its shape: names, places, people, scenario and measures (starts: see `starts`)."""

import re
from collections.abc import Iterable, Mapping

from flows.playbook.load import Path_
from flows.playbook.model import EXCHANGES, Book, FormField, Playbook, Step
from flows.playbook.problem import nearest
from flows.playbook.sheet import Sheet

TAKEN = {
    "start", "party", "case", "period", "reply", "today", "now",
    "and", "or", "not", "in", "for", "if", "null", "true", "false", "inf", "nan",
}  # fmt: skip
TRIED = {"trial", "complete", "operate", "expand"}  # states in which each step says whom it serves
_GOAL = re.compile(r"(<=|>=) ?-?\d+(\.\d+)?")
_FOR_PEOPLE = ("form", "evidence", "checklist", "due", "remind", "escalate")
_FOR_ACTIONS = ("arguments", "key", "for_each", "check", "between")


def check(playbook: Playbook, book: Book, sheet: Sheet) -> None:
    """Write everything down that does not hold; needs the other files of the company in `book`."""
    _head(playbook, book, sheet)
    _fields(playbook.fields, ("fields",), book, sheet)
    _names(playbook, sheet)
    for number, step in enumerate(playbook.steps):
        _step(step, ("steps", number), playbook, book, sheet)
    _scenario(playbook, sheet)
    _measures(playbook, sheet)


def who(word: str, book: Book, path: Path_, sheet: Sheet, extra: Iterable[str] = ()) -> None:
    """A role or a person."""
    sheet.known(path, word, [*book.company.roles, *book.company.people, *extra], "role or person of company.yaml")


def _head(playbook: Playbook, book: Book, sheet: Sheet) -> None:
    sheet.known(
        ("stage",), playbook.stage, [*book.canvas.stages, *book.canvas.arrows, "circle"], "place of canvas.yaml"
    )
    sheet.known(("owner",), playbook.owner, book.company.roles, "role of company.yaml")
    if not playbook.steps:
        sheet.say(("steps",), "a playbook has at least one step; write the first one")
    if playbook.state == "expand":
        sheet.notice(("state",), "expand works as operate; instances of their own are not yet active")
    if "measures" in playbook.model_fields_set:
        sheet.notice(("measures",), "measures is read, and not yet active")
    if playbook.on_failure:
        who(playbook.on_failure.tell, book, ("on_failure", "tell"), sheet)
    for number, stop in enumerate(playbook.stop):
        path: Path_ = ("stop", number)
        if sum((bool(stop.exchange), stop.when is not None, stop.consent is not None)) != 1:
            said = "a stop names one of exchange: [kinds], when: an expression, and consent: withdrawn"
            sheet.say(path, f"{said}; write one of them")
        if (stop.consent is None) != (stop.purpose is None):
            sheet.say(path, "consent: withdrawn and purpose: go together; add the other, or take it away")
        for place, kind in enumerate(stop.exchange):
            sheet.known((*path, "exchange", place), kind, kinds(book), "kind of exchange")


def kinds(book: Book) -> list[str]:
    """Kinds of exchanges and their families."""
    found = {*EXCHANGES, *book.canvas.kinds}
    return sorted(found | {kind.partition("_")[0] for kind in found})


def _fields(fields: Mapping[str, FormField], path: Path_, book: Book, sheet: Sheet) -> None:
    for name, field in fields.items():
        at = (*path, name)
        if (field.type == "choice") != bool(field.choices):
            add = "a choice needs choices: [one, two]" if field.type == "choice" else "choices belong to type: choice"
            sheet.say(at, add)
        if field.default is not None and field.choices and field.default not in field.choices:
            sheet.say(
                (*at, "default"), f"{field.default} is not among the choices{nearest(field.default, field.choices)}"
            )
        if field.min is not None and field.max is not None and field.min > field.max:
            sheet.say((*at, "min"), "min is larger than max; exchange them")
        for key in ("min", "max"):
            if getattr(field, key) is not None and field.type not in {"integer", "number", "money"}:
                sheet.say((*at, key), f"{key} belongs to numbers; take it away", key=True)
        _person_or_consent(field, at, book, sheet)


def _person_or_consent(field: FormField, at: Path_, book: Book, sheet: Sheet) -> None:
    if field.type == "person" and field.role is None:
        sheet.say(at, "a person is of a role; add role:")
    if field.role is not None:
        if field.type != "person":
            sheet.say((*at, "role"), "role belongs to type: person; take it away", key=True)
        sheet.known((*at, "role"), field.role, book.company.roles, "role of company.yaml")
    if field.type == "consent" and field.purpose is None:
        sheet.say(at, "a consent is for something; add purpose: info, ad or sensitive")
    for key in ("purpose", "medium"):
        if getattr(field, key) is not None and field.type != "consent":
            sheet.say((*at, key), f"{key} belongs to type: consent; take it away", key=True)
    if field.medium is not None:
        sheet.known((*at, "medium"), field.medium, book.company.mediums, "medium of company.yaml")


def _names(playbook: Playbook, sheet: Sheet) -> None:
    """Steps and fields share one name space."""
    seen: dict[str, Path_] = {name: ("fields", name) for name in playbook.fields}
    taken = TAKEN | ({"item"} if any(step.for_each for step in playbook.steps) else set())
    for name, path in seen.items():
        _taken(name, path, sheet, taken, key=True)
    for number, step in enumerate(playbook.steps):
        path = ("steps", number, "id")
        _taken(step.id, path, sheet, taken)
        if step.id in seen:
            first = sheet.document.place(seen[step.id], key=True).line
            sheet.say(path, f"{step.id} is a name twice, first in line {first}; give this step another id")
        seen.setdefault(step.id, path)
        for group, fields in (("form", step.form), ("fallback", step.fallback.form if step.fallback else {})):
            for name in fields:
                inner = ("form", name) if group == "form" else ("fallback", "form", name)
                _taken(name, ("steps", number, *inner), sheet, TAKEN, key=True)


def _taken(name: str, path: Path_, sheet: Sheet, taken: set[str], *, key: bool = False) -> None:
    if name in taken:
        sheet.say(path, f"{name} is a word of the language; choose another name", key=key)


def _step(step: Step, path: Path_, playbook: Playbook, book: Book, sheet: Sheet) -> None:
    if (step.by is None) == (step.wait is None):
        said = "a step has either by: or wait:; "
        sheet.say((*path, "id"), said + ("add one of them" if step.by is None else "take one of them away"))
    if step.by is not None and not step.by.machine:
        place = (*path, "by", "role")
        if step.by.who is None:
            who(step.by.role, book, place, sheet, ["machine"])
        else:
            sheet.known(place, step.by.role, book.company.roles, "role of company.yaml")
    if step.by is not None and step.by.machine:
        _by_machine(step, path, sheet)
    if step.by is None and step.use is not None:
        sheet.say((*path, "use"), "a wait does nothing else; put use: into a step of its own", key=True)
    for key in _FOR_ACTIONS if step.use is None else ():
        if key in step.model_fields_set:
            word = "with" if key == "arguments" else key
            sheet.say((*path, word), f"{word} belongs to use:; add use: or take {word} away", key=True)
    _people(step, path, book, sheet)
    _evidence(step, path, sheet)
    if step.for_each is not None and step.key is not None and not any(_of_item(name) for name in step.key.names):
        sheet.say((*path, "key"), "with for_each each item needs a key of its own; name {{ item }} in it")
    _fields(step.form, (*path, "form"), book, sheet)
    _sensitive(step.form, (*path, "form"), playbook, sheet)
    if playbook.state in TRIED and step.by is not None:
        for key in ("serves", "expect", "by_hand"):
            if not getattr(step, key) and not (key == "serves" and not playbook.scenario):
                sheet.say(
                    (*path, "id"), f"{step.id}: {key} is missing; from state trial on each step by someone has it"
                )


def _of_item(name: str) -> bool:
    return name.partition(".")[0] == "item"


def _evidence(step: Step, path: Path_, sheet: Sheet) -> None:
    if step.evidence is not None and "evidence" in step.form:
        sheet.say((*path, "form", "evidence"), "evidence is asked already; give this answer another name", key=True)
    if step.evidence == "photo":
        sheet.notice((*path, "evidence"), "a photo is given as a link to it; taking one on the page is not yet active")


def _by_machine(step: Step, path: Path_, sheet: Sheet) -> None:
    if step.by is not None and step.by.who is not None:
        sheet.say((*path, "by", "who"), "a machine is no person; take who away", key=True)
    if step.use is None:
        sheet.say((*path, "by"), "a step by machine names what it does; add use: connection.action")
    for key in _FOR_PEOPLE:
        if key in step.model_fields_set:
            sheet.say((*path, key), f"{key} belongs to steps by people; take it away", key=True)


def _people(step: Step, path: Path_, book: Book, sheet: Sheet) -> None:
    if step.escalate is not None:
        who(step.escalate.to, book, (*path, "escalate", "to"), sheet, ["playbook_owner"])
        if step.due is None and step.by is not None:
            sheet.say((*path, "escalate"), "escalate counts from due; add due:", key=True)
    if step.remind is not None and step.due is None:
        sheet.say((*path, "remind"), "remind counts back from due; add due:", key=True)
    if step.fallback is not None:
        if step.fallback.by is not None:
            who(step.fallback.by, book, (*path, "fallback", "by"), sheet)
        _fields(step.fallback.form, (*path, "fallback", "form"), book, sheet)
    if step.wait is not None and step.by is None:
        for key in (*_FOR_PEOPLE, "fallback", "by_hand"):
            if key in step.model_fields_set:
                sheet.say((*path, key), f"{key} belongs to a step with by:; take it away", key=True)


def _sensitive(form: Mapping[str, FormField], path: Path_, playbook: Playbook, sheet: Sheet) -> None:
    agreed = any(field.type == "consent" and field.purpose == "sensitive" for field in playbook.fields.values())
    for name, field in form.items():
        if field.sensitive and not agreed:
            sheet.say(
                (*path, name),
                f"{name} is sensitive: the fields need one of type: consent with purpose: sensitive; add it",
                key=True,
            )


def _scenario(playbook: Playbook, sheet: Sheet) -> None:
    served: set[str] = set()
    lines = playbook.scenario
    serving = [("steps", number, step.serves) for number, step in enumerate(playbook.steps)]
    serving += [("stop", number, stop.serves) for number, stop in enumerate(playbook.stop)]
    for group, number, words in serving:
        for place, word in enumerate(words):
            served.add(word)
            sheet.known((group, number, "serves", place), word, lines, "line of the scenario")
    for name in lines:
        if name not in served and playbook.state in TRIED:
            sheet.say(("scenario", name), f"{name} is served by no step; name it in serves: of one", key=True)


def _measures(playbook: Playbook, sheet: Sheet) -> None:
    steps = playbook.index
    for number, measure in enumerate(playbook.measures):
        path: Path_ = ("measures", number)
        given = [
            key for key in ("minutes", "business_minutes", "share", "on_time") if getattr(measure, key) is not None
        ]
        if len(given) != 1:
            sheet.say(path, "a measure has exactly one of minutes, business_minutes, share and on_time")
        for key in ("minutes", "business_minutes"):
            for place, word in enumerate(getattr(measure, key) or ()):
                sheet.known((*path, key, place), word, ["start", *steps], "step of this playbook")
        if measure.on_time is not None:
            sheet.known((*path, "on_time"), measure.on_time, steps, "step of this playbook")
        if measure.target is not None and not _GOAL.fullmatch(measure.target.strip()):
            sheet.say((*path, "target"), f"{measure.target!r} is no target; write it as '<= 60' or '>= 0.8'")
