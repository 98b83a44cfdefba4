"""W1, as printed: a signed webhook, typed fields, one condition, one call keyed by its header."""

from pathlib import Path

SECRET = "whsec_dGhlIGJlbmNoJ3Mgb3duIHNlY3JldCwgbm90aGluZyBlbHNl"
VARIABLE = "DIGILOG_CONNECTIONS__ORDERS__SIGNING_SECRETS"

_COMPANY = """\
name: Bench
zone: Asia/Seoul
language: en
hours: {{mon-sun: 00:00-24:00}}
roles:
  owner: {{label: Owner, people: [han]}}
people:
  han: {{name: Han}}
sender: {{name: Bench}}
connections:
  orders: {{connector: webhook, scheme: standard, event: order.paid}}
  sink:
    {{connector: web, base_url: "http://127.0.0.1:{sink}", allow_loopback: yes, idempotency_header: Idempotency-Key}}
"""
_CANVAS = """\
stages:
  apply: {label: Apply}
"""
PLAYBOOK = """\
playbook: order
title: An order is passed on
state: operate
system: revenue
stage: apply
owner: owner
purpose: The warehouse hears of an order at once.
scenario: {s1: A customer orders}
start: {event: order.paid, connection: orders}
fields:
  n:      {type: integer, label: n}
  email:  {type: email,   label: email}
  amount: {type: money,   label: amount}
  city:   {type: text,    label: city}
case: email
overlap: parallel
steps:
  - id: pass_on
    do: Tell the warehouse
    by: machine
    when: amount > 0 and city == "Seoul"
    use: sink.post
    with: {path: sink, body: {n: "{{ n }}", amount: "{{ amount }}"}}
    by_hand: 2m
    serves: [s1]
    expect: The warehouse knows of it
"""


def write(folder: Path, sink: int) -> None:
    """Write the company's files; `sink` is the port of the service called."""
    folder.mkdir(parents=True)
    for name, text in {"company": _COMPANY.format(sink=sink), "canvas": _CANVAS, "order": PLAYBOOK}.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
