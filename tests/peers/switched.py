"""The example company on services that others' programs stand for: the demo's stage with those services' doors."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gspread
from google.oauth2.credentials import Credentials
from slack_sdk import WebClient

from connectors.base import variable_of
from connectors.http import local
from connectors.messaging.slack import Slack
from connectors.registry import find
from connectors.testing import Script, scripted
from connectors.tokens import FileVault
from flows.demo.stage import SECRET, Stage
from flows.playbook.load import load_text
from tests.connectors.samples import portone, slack, solapi, tally
from tests.peers.bearer import renaming
from tests.peers.myworld import BOOK, Run, myworld
from tests.peers.office import Office, office
from tests.peers.start import ROOT, Peer, free_port, node, started

GENERAL = "C000000001"
TOKEN, READER = "xoxb-desk-of-onda", "xoxb-reader"
SHEETS = {"체험": "id,이름,지점,일시\n", "편지": "id,이름\n", "숫자": "id\n"}
SECRETS: Mapping[str, Mapping[str, str]] = {
    "tally": tally.SECRETS,
    "solapi": solapi.SECRETS,
    "slack": slack.SECRETS | {"token": TOKEN},
    "portone": portone.SECRETS,
    "webhook": {"signing_secrets": SECRET},
    "google_sheets": {"client_secret": "GOCSPX-of-onda-9Kd02mQ"},
}


@dataclass(frozen=True, slots=True)
class Services:
    """What runs: Solapi's office, Slack, PortOne's answers behind its own document, Google's spreadsheet."""

    texts: Office
    slack: Peer
    till: Script
    prism: Peer
    till_address: str
    google: Run

    def settings(self, connector: str) -> dict[str, str]:
        """Where a connection of this service finds it, in place of the service's own address."""
        return {
            "solapi": {"base_url": self.texts.base_url, "allow_loopback": "true"},
            "slack": {"base_url": f"{self.slack.base_url}/api", "allow_loopback": "true", "channel": GENERAL},
            "portone": {"base_url": self.till_address, "allow_loopback": "true"},
            # Google keeps its own address, behind a gateway; a consent stands for the service account.
            "google_sheets": {"proxy": self.google.world.proxy, "spreadsheet": BOOK, "client_id": "onda"},
        }.get(connector, {})

    def sheet(self, title: str) -> gspread.Worksheet:
        """A sheet as somebody else's library opens it."""
        client = gspread.authorize(Credentials(self.google.token))
        session = client.http_client.session
        session.trust_env = False  # what this machine says of proxies and certificates is not about the gateway
        session.proxies, session.verify = {"https": self.google.world.proxy}, str(self.google.world.certificate)
        return client.open_by_key(BOOK).worksheet(title)


@contextmanager
def services(folder: Path) -> Iterator[Services]:
    """Start all of them on free ports; what the till answers may be changed."""
    (folder / "seed.json").write_text(json.dumps(_SEED))
    port, prism_port = free_port(), free_port()
    with ExitStack() as open_:
        enter = open_.enter_context
        texts, till = enter(office()), enter(scripted({"GET /payments": (200, _NO_PAYMENTS)}))
        seeded = ["start", "--port", str(port), "--service", "slack", "--seed", "seed.json"]
        desk = enter(started([*node("emulate", "dist/index.js"), *seeded], port, folder=folder))
        document = ["proxy", str(ROOT / "tests" / "peers" / "specs" / "portone_payments.json"), till.base_url]
        prism_command = [*node("@stoplight/prism-cli", "dist/index.js"), *document, "--errors"]
        prism = enter(started([*prism_command, "--port", str(prism_port)], prism_port))
        address = enter(renaming("PortOne", prism_port))
        yield Services(texts, desk, till, prism, address, enter(myworld()).run(SHEETS))


_NO_PAYMENTS = {"items": [], "page": {"number": 0, "size": 100, "totalCount": 0}}
_SEED = {
    "slack": {
        "strict_scopes": True,
        "tokens": [
            {"token": TOKEN, "scopes": [*Slack.scopes]},
            {"token": READER, "scopes": ["channels:history"]},
        ],
    }
}


def company(folder: Path, connections: str, found: Services) -> Path:
    """A copy of the example company with other `connections` and `mediums`, and nothing else changed."""
    shutil.copytree(ROOT / "playbooks", folder)
    written: dict[str, Any] = load_text(connections, "switch.md").data
    for entry in written["connections"].values():
        entry.update(found.settings(entry["connector"]))
    file = folder / "company.yaml"
    head = file.read_text("utf-8").partition("connections:\n")[0]
    switched = (f"{key}: {json.dumps(written[key], ensure_ascii=False)}\n" for key in ("connections", "mediums"))
    file.write_text(head + "".join(switched), "utf-8")
    return folder


