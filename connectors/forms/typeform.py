"""Typeform: forms whose answers come as signed webhooks; with a token, those that were missed are asked for."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import Field, SecretStr

from connectors.base import Connector, Incoming
from connectors.errors import NotConnected, Odd, Rejected, Unavailable
from connectors.forms import SUBMITTED, flat, joined
from connectors.payload import json_object, key_of
from connectors.signatures import verify_base64

_SIGNATURE, _PREFIX = (
    "typeform-signature",
    "sha256=",
)  # https://www.typeform.com/developers/webhooks/secure-your-webhooks
_PAGE = 1000  # the most that one call brings
_PAGES = 20


class Typeform(Connector):
    """Receives what people send by a Typeform. Fields are found by their question, or by the question's `ref`.

    Chosen options come as their texts, several of them joined by commas; hidden fields by their names.
    """

    service: ClassVar[str] = "typeform"
    room: ClassVar[str] = "forms"
    hosts: ClassVar[tuple[str, ...]] = ("api.typeform.com", "api.eu.typeform.com")
    events: ClassVar[tuple[str, ...]] = (SUBMITTED,)
    signed: ClassVar[bool] = True
    usual_rate: ClassVar[str | None] = "2/1s"  # https://www.typeform.com/developers/get-started/
    scopes: ClassVar[tuple[str, ...]] = ("accounts:read", "forms:read", "responses:read")
    console: ClassVar[str] = """
        Open the form in Typeform: Connect > Webhooks > Add a webhook
        Paste https://your-name/in/CONNECTION as the endpoint, then Edit > Secret: type a long word of chance
        Copy the same word into the connection's variable, save, and turn the webhook on
        To fetch what was missed: your account > Personal tokens > Generate a token, and write the form's id as `form`
    """
    limits: ClassVar[str] = (
        "two calls a second; responses of the last half hour may not be listed yet; a webhook is tried again "
        "for some hours only (November 2026)"
    )

    base_url: str = "https://api.typeform.com"
    form: str = Field("", pattern=r"^[A-Za-z0-9]*$")
    signing_secrets: list[SecretStr] = Field(
        description="the word you typed at Connect > Webhooks > Edit > Secret; several: separate them by commas"
    )
    token: SecretStr | None = Field(None, description="Typeform shows it once: your account > Personal tokens")

    def receive(self, headers: Mapping[str, str], raw: bytes) -> Incoming:
        """Verify, and find the response's own token. Raises Forged, Odd or NotConnected."""
        given = {name.lower(): value for name, value in headers.items()}.get(_SIGNATURE, "")
        verify_base64(self.signing_secrets, given.removeprefix(_PREFIX) if given.startswith(_PREFIX) else "", raw)
        payload = json_object(raw)
        return Incoming(SUBMITTED, _key(_response(payload)), payload)

    def read(self, name: str, raw: bytes) -> dict[str, Any]:
        """The answers by question and by ref. Raises Odd."""
        del name
        response = _response(json_object(raw))
        answers = response.get("answers")
        if not isinstance(answers, list):
            raise Odd("the response has no answers")
        definition = response.get("definition")
        titles = dict(_titles(definition.get("fields") if isinstance(definition, dict) else None))
        form, at = response.get("form_id"), response.get("submitted_at")
        return flat(
            [*_hidden(response), *_answers(answers, titles)],
            form=form if isinstance(form, str) else "",
            at=at if isinstance(at, str) else None,
        )

    def reconcile(self, since: datetime) -> tuple[Incoming, ...]:
        """All responses since `since` (aware), with the keys of their webhooks. Raises NotConnected without a token."""
        if self.token is None or not self.form:
            raise NotConnected("form and token are needed to list what was sent")
        definition = self._form()
        found: list[Incoming] = []
        before = ""
        for _ in range(_PAGES):
            page = self._responses(since, before)
            found += [_as_webhook(one, self.form, definition) for one in page]
            if len(page) < _PAGE:
                return tuple(found)
            before = found[-1].key
        raise Unavailable("there are more responses than can be asked for at once")

    def probe(self) -> str:
        """Read the form's title, if there is a token."""
        if self.token is None or not self.form:
            return "the settings are complete; without form and token there is nothing to ask"
        return f"Typeform shows the form {self._form().get('title') or self.form}"

    def credentials(self) -> dict[str, Any]:
        token = self.token.get_secret_value() if self.token else ""
        return {"headers": {"authorization": f"Bearer {token}"}}

    def _form(self) -> dict[str, Any]:
        found = self.http.get(f"/forms/{self.form}").json()
        if not isinstance(found, dict) or not isinstance(found.get("fields"), list):
            raise Rejected("Typeform's answer is no form")
        return found

    def _responses(self, since: datetime, before: str) -> list[dict[str, Any]]:
        asked: dict[str, Any] = {"page_size": _PAGE, "since": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        found = self.http.get(f"/forms/{self.form}/responses", asked | ({"before": before} if before else {})).json()
        items = found.get("items") if isinstance(found, dict) else None
        if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
            raise Rejected("Typeform's answer is no list of responses")
        return items


def _as_webhook(item: dict[str, Any], form: str, definition: dict[str, Any]) -> Incoming:
    """A listed response in the shape of its webhook, so that both are read alike."""
    response = {**item, "form_id": form, "definition": {"fields": definition.get("fields")}}
    payload = {"event_type": "form_response", "form_response": response}
    raw = json.dumps(payload, ensure_ascii=False, default=str).encode()
    return Incoming(SUBMITTED, _key(response), payload, raw=raw)


def _response(payload: dict[str, Any]) -> dict[str, Any]:
    if payload.get("event_type") != "form_response":  # there is form_response_partial as well
        raise Odd("Typeform sent something else than a submitted form")
    response = payload.get("form_response")
    if not isinstance(response, dict):
        raise Odd("the webhook has no response in it")
    return response


def _key(response: Mapping[str, Any]) -> str:
    return key_of(response.get("token"), "the response")


def _titles(fields: Any) -> Iterator[tuple[str, str]]:
    """The question of each field by its id; groups hold fields of their own."""
    for field in fields if isinstance(fields, list) else []:
        if not isinstance(field, dict):
            continue
        if isinstance(field.get("id"), str) and isinstance(field.get("title"), str):
            yield field["id"], field["title"].strip()
        properties = field.get("properties")
        yield from _titles(properties.get("fields") if isinstance(properties, dict) else None)


def _hidden(response: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    hidden, variables = response.get("hidden"), response.get("variables")
    for name, value in hidden.items() if isinstance(hidden, dict) else ():
        yield name, "", value
    for one in variables if isinstance(variables, list) else ():
        if isinstance(one, dict) and isinstance(one.get("key"), str):
            yield one["key"], "", one.get(str(one.get("type")))


def _answers(answers: list[Any], titles: Mapping[str, str]) -> Iterator[tuple[str, str, Any]]:
    for answer in answers:
        field = answer.get("field") if isinstance(answer, dict) else None
        if not isinstance(field, dict):
            raise Odd("an answer does not say which question it belongs to")
        key = field.get("ref") or field.get("id")
        yield key if isinstance(key, str) else "", titles.get(str(field.get("id")), ""), _value(answer)


def _value(answer: Mapping[str, Any]) -> Any:
    """https://www.typeform.com/developers/webhooks/example-payload/ shows an answer of each type."""
    kind = answer.get("type")
    value = answer.get(kind) if isinstance(kind, str) else None
    match kind, value:
        case "choice", {"label": str(label)} | {"other": str(label)}:
            return label
        case "choices", {"labels": list(labels), **rest}:
            return joined([*labels, *([rest["other"]] if rest.get("other") else [])])
        case "choices", {"other": str(other)}:
            return other
        case "payment", {"amount": amount}:
            return amount
    if value is None:
        raise Odd("an answer is of a type that cannot be read")
    return value
