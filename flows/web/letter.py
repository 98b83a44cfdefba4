"""A message that a person is to send, as its page and the terminal say it, in the company's language."""

from flows.engine.letter import Letter
from flows.web.words import Words

Facts = tuple[tuple[str, str], ...]


def facts(letter: Letter, words: Words) -> Facts:
    """For whom it is, where it goes, by which medium, and its subject, each under its label."""
    told = [
        (words["for_whom"], letter.name),
        (words[letter.contact], letter.to),
        (words["medium"], words.get(f"medium_{letter.medium}", letter.medium)),
        (words["subject"], letter.subject),
    ]
    return tuple((label, value) for label, value in told if value)


def trouble(letter: Letter, words: Words, *, leaves: bool) -> tuple[str, ...]:
    """What keeps it from being sent as it is; `leaves`: the machine will send it."""
    said = []
    if letter.missing:
        said.append(words["no_value"].format(letter.missing))
    if letter.wrong:
        said.append(words["no_text"].format(letter.wrong))
    if letter.to is None and letter.medium:
        said.append(words[f"no_{letter.contact}"])
    if letter.advert:
        said.append(words["advert_stays" if leaves else "advert"])
    return tuple(said)
