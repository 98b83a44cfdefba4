"""What Google's connectors share: a service account or a person's consent, and the steps in Google's console."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, PrivateAttr, SecretStr

from connectors.base import variable_of
from connectors.errors import NotConnected, Rejected
from connectors.files import inside
from connectors.oauth import OAuth

if TYPE_CHECKING:  # at run time they cost httpx and google-auth, which a process that only receives never needs
    from connectors.google_login import Account
    from connectors.http import Http

LARGEST = 10 * 1024 * 1024  # bytes of one answer: about 100,000 short rows

KEY = """
Open console.cloud.google.com, and choose or create a project
APIs & Services > Library: enable {api}
IAM & Admin > Service accounts > Create service account; it needs no role
The new account > Keys > Add key > Create new key > JSON: a file is downloaded
Put the file into the folder secrets of the home, and its name into the connection's variable SERVICE_ACCOUNT
"""
CONSOLE = (
    KEY + "Open the {document} > Share: add the account's address, which ends in iam.gserviceaccount.com, as {role}\n"
)


class Google(OAuth):
    """Settings of all of Google's connectors; `http` brings a token that lives.

    With a `service_account` nobody needs to consent; without one, `client_id`, `client_secret` and a consent.
    """

    authorize_url: ClassVar[str] = "https://accounts.google.com/o/oauth2/v2/auth"
    token_url: ClassVar[str] = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    authorize_more: ClassVar[Mapping[str, str]] = {"access_type": "offline", "prompt": "consent"}
    api: ClassVar[str] = ""
    document: ClassVar[str] = ""

    service_account: SecretStr | None = Field(
        None,
        description="Google Cloud console > IAM & Admin > Service accounts > Keys > Add key > JSON: "
        "the file's name in the home's secrets folder, or its whole text in one line",
    )

    _account: "Account | None" = PrivateAttr(None)

    def open_http(self) -> "Http":
        from connectors.google_login import GoogleHttp

        settings = {"hosts": self.hosts, "allow_loopback": self.allow_loopback, "proxy": self.proxy, "cap": LARGEST}
        return GoogleHttp(self.base_url, self, **settings)

    def close(self) -> None:
        super().close()
        account, self._account = self._account, None
        if account is not None:
            account.close()

    @property
    def by_consent(self) -> bool:
        return self.service_account is None

    @property
    def who(self) -> str:
        """Whom documents must be shared with, in words for people. Raises NotConnected."""
        return "the person who consented" if self.service_account is None else self._login().email

    def _client(self) -> dict[str, str]:
        if not self.client_id:
            raise NotConnected(
                f"{variable_of(self.name, 'service_account')} is not set",
                connection=self.name,
                next_step="name the key's file in the home's folder secrets; or, for the consent of a person, write "
                "client_id beside connector in company.yaml and set the variable of client_secret",
            )
        return super()._client()

    def bearer(self, *, fresh: bool = False) -> str:
        """A token that lives for a minute at least; `fresh`: the last one was refused. Raises ConnectorError."""
        if self.service_account is None:
            return self.access_token(fresh=fresh)
        return self._login().token(fresh=fresh)

    def _login(self) -> "Account":
        if self._account is None:
            from connectors.google_login import Account

            self._account = Account(
                self._key(), self.scopes, tokens_at=self._tokens_at, loopback=self.allow_loopback, proxy=self.proxy
            )
        return self._account

    def _key(self) -> str:
        given = self.service_account.get_secret_value() if self.service_account else ""
        if given.lstrip().startswith("{"):
            return given
        try:
            return inside(self._home / "secrets", given).read_text(encoding="utf-8")
        except (OSError, ValueError, Rejected):
            raise NotConnected(
                "service_account: there is no such file in the home's folder secrets",
                connection=self.name,
                next_step="put the key's file there, and its name into the variable",
            ) from None
