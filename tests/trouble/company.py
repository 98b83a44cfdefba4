"""The company of these tests: orders that go out to services, visits that wait, and a day that is counted."""

from pathlib import Path

SECRET = "whsec_dHJvdWJsZSdzIG93biBzZWNyZXQsIG5vdGhpbmcgZWxzZSBh"
VARIABLE = "DIGILOG_CONNECTIONS__ORDERS__SIGNING_SECRETS"
STEPS = {"log": "inside", "replace": "repeat", "keyed": "keyed", "tell": "once"}  # of an order: effect classes

_COMPANY = """\
name: Trouble
zone: ZONE
language: en
hours: {mon-sun: 00:00-24:00}
roles:
  owner: {label: Owner, people: [han]}
people:
  han: {name: Han}
sender: {name: Trouble}
connections:
  orders: {connector: webhook, scheme: standard, event: order.paid}
  shop:   {connector: web, base_url: "SINK", allow_loopback: yes}
  bank:   {connector: web, base_url: "SINK", allow_loopback: yes, idempotency_header: Idempotency-Key}
mediums: {team: outbox}
"""
_HEAD = """\
playbook: NAME
title: NAME
state: operate
system: revenue
stage: apply
owner: owner
purpose: It comes out, whatever happens to the machine.
scenario: {s1: Somebody wants something}
start: {START}
"""
_ASKED = """\
fields:
  email: {type: email, label: email}
  what:  {type: text,  label: what}
case: email
overlap: parallel
"""
_ORDER = """\
steps:
  - {id: log, do: Write it down, by: machine, use: ledger.record, MORE, with: {kind: inquiry, note: "{{ what }}"}}
  - {id: replace, do: Put it into the shop, by: machine, use: shop.put, MORE,
     with: {path: "replace/{{ case.id }}", body: {what: "{{ what }}"}}}
  - {id: keyed, do: Book the money, by: machine, use: bank.post, MORE,
     with: {path: "keyed/{{ case.id }}", body: {what: "{{ what }}"}}}
  - {id: tell, do: Tell the shop, by: machine, use: shop.post, MORE,
     with: {path: "tell/{{ case.id }}", body: {what: "{{ what }}"}}}
"""
_VISIT = """\
steps:
  - {id: pause, do: Wait, wait: 2h}
  - {id: remind, do: Remind, by: machine, use: shop.post, MORE, with: {path: "remind/{{ case.id }}", body: {}}}
  - {id: call, do: Call, by: owner, due: 1h, by_hand: 1m, serves: [s1], expect: called}
"""
_DAY = """\
steps:
  - {id: count, do: Count the day, by: machine, use: shop.post, MORE,
     with: {path: "day/{{ case.id }}", body: {}}}
"""


def order() -> str:
    return _playbook("order", "event: order.paid, connection: orders", _ASKED + _ORDER)


def visit() -> str:
    return _playbook("visit", "event: order.paid, connection: orders", _ASKED + _VISIT)


def day(schedule: str) -> str:
    return _playbook("day", f"schedule: {schedule}", "case: period\n" + _DAY)


def _playbook(name: str, start: str, rest: str) -> str:
    return (_HEAD + rest).replace("NAME", name).replace("START", start).replace(
        "MORE", "by_hand: 1m, serves: [s1], expect: it is there"
    )  # fmt: skip


def write(folder: Path, sink: str, zone: str = "Asia/Seoul", **playbooks: str) -> None:
    """Write the company's files; `sink` is the address of the services. Without playbooks: the order's."""
    folder.mkdir(parents=True)
    texts = {"company": _COMPANY.replace("SINK", sink).replace("ZONE", zone), "canvas": "stages: {apply: {label: A}}\n"}
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    for name, text in (playbooks or {"order": order()}).items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
