"""Tally: forms whose answers come as signed webhooks."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field, SecretStr

from connectors.base import Connector, Incoming
from connectors.errors import Odd
from connectors.forms import SUBMITTED, flat, joined
from connectors.payload import json_object, key_of
from connectors.signatures import verify_base64

_SIGNATURE = "tally-signature"  # https://tally.so/help/webhooks; it comes only if the form has a signing secret


class Tally(Connector):
    """Receives what people send by a Tally form. Fields are found by their question, or by Tally's own key of it.

    Chosen options come as their texts, several of them joined by commas; uploaded files as their addresses.
    """

    service: ClassVar[str] = "tally"
    room: ClassVar[str] = "forms"
    events: ClassVar[tuple[str, ...]] = (SUBMITTED,)
    signed: ClassVar[bool] = True
    console: ClassVar[str] = """
        Open the form in Tally, publish it, and open its tab Integrations
        Webhooks > Connect: paste https://your-name/in/CONNECTION as the endpoint
        Turn on Signing secret, copy it into the connection's variable, and save
        Send the form once yourself: it stands under Events in Tally, and as a case here
    """
    limits: ClassVar[str] = (
        "Tally waits 10 seconds for an answer and tries five times more, the last time after a day (November 2026)"
    )

    signing_secrets: list[SecretStr] = Field(
        description="Tally shows it when you connect the webhook: Integrations > Webhooks > Signing secret; "
        "several: separate them by commas"
    )

    def receive(self, headers: Mapping[str, str], raw: bytes) -> Incoming:
        """Verify, and find the submission's own id. Raises Forged, Odd or NotConnected."""
        given = {name.lower(): value for name, value in headers.items()}.get(_SIGNATURE, "")
        verify_base64(self.signing_secrets, given, raw)
        payload = json_object(raw)
        data = _data(payload)
        id = data.get("submissionId") or data.get("responseId")  # the same when Tally sends it again, unlike eventId
        return Incoming(SUBMITTED, key_of(id, "the submission"), payload)

    def read(self, name: str, raw: bytes) -> dict[str, Any]:
        """The answers by question and by Tally's key. Raises Odd."""
        del name
        payload = json_object(raw)
        data = _data(payload)
        fields = data.get("fields")
        if not isinstance(fields, list):
            raise Odd("the submission has no fields")
        at = data.get("createdAt") or payload.get("createdAt")
        form = data.get("formId")
        return flat(
            _answers(fields),
            form=form if isinstance(form, str) else "",
            at=at if isinstance(at, str) else None,
        )


def _data(payload: dict[str, Any]) -> dict[str, Any]:
    if payload.get("eventType", "FORM_RESPONSE") != "FORM_RESPONSE":
        raise Odd("Tally sent something else than a submitted form")
    data = payload.get("data")
    if not isinstance(data, dict):
        raise Odd("the webhook has no submission in it")
    return data


def _answers(fields: list[Any]) -> Iterator[tuple[str, str, Any]]:
    for field in fields:
        if not isinstance(field, dict):
            raise Odd("an answer is of a shape that cannot be read")
        key, label = field.get("key"), field.get("label")
        yield (
            key if isinstance(key, str) else "",
            label.strip() if isinstance(label, str) else "",
            _value(field),
        )


def _value(field: Mapping[str, Any]) -> Any:
    value = field.get("value")
    if isinstance(value, dict) and isinstance(field.get("rows"), list):
        return _matrix(value, field)
    options = field.get("options")
    if isinstance(options, list):
        texts = _texts(options)
        return joined([_text(one, texts) for one in (value if isinstance(value, list) else [value])] if value else None)
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return _addresses(value)
    if isinstance(value, list) and value:  # ids of options: nobody may read one as an answer
        raise Odd("an answer names options that did not come with it")
    return value


def _addresses(files: list[Any]) -> str:
    """Uploads and signatures: one address a line."""
    found = [one.get("url") if isinstance(one, dict) else None for one in files]
    if not all(isinstance(one, str) and one for one in found):
        raise Odd("an uploaded file has no address")
    return "\n".join(map(str, found))


def _matrix(value: Mapping[str, Any], field: Mapping[str, Any]) -> str | None:
    """A table of choices: each row's text with what was chosen in it."""
    rows, columns = _texts(field["rows"]), _texts(field.get("columns") or [])
    lines = [
        f"{_text(row, rows)}: {joined([_text(one, columns) for one in chosen])}"
        for row, chosen in value.items()
        if isinstance(chosen, list) and chosen
    ]
    return "\n".join(lines) or None


def _texts(options: Any) -> dict[str, str]:
    known = [one for one in options if isinstance(one, dict)] if isinstance(options, list) else []
    return {
        str(one.get("id")): one["text"] for one in known if isinstance(one.get("text"), str) and one["text"].strip()
    }


def _text(id: Any, texts: Mapping[str, str]) -> str:
    if not isinstance(id, str) or id not in texts:
        raise Odd("an answer names an option that the form does not have")
    return texts[id]
