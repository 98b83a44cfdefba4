"""The sweep's company: one signed webhook, two playbooks of machine steps, effects of each class."""

import json
from pathlib import Path

SECRET = "whsec_dGhlIHN3ZWVwJ3Mgb3duIHNlY3JldCwgbm90aGluZyBlbHNl"
CONNECTION = "orders"
VENDOR = Path(__file__).with_name("vendor")  # a connector of somebody else: it must be on the path of every process
ORDER = {"log": "inside", "row": "bulk", "replace": "repeat", "keyed": "keyed", "take": "checkable", "tell": "once"}
STEPS = {"order": ORDER, "copy": {"row": "bulk"}}  # playbook: step: effect class; one event opens a case in each

_COMPANY = """\
name: Sweep
zone: Asia/Seoul
language: en
hours: {{mon-sun: 00:00-24:00}}
roles:
  owner: {{label: Owner, people: [han]}}
people:
  han: {{name: Han}}
sender: {{name: Sweep}}
connections:
  orders: {{connector: webhook, scheme: standard, event: order.paid}}
  shop:   {{connector: web, base_url: "{sink}", allow_loopback: yes}}
  bank:   {{connector: web, base_url: "{sink}", allow_loopback: yes, idempotency_header: Idempotency-Key}}
  shelf:  {{connector: shelf, base_url: "{sink}", allow_loopback: yes}}
mediums: {{team: outbox}}
"""
_CANVAS = """\
stages:
  apply: {label: Apply}
"""
_HEAD = """\
playbook: NAME
title: An order is passed on
state: operate
system: revenue
stage: apply
owner: owner
purpose: An order is written down and passed on at once.
scenario: {s1: A customer orders}
start: {event: order.paid, connection: orders}
fields:
  WHO:  {type: email, label: email}
  what: {type: text,  label: what}
case: WHO
overlap: parallel
steps:
"""
_ROW = """\
  - {id: row, do: Write a row, by: machine, use: shelf.row, MORE,
     with: {row_id: "{{ case.id }}", what: "{{ what }}"}}
"""
_ORDER = (
    """\
  - {id: log, do: Write the order down, by: machine, use: ledger.record, MORE,
     with: {kind: inquiry, note: "{{ what }}"}}
"""
    + _ROW
    + """\
  - {id: replace, do: Put it into the shop, by: machine, use: shop.put, MORE,
     with: {path: "replace/{{ case.id }}", body: {what: "{{ what }}"}}}
  - {id: keyed, do: Book the money, by: machine, use: bank.post, MORE,
     with: {path: "keyed/{{ case.id }}", body: {what: "{{ what }}"}}}
  - {id: take, do: Take it from the shelf, by: machine, use: shelf.take, MORE,
     with: {where: "{{ case.id }}", what: "{{ what }}"}}
  - {id: tell, do: Tell the shop, by: machine, use: shop.post, MORE,
     with: {path: "tell/{{ case.id }}", body: {what: "{{ what }}"}}}
"""
)


def _playbook(name: str, who: str, steps: str) -> str:
    head = _HEAD.replace("NAME", name).replace("WHO", who)
    return head + steps.replace("MORE", "by_hand: 1m, serves: [s1], expect: it is there")


def write(folder: Path, sink: str) -> None:
    """Write the company's files; `sink` is the address of the service that its effects go to."""
    folder.mkdir(parents=True)
    files = {
        "company": _COMPANY.format(sink=sink),
        "canvas": _CANVAS,
        "order": _playbook("order", "email", _ORDER),
        # another customer: calls for one customer leave one after another, and never in one go
        "copy": _playbook("copy", "friend", _ROW),
    }
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")


def body(id: str) -> bytes:
    """What the webhook says under an id."""
    told = {"email": f"{id}@example.com", "friend": f"{id}.friend@example.com", "what": f"order {id}"}
    return json.dumps(told).encode()
