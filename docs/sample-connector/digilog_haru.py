"""Haru: bookings of a studio, looked up, made and cancelled; new ones come in as signed webhooks."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, Field, SecretStr

from connectors.base import Connector, Incoming, action
from connectors.errors import NotConnected, Odd, Rejected
from connectors.signatures import verify_base64

_MEANING = {  # https://docs.haru.example/errors
    402: (NotConnected, "the Haru account is not paid for"),
    (409, "slot_taken"): (Rejected, "somebody else has this time"),
}


class Booking(BaseModel):
    """One booking; `at` with its time zone."""

    id: str
    name: str
    phone: str
    at: datetime
    state: str


class Haru(Connector):
    """Looks up, makes and cancels bookings of Haru, and hears of new ones."""

    service: ClassVar[str] = "haru"
    room: ClassVar[str] = "forms"
    hosts: ClassVar[tuple[str, ...]] = ("api.haru.example",)
    events: ClassVar[tuple[str, ...]] = ("booking.made",)
    signed: ClassVar[bool] = True
    usual_rate: ClassVar[str | None] = "60/1m"
    console: ClassVar[str] = """
        Haru > Settings > API: make a key, and copy it into the variable of `token`
        Haru > Settings > Webhooks: enter the address that `digilog connect NAME` shows
        Copy the signing secret beside it into the variable of `signing_secrets`
    """
    limits: ClassVar[str] = "60 calls a minute; a key that is sent again is dropped for a day (November 2026)"

    base_url: str = "https://api.haru.example"
    token: SecretStr = Field(description="Haru > Settings > API > Keys")
    signing_secrets: list[SecretStr] = Field(description="Haru > Settings > Webhooks > Signing secret")

    @action
    def booking(self, id: str) -> Booking:
        """Look one booking up by its number."""
        return Booking.model_validate(self.http.get(f"/v1/bookings/{id}", meaning=_MEANING).json())

    @action(effect="keyed", window="24h")
    def book(self, name: str, phone: str, at: datetime, *, key: str) -> Booking:
        """Book a time for somebody."""
        asked = {"name": name, "phone": phone, "at": at.isoformat()}
        return Booking.model_validate(self.http.post("/v1/bookings", asked, key=key, meaning=_MEANING).json())

    @action(effect="repeat")
    def cancel(self, id: str) -> Booking:
        """Cancel a booking; one that is cancelled already stays so."""
        return Booking.model_validate(self.http.put(f"/v1/bookings/{id}", {"state": "cancelled"}).json())

    def probe(self) -> str:
        """Read whose key it is."""
        return f"connected as {self.http.get('/v1/me').json()['studio']}"

    def receive(self, headers: Mapping[str, str], raw: bytes) -> Incoming:
        """Believe what Haru signed. Raises Forged, Odd or NotConnected."""
        given = {name.lower(): value for name, value in headers.items()}
        verify_base64(self.signing_secrets, given.get("haru-signature", ""), raw)
        booking = _booking(raw)
        return Incoming("booking.made", booking["id"], booking)

    def read(self, name: str, raw: bytes) -> dict[str, Any]:
        """The booking's own fields: id, name, phone, at, state."""
        del name
        return _booking(raw)

    def credentials(self) -> dict[str, Any]:
        return {"headers": {"authorization": f"Bearer {self.token.get_secret_value()}"}}


def _booking(raw: bytes) -> dict[str, Any]:
    try:
        return Booking.model_validate(json.loads(raw)["booking"]).model_dump(mode="json")
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Odd("the webhook holds no booking") from None
