"""A company so small that thousands of its mutations are checked in seconds, and that uses most of the language."""

import random
from collections.abc import Callable

SHOP = {
    "company.yaml": """name: 찻집
zone: Asia/Seoul
hours: {mon-fri: 09:00-18:00, sat: [09:00-12:00, 13:00-15:00], sun: closed}
holidays: [2026-12-24]
channels: {shop: 가게}
roles: {owner: {label: 주인, people: [kim], backup: helper}, helper: {label: 도움, people: [lee]}}
people: {kim: {name: 김, email: kim@tea.example}, lee: {name: 이}}
sender: {name: 찻집, phone: 02-555-0101}
connections:
  tea-form: {connector: own_form}
  hook: {connector: webhook, event: order.paid, key: data.id}
  book: {connector: excel, file: book.xlsx}
mediums: {sms: outbox, email: outbox}
""",
    "canvas.yaml": """stages:
  apply: {label: 신청, gap: 늦다}  # 여기
pools: {pool: {label: 모임}}
arrows: {come: {label: 유입, from: pool, to: apply}}
kinds: {apply: {stage: apply}}
""",
    "metrics.yaml": """metrics:
  cups: {label: 잔, on: apply, source: {exchanges: apply}, absent_day: zero, settle_days: 2}
ratios: {share: {of: cups, by: cups, cohort: 7d}}
targets: {cups: ">= 60 a month"}
""",
    "messages.yaml": """thanks:
  medium: sms
  purpose: info
  text: |-
    #{이름}님, 고맙습니다.
""",
    "tea.yaml": """playbook: tea
title: 찻잔 주문
state: operate
system: customer
stage: apply
owner: owner
purpose: 주문한 차가 제때 나간다.  # 왜
scenario: {s1: 차를 주문한다}
start: {event: form.submitted, connection: tea-form, where: cups > 0}
fields:
  name:  {type: text, label: 이름}
  phone: {type: phone, label: 연락처}
  cups:  {type: integer, label: 잔, min: 1, max: 9}
  kind:  {type: choice, label: 종류, choices: [녹차, 홍차]}
case: phone
stop: [{exchange: [cancel], outcome: lost}]
steps:
  - id: look
    do: 차를 본다
    by: helper
    due: 2 business hours
    remind: 15m
    escalate: {after: 1h, to: owner}
    checklist: [물을 끓였다]
    form:
      ok: {type: yesno, label: 되나요}
      at: {type: datetime, label: 언제}
      who: {type: person, role: helper, label: 누가}
    ends: [{when: not look.ok, outcome: lost}]
    by_hand: 3m
    serves: [s1]
    expect: 차가 있다
  - {id: pause, do: 기다린다, wait: look.at - 1h}
  - id: say
    do: 알린다
    by: machine
    use: message.send
    with: {message: thanks, values: {이름: "{{ name }}"}}
    when: cups >= 2 and kind in ['녹차'] or days_until(look.at) == 1
    between: 09:00-21:00
    valid_for: look.at + 2h
    fallback: {by: owner, do: 전화한다, due: 1 business day}
    key: "{{ case.id }}-{{ look.at | datetime }}"
    by_hand: 1m
    serves: [s1]
    expect: 알렸다
on_failure: {tell: owner}
silent_after: 7d
revisions: [{revision: 1, on: 2026-11-01, by: kim, why: 처음, change: 적었다}]
""",
    "tests/tea.yaml": """cases:
  - name: 차가 나간다
    clock: "2026-11-23 10:00"
    start: {이름: 하나, 연락처: 010-1234-5678, 잔: "2", 종류: 녹차}
    people: {look: {at: "2026-11-23 10:20", by: lee, answers: {ok: yes, at: "2026-11-25 10:00", who: lee}}}
    expect: {outcome: done, sent: [thanks], steps: {say: done}, cases: 1}
""",
}
WORDS = (
    "null", "~", "{}", "[]", "''", "- x", "{{ name }}", "'{{ name }}'", "yes", "1e999", "-1", "0", "9" * 400, "nan",
    "0x1f", "2026-02-30", "25:99", "'#{x}'", "&a", "*a", "!!python/name:os.system", "<<: {}", "|", ">", "%", "@", "`",
    "'", '"', "{", "}", "[", "]", ",", ":", "#", "\\", "\t", "\r", "\x00", "\ufeff", "\u202e", "가" * 300, "a.b.c.d",
    "{a: b}", "[a, b]", "x: y", "- - -", "? x", "__class__", "'{{ x.__class__.__mro__ }}'", "name + ", "1h 1h",
    "99999999999999d", "-5m", "P1D", "form.submitted", "ledger.record", "team.notify", "self", "today", "look",
    "'a' * 9",
    "party.has.apply > 1", "not not not", "((((", "1 business day 09:00", "next business day 99:99", "daily 25:00",
)  # fmt: skip
_ALL = [word for text in SHOP.values() for word in text.split()]


def _value(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    name, colon, _ = lines[at].partition(": ")
    lines[at] = f"{name}{colon or ' '}{chance.choice(WORDS)}"
    return "\n".join(lines)


def _word(text: str, chance: random.Random) -> str:
    words = text.split(" ")
    at = chance.randrange(len(words))
    words[at] = chance.choice([chance.choice(WORDS), chance.choice(words), chance.choice(_ALL), ""])
    return " ".join(words)


def _deleted(text: str, chance: random.Random) -> str:
    begin = chance.randrange(len(text))
    return text[:begin] + text[begin + chance.choice([1, 1, 2, 5, 40, 400]) :]


def _inserted(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return text[:at] + chance.choice(WORDS) + text[at:]


def _moved(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    lines.insert(chance.randrange(len(lines)), lines.pop(chance.randrange(len(lines))))
    return "\n".join(lines)


def _again(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    lines[at : at + 1] = [lines[at]] * chance.choice([2, 3, 60])
    return "\n".join(lines)


def _shifted(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    lines[at] = chance.choice([" ", "  ", "        "]) + lines[at] if chance.random() < 0.5 else lines[at].lstrip()
    return "\n".join(lines)


def _crossed(text: str, chance: random.Random) -> str:
    """The rest of another file."""
    other = chance.choice(list(SHOP.values()))
    return text[: chance.randrange(len(text))] + other[chance.randrange(len(other)) :]


MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    _value, _value, _word, _word, _word, _deleted, _inserted, _moved, _again, _shifted, _crossed,
)  # fmt: skip


def mutated(name: str, chance: random.Random) -> bytes:
    text = SHOP[name]
    for _ in range(chance.choice([1, 1, 2, 4])):
        text = chance.choice(MUTATIONS)(text, chance) or " "
    raw = bytearray(text.encode("utf-8", "replace"))
    for _ in range(chance.choice([1, 3]) if chance.random() < 0.05 else 0):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(raw)
