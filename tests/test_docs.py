"""The papers say what is so: every command, setting and key is named, every example is run."""

import http.server
import importlib.util
import json
import re
import shlex
import subprocess
import sys
import threading
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from cyclopts import MissingArgumentError

from connectors import registry
from connectors.forms.webhook import Webhook
from flows.cli import app
from flows.engine.simulate import Simulation
from flows.playbook import model, rules, schema
from flows.playbook.check import check
from flows.playbook.load import load_text
from flows.playbook.services import settings_problems
from flows.playbook.wording import FILTERS
from flows.settings import Settings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
SET_BY_US = {"text", "version", "settings"}
POSITIONAL = {"--id", "--path", "--kind", "--move"}


def read(name):
    return (DOCS / name).read_text("utf-8")


def blocks(text, language):
    return [(file, body) for said, file, body in BLOCK.findall(text) if said == language]


def commands(of=app, before=()):
    for name in of:
        if name.startswith("-"):
            continue
        inner = [one for one in of[name] if not one.startswith("-")]
        if inner:
            yield from commands(of[name], (*before, name))
        else:
            yield (*before, name), of[name]


def options(command):
    """The long options of a command, but those that repeat what is given without a name."""
    found = {name for argument in command.assemble_argument_collection() for name in argument.names}
    return {name for name in found if name.startswith("--") and not name.startswith("--no-")} - POSITIONAL


def lines():
    """Every `digilog ...` that a page tells its reader to type, and whether it stands in a block, whole."""
    for page in PAGES:
        text = page.read_text("utf-8")
        typed = [(line, True) for _, body in blocks(text, "sh") for line in body.splitlines()]
        typed += [(line, False) for line in re.findall(r"`((?:\.venv/bin/)?digilog [^`]+)`", BLOCK.sub("", text))]
        for line, whole in typed:
            words = shlex.split(line, comments=True)
            if words and words[0].removeprefix(".venv/bin/") == "digilog":
                yield words[1:], whole


def written():
    """The key of each thing that people write, as they write it."""
    todo = [model.Written]
    while todo:
        kind = todo.pop()
        todo += kind.__subclasses__()
        for name, field in kind.model_fields.items():
            if name not in SET_BY_US or kind is model.MessageText:
                yield kind.__name__, field.alias or name


@pytest.mark.parametrize("names", [pytest.param(names, id=" ".join(names)) for names, _ in commands()])
def test_every_command_is_named_with_an_example(names):
    page = read("reference/commands.md")
    said = f"digilog {' '.join(names)}"
    assert f"`{said}`" in page
    assert any(line.startswith(said) for _, body in blocks(page, "sh") for line in body.splitlines())


@pytest.mark.parametrize(("names", "command"), [pytest.param(*one, id=" ".join(one[0])) for one in commands()])
def test_every_option_is_named(names, command):
    page = read("reference/commands.md")
    assert not [one for one in options(command) if f"`{one}" not in page and f"`--no-{one[2:]}" not in page], names


def test_every_command_line_can_be_typed():
    for words, whole in lines():
        # in a sentence a command may stand without what it acts on
        with nullcontext() if whole else suppress(MissingArgumentError):
            app.parse_args(words, print_error=False, exit_on_error=False)


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_named(name):
    assert f"`DIGILOG_{name.upper()}`" in read("reference/settings.md")


def test_every_key_is_named():
    page = " ".join(re.findall(r"`[^`\n]+`", BLOCK.sub("", read("reference/playbook.md"))))
    assert not [(kind, key) for kind, key in written() if not re.search(rf"\b{re.escape(key)}\b", page)]


def test_every_word_of_the_language_is_named():
    page = read("reference/playbook.md")
    words = {
        *rules.TAKEN, *model.EXCHANGES, *FILTERS, *model.FieldType.__args__, *model.State.__args__,
        *model.Outcome.__args__, *(word for _, word in schema.NOT_YET),
    }  # fmt: skip
    assert not [word for word in words if not re.search(rf"\b{word}\b", page)]


def test_what_is_called_not_yet_is_refused_by_name():
    said = read("reference/playbook.md").partition("## Not yet")[2].partition("\n## ")[0]
    assert not [word for _, word in schema.NOT_YET if f"`{word}`" not in said]


