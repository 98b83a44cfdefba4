"""Somebody else's connector that wants a person's consent."""

from typing import ClassVar

from connectors.http import Http
from connectors.oauth import OAuth


class Diary(OAuth):
    """A diary in a test."""

    service: ClassVar[str] = "diary"
    room: ClassVar[str] = "spreadsheets"
    authorize_url: ClassVar[str] = "https://diary.example/authorize"
    token_url: ClassVar[str] = "https://diary.example/token"
    scopes: ClassVar[tuple[str, ...]] = ("read",)

    def probe(self) -> str:
        return f"connected as {self.http.get('/me').json()['who']}"

    def open_http(self) -> Http:
        token = self.access_token()
        return Http(self.base_url, allow_loopback=self.allow_loopback, headers={"authorization": f"Bearer {token}"})
