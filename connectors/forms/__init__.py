"""Forms: what somebody filled in and sent."""

from collections.abc import Iterable
from typing import Any

SUBMITTED = "form.submitted"


def flat(answers: Iterable[tuple[str, str, Any]], *, form: str, at: str | None) -> dict[str, Any]:
    """Answers as playbooks look for them: each of `answers` (key, label, value) under its key and under its label.

    A label that two answers of one form share names neither, unless only one of them has a value:
    then the field is missing and a person looks, instead of the wrong answer being taken.
    """
    by_key: dict[str, Any] = {}
    by_label: dict[str, Any] = {}
    shared: set[str] = set()
    for key, label, value in answers:
        if key:
            by_key[key] = value
        if not label or value is None:
            continue
        if label in by_label and by_label[label] != value:
            shared.add(label)
        by_label[label] = value
    named = {label: value for label, value in by_label.items() if label not in shared}
    return {**by_key, **named, "form": form, "submitted_at": at}


def joined(value: Any) -> Any:
    """Several chosen texts as one, as a person would write them; a list of anything else stays what it is."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return value
    return ", ".join(one.strip() for one in value if one.strip()) or None