class Switched(Stage):
    """The demo's stage, where the customer's door is Tally, and what leaves is read back at the services."""

    def __init__(self, home: Path, playbooks: Path, found: Services) -> None:
        super().__init__(home, playbooks, prefect=False)
        self.services, self.said = found, list[str]()
        self.list, self.reader = found.sheet("체험"), WebClient(READER, base_url=f"{found.slack.base_url}/api/")
        for name, entry in self.book.company.connections.items():
            if entry.connector == "google_sheets":
                FileVault(home / "secrets").save(name, {"refresh_token": found.google.token})

    def secrets(self) -> Mapping[str, str]:
        found = dict(super().secrets())
        for name, entry in self.book.company.connections.items():
            fields = SECRETS.get(entry.connector, {})
            known = find(entry.connector).secrets() if fields else ()
            found |= {variable_of(name, field): fields[field] for field in known if field in fields}
        return found

    def environment(self) -> dict[str, str]:
        certificate = str(self.services.google.world.certificate)
        public = "https://desk.onda.example"  # else Slack's messages have no button to the work
        return {**super().environment(), "SSL_CERT_FILE": certificate, "DIGILOG_PUBLIC_URL": public}

    def ask(self, answers: Mapping[str, object]) -> None:
        """As Tally sends it, and once more, as Tally does when it heard no answer."""
        raw = json.dumps(self._submission(answers), ensure_ascii=False).encode()
        for _ in range(2):
            assert self.receive("trial-form", tally.headers_of(raw, tally.SECRETS), raw) == 202

    def pay(self, raw: bytes, headers: Mapping[str, str] | None = None) -> int:
        """A webhook of PortOne, signed by the library of Standard Webhooks unless `headers` say otherwise."""
        return self.receive("till", portone.signed(raw, portone.SECRETS) if headers is None else headers, raw)

    def receive(self, connection: str, headers: Mapping[str, str], raw: bytes) -> int:
        with closing(local(f"http://127.0.0.1:{self.port}", headers=headers)) as web:
            return web.post(f"/in/{connection}", content=raw, accept=(202, 401, 503)).status

    def messages(self) -> list[str]:
        """What Solapi's library understood, under the name of the message whose template it was."""
        names = {message.provider_template: name for name, message in self.book.messages.items()}
        sent = [one.get("kakaoOptions", {}) for one in self.services.texts.kept.values()]
        return [f"{names.get(one.get('templateId'))} {one.get('variables')}" for one in sent]

    def notices(self) -> list[str]:
        """What Slack's library reads in the channel, with where the buttons lead."""
        found = self.reader.conversations_history(channel=GENERAL, limit=1000)["messages"]
        return ["\n".join([one["text"], *_addresses(one)]) for one in reversed(found)]

    def roster(self) -> list[str]:
        return [cell for line in self.list.get_all_values() for cell in line]

    def numbers(self) -> list[str]:
        return [cell for line in self.services.sheet("숫자").get_all_values() for cell in line]

    def log(self) -> str:
        return (self.home / "logs" / "engine.log").read_text("utf-8")

    def say(self, line: str) -> None:
        self.said.append(line)

    def close(self) -> None:
        super().close()
        self.list.client.session.close()

    def _submission(self, answers: Mapping[str, object]) -> dict[str, Any]:
        asked = self.book.playbooks["trial-booking"].fields
        fields = []
        for name, field in asked.items():
            given, key = answers.get(name), f"question_{name}"
            options = ["동의합니다"] if field.type == "consent" else [*field.choices.values()]
            chosen = {"yes": "동의합니다"}.get(str(given)) or field.choices.get(str(given), given)
            answer = {"key": key, "label": field.label, "type": "INPUT_TEXT", "value": given}
            if options:
                value = [f"option-{options.index(str(chosen))}"] if given else None
                texts = [{"id": f"option-{at}", "text": text} for at, text in enumerate(options)]
                answer |= {"type": "CHECKBOXES", "value": value, "options": texts}
            fields.append(answer)
        return tally.PAYLOAD | {"data": tally.PAYLOAD["data"] | {"fields": fields}}


def _addresses(message: Mapping[str, Any]) -> Iterator[str]:
    for block in message.get("blocks") or []:
        yield from (one["url"] for one in block.get("elements", []) if "url" in one)
