"""Fields of a playbook as inputs of a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flows.playbook.form import Refusal
from flows.playbook.model import Company, FormField
from flows.web.words import Words, said

_FEW = 6  # choices that stand side by side; more become a list to pick from
_TYPES = {
    "phone": "tel", "email": "email", "integer": "number", "number": "number", "date": "date", "time": "time",
    "datetime": "datetime-local",
}  # fmt: skip
_FILL = {"phone": "tel", "email": "email"}  # what a phone offers to fill in
_MODES = {"integer": "numeric", "number": "decimal", "money": "numeric"}


@dataclass(frozen=True, slots=True)
class Input:
    """One field as the template shows it. `shape`: line | area | radio | select | tick."""

    name: str
    label: str
    shape: str
    type: str
    required: bool
    value: str
    options: tuple[tuple[str, str], ...]
    error: str | None
    fill: str
    mode: str
    min: str | None
    max: str | None
    step: str | None


def inputs(
    fields: Mapping[str, FormField],
    values: Mapping[str, str],
    refused: Sequence[Refusal],
    company: Company,
    words: Words,
) -> list[Input]:
    """All fields in their order; `values` as they were typed, by field name."""
    wrong = {one.field: one.sentence for one in refused}
    return [_input(name, field, values, wrong.get(name), company, words) for name, field in fields.items()]


def _input(
    name: str, field: FormField, values: Mapping[str, str], wrong: str | None, company: Company, words: Words
) -> Input:
    label = field.label or name
    options = _options(field, company, words)
    return Input(
        name=name,
        label=label,
        shape=_shape(field, options),
        type=_TYPES.get(field.type, "text"),
        required=field.required,
        value=values.get(name, "" if field.type == "consent" else field.default or ""),
        options=options,
        error=said(wrong, label, company.language) if wrong else None,
        fill=_FILL.get(field.type, "name" if name == "name" else "off"),
        mode=_MODES.get(field.type, ""),
        min=None if field.min is None else f"{field.min:f}",
        max=None if field.max is None else f"{field.max:f}",
        step={"integer": "1", "number": "any"}.get(field.type),
    )


def _options(field: FormField, company: Company, words: Words) -> tuple[tuple[str, str], ...]:
    match field.type:
        case "choice":
            return tuple(field.choices.items())
        case "yesno":
            return (("yes", words["yes"]), ("no", words["no"]))
        case "person":
            role = company.roles.get(field.role or "")
            people = role.people if role else list(company.people)
            return tuple((id, company.people[id].name if id in company.people else id) for id in people)
    return ()


def _shape(field: FormField, options: Sequence[object]) -> str:
    if field.type == "consent":
        return "tick"
    if options:
        return "radio" if len(options) <= _FEW else "select"
    return "area" if field.type == "text" and not field.required else "line"
