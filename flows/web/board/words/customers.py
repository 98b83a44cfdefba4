"""Words of the pages Search and Customer."""

from flows.web.board.words import Pairs
from flows.web.board.words.exchange import KINDS

SEARCH: Pairs = {
    "search_title": ("찾기", "Search"),
    "search_what": ("고객이나 케이스", "Customer or case"),
    "search_hint": (
        "이름(두 글자부터는 일부만 적어도 됩니다), 전화번호(뒤 4자리도 됩니다), 이메일, 케이스 번호로 찾습니다.",
        "By two letters of a name, a phone number (its last four digits will do), an e-mail or a case’s number.",
    ),
    "customers": ("고객", "Customers"),
    "cases": ("케이스", "Cases"),
    "nobody_found": (
        "‘{}’에 맞는 고객이나 케이스가 없습니다. 이름의 두 글자, 전화번호의 앞부분이나 뒤 4자리로 찾아 보세요.",
        "No customer and no case fits “{}”. Try two letters of the name, or the last four digits of the number.",
    ),
    "only_so_many": ("처음 {}명만 보입니다. 더 길게 적어 주세요.", "Only the first {} are shown; type a little more."),
}
CUSTOMER: Pairs = {
    **KINDS,
    "customer": ("고객", "Customer"),
    "contact_points": ("연락처", "Contact"),
    "phone": ("전화", "Phone"),
    "other_names": ("다른 이름", "Other names"),
    "name": ("이름", "Name"),
    "known_since": ("알게 된 때", "Known since"),
    "stage": ("지금 단계", "Stage"),
    "no_stage": ("아직 없음", "none yet"),
    "kind_person": ("개인", "person"),
    "kind_company": ("회사", "company"),
    "kind_candidate": ("지원자", "candidate"),
    "kind_employee": ("직원", "employee"),
    "party_kind": ("구분", "Kind"),
    "consents": ("동의", "Consents"),
    "no_consents": (
        "기록된 동의가 없습니다. 고객이 양식에서 동의하면 그 문장과 함께 나타납니다.",
        "No consent is recorded. What a customer agrees to in a form appears here with its words.",
    ),
    "given": ("동의함", "given"),
    "not_given": ("동의하지 않음", "not given"),
    "withdrawn": ("거두어들임", "taken back"),
    "purpose_info": ("안내", "information"),
    "purpose_ad": ("광고", "adverts"),
    "purpose_sensitive": ("민감정보", "sensitive data"),
    "exchanges": ("거래", "Dealings"),
    "no_exchanges": (
        "아직 거래가 없습니다. 양식, 결제, 손으로 적은 기록이 여기에 나타납니다.",
        "Nothing yet. Forms, payments and what is recorded by hand appear here.",
    ),
    "record_one": ("거래 기록하기", "Record a dealing"),
    "cases": ("케이스", "Cases"),
    "no_cases_of": ("이 고객의 케이스가 없습니다.", "No case is about this customer."),
    "newest_only": ("최근 {}건만 보입니다.", "Only the newest {} are shown."),
}
