"""The service blueprint: stage > what the customer lives through > what is done for it > by whom. Markdown."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from flows.playbook import labels, saying
from flows.playbook.model import Book, Place, Playbook, Step

Words = Mapping[str, str]


def places(book: Book) -> list[str]:
    """Every place where a playbook can stand, in the order of the canvas; `circle` is the whole of it."""
    return [*book.canvas.stages, *book.canvas.arrows, "circle"]


def standing(book: Book, place: str) -> list[Playbook]:
    """The playbooks of one place."""
    return [playbook for playbook in book.playbooks.values() if playbook.stage == place]


def blueprint(book: Book, of: Iterable[str] | None = None, language: Literal["ko", "en"] | None = None) -> str:
    """Markdown of all places, or of some; `language` is that of the labels, the company's by default."""
    words = labels.words(language or book.company.language)
    wanted = list(of) if of is not None else worth(book)
    return "\n".join(_lines(wanted, book, words)).rstrip() + "\n"


def worth(book: Book) -> list[str]:
    """Places to show: a stage without a playbook too, since that is a gap; an arrow or the circle only with one."""
    return [name for name in places(book) if name in book.canvas.stages or standing(book, name)]


def _lines(wanted: list[str], book: Book, words: Words) -> Iterator[str]:
    yield f"# {labels.plain(book.company.name)}: {words['blueprint']}"
    for name in wanted:
        yield ""
        yield f"## {labels.place(name, book, words)}"
        yield ""
        yield from _meant(book.canvas.stages.get(name) or book.canvas.arrows.get(name), words)
        found = standing(book, name)
        for playbook in found:
            yield from _table(playbook, book, words)
        if not found:
            yield f"*{words['no_playbook']}*"


def _meant(place: Place | None, words: Words) -> Iterator[str]:
    said = (("to_be", place.design), ("as_is", place.as_is), ("gap", place.gap)) if place else ()
    lines = [f"- **{words[key]}**: {labels.plain(sentence)}" for key, sentence in said if sentence]
    yield from [*lines, ""] if lines else []


def _table(playbook: Playbook, book: Book, words: Words) -> Iterator[str]:
    yield f"### {labels.plain(playbook.title)}"
    yield ""
    yield f"| {words['scenario']} | {words['steps']} | {words['who']} |"
    yield "| --- | --- | --- |"
    for line, steps in served(playbook, words):
        for number, step in enumerate(steps or [None]):
            said = (labels.plain(step.do), who(step, playbook, book, words)) if step else ("", "")
            yield f"| {labels.plain(line) if number == 0 else ''} | {said[0]} | {said[1]} |"
    yield ""


def served(playbook: Playbook, words: Words) -> Iterator[tuple[str, list[Step]]]:
    """Each line of the scenario with the steps that serve it, none if there is a hole; at last what is done behind."""
    for id, line in playbook.scenario.items():
        yield line, [step for step in playbook.steps if id in step.serves]
    behind = [step for step in playbook.steps if not set(step.serves) & set(playbook.scenario)]
    if behind:
        yield words["behind"], behind


def who(step: Step, playbook: Playbook, book: Book, words: Words) -> str:
    """By whom, or until when it waits; Markdown."""
    if step.by is not None:
        return labels.who(step.by, playbook, book, words)
    if step.wait is None:
        return ""
    time = saying.moment(step.wait, lambda path: labels.label(path, playbook), labels.language(words))
    return f"{words['wait']}: {labels.plain(time)}"