@pytest.fixture(scope="module")
def writer():
    spec = importlib.util.spec_from_file_location("write_connectors", DOCS / "write_connectors.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def undated(text):
    return re.sub(r"\b20\d\d-\d\d-\d\d\b", "", text)


def test_the_pages_of_connectors_are_as_the_code(writer):
    pages = writer.pages()
    for path, text in pages.items():
        assert undated(read(f"reference/{path}")) == undated(text), "run: python docs/write_connectors.py"
    there = {f"connectors/{one.name}" for one in (DOCS / "reference" / "connectors").iterdir()}
    assert there == {one for one in pages if one.startswith("connectors/")}
    for name in registry.names():
        page = pages.get(f"connectors/{name}.md", pages["connectors/index.md"])
        assert all(f"`{name}.{action}`" in page for action in registry.find(name).actions())


def test_what_is_called_verified_can_be_done(writer):
    for what, peers in json.loads(read("reference/verified.json")).items():
        name, _, deed = what.partition(".")
        assert deed in writer.deeds(registry.find(name)), what
        assert all(one["peer"] and one["date"] for one in peers.values())


@pytest.fixture
def bakery(tmp_path):
    for file, body in blocks(read("start.md"), "yaml"):
        if file:
            (tmp_path / file).parent.mkdir(exist_ok=True)
            (tmp_path / file).write_text(body, "utf-8")
    return tmp_path


@pytest.mark.parametrize("by", ["baker", "machine"])
def test_the_company_of_the_start_checks_and_comes_out(bakery, by, capsys):
    file = bakery / "cake-order.yaml"
    text = file.read_text("utf-8")
    assert text.count("by: baker                        # later: machine") == 1
    file.write_text(text.replace("by: baker                        # later: machine", f"by: {by}"), "utf-8")
    app(["check", str(bakery)])
    assert f"`{capsys.readouterr().out.strip()}` means that all is well" in read("start.md")
    checked = check(bakery)
    assert not checked.problems
    book = checked.book
    for case in book.tests["cake-order"].cases:
        simulation = Simulation(book, book.playbooks["cake-order"], case)
        assert simulation.play() == []


def test_the_mistakes_that_the_start_shows_read_so(bakery):
    file, right = bakery / "cake-order.yaml", (bakery / "cake-order.yaml").read_text("utf-8")
    told = set()
    for mistakes in (
        {"due: 4 business hours": "due: 4 business hour s", "| money": "| mony"},
        {"use: ledger.record\n    with: {kind: reserve": "use: ledger.recrod\n    with: {kind: reserve",
         "by: baker\n    due: 4": "by: bakr\n    due: 4"},
    ):  # fmt: skip
        wrong = right
        for word, instead in mistakes.items():
            wrong = wrong.replace(word, instead, 1)
        file.write_text(wrong, "utf-8")
        told |= {
            f"bakery/{Path(one.path).name}:{one.line}:{one.column} {one.message}" for one in check(bakery).problems
        }
    shown = next(body for _, body in blocks(read("start.md"), "text") if "recrod" in body).splitlines()
    assert not [line for line in shown if not any(one.startswith(line.removesuffix("...")) for one in told)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = BLOCK.sub("", page.read_text("utf-8"))
    for link in LINK.findall(text):
        name, _, place = link.partition("#")
        target = (page.parent / name) if name else page
        assert target.exists(), link
        if place:
            headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", target.read_text("utf-8")), re.MULTILINE)
            assert place in {_anchor(heading) for heading in headings}, link


def _anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pieces_of_yaml_are_of_the_language(page):
    for _, body in blocks(page.read_text("utf-8"), "yaml"):
        document = load_text(body, page.name)
        assert not document.problems
        found = document.data.get("connections", {}) if isinstance(document.data, dict) else {}
        for entry in found.values():
            if entry["connector"] == "haru":  # the sample package's, see tests/peers/test_sample_package.py
                continue
            settings = {key: value for key, value in entry.items() if key != "connector"}
            assert not list(settings_problems(entry["connector"], settings))


def test_the_sender_of_the_how_to_is_believed(tmp_path):
    (_, code), *_ = blocks(read("how-to/connections.md"), "python")
    (tmp_path / "send.py").write_text(code, "utf-8")
    secret, taken = "whsec_" + "c2VjcmV0" * 4, []

    class Door(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            taken.append((dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Door) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/in/cake-form"
        subprocess.run([sys.executable, tmp_path / "send.py", secret, address], check=True, timeout=20)
    environ = {"DIGILOG_CONNECTIONS__CAKE_FORM__SIGNING_SECRETS": secret}
    received = Webhook.connect("cake-form", {"event": "form.submitted"}, environ=environ).receive(*taken[0])
    assert (received.name, received.key, received.payload["cake"]) == ("form.submitted", "order-1001", "초코")
