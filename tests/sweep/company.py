"""The sweep's company: one signed webhook, one playbook of machine steps, one effect of each class."""

from pathlib import Path

SECRET = "whsec_dGhlIHN3ZWVwJ3Mgb3duIHNlY3JldCwgbm90aGluZyBlbHNl"
CONNECTION = "orders"
STEPS = {"log": "inside", "replace": "repeat", "keyed": "keyed", "tell": "once"}  # step: effect class

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
mediums: {{team: outbox}}
"""
_CANVAS = """\
stages:
  apply: {label: Apply}
"""
_ORDER = """\
playbook: order
title: An order is passed on
state: operate
system: revenue
stage: apply
owner: owner
purpose: An order is written down and passed on at once.
scenario: {s1: A customer orders}
start: {event: order.paid, connection: orders}
fields:
  email: {type: email, label: email}
  what:  {type: text,  label: what}
case: email
overlap: parallel
steps:
  - {id: log, do: Write the order down, by: machine, use: ledger.record, MORE,
     with: {kind: inquiry, note: "{{ what }}"}}
  - {id: replace, do: Put it into the shop, by: machine, use: shop.put, MORE,
     with: {path: "replace/{{ case.id }}", body: {what: "{{ what }}"}}}
  - {id: keyed, do: Book the money, by: machine, use: bank.post, MORE,
     with: {path: "keyed/{{ case.id }}", body: {what: "{{ what }}"}}}
  - {id: tell, do: Tell the shop, by: machine, use: shop.post, MORE,
     with: {path: "tell/{{ case.id }}", body: {what: "{{ what }}"}}}
""".replace("MORE", "by_hand: 1m, serves: [s1], expect: it is there")


def write(folder: Path, sink: str) -> None:
    """Write the company's files; `sink` is the address of the service that its effects go to."""
    folder.mkdir(parents=True)
    for name, text in {"company": _COMPANY.format(sink=sink), "canvas": _CANVAS, "order": _ORDER}.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
