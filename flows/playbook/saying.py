"""Times and kinds of exchanges as people say them, for the process document."""

from collections.abc import Callable
from datetime import timedelta
from typing import Literal

from flows.playbook.time import Duration, Time

Language = Literal["ko", "en"]
_KOREAN_KINDS = {
    "inquiry": "문의", "apply": "신청", "subscribe": "구독", "reserve": "예약", "cancel": "취소", "visit": "방문",
    "call": "전화", "attend": "참석", "purchase": "구매", "payment": "결제", "refund": "환불", "claim": "불만",
    "review": "후기", "reply": "답장", "refer": "소개", "join": "입사", "leave": "퇴사", "consent": "동의",
    "message": "메시지",
}  # fmt: skip


def kind(word: str, language: Language) -> str:
    return _KOREAN_KINDS.get(word, word) if language == "ko" else word


def length(duration: Duration | timedelta, language: Language) -> str:
    """`30분`, `2시간`, `3일`; only the largest unit that divides it."""
    delta = duration.delta if isinstance(duration, Duration) else duration
    minutes = int(abs(delta) / timedelta(minutes=1))
    for size, korean, english in ((24 * 60, "일", "day"), (60, "시간", "hour"), (1, "분", "minute")):
        if minutes % size == 0 and (minutes or size == 1):
            count = minutes // size
            return f"{count}{korean}" if language == "ko" else f"{count} {english}{'' if count == 1 else 's'}"
    raise AssertionError(delta)


def moment(time: Time, label: Callable[[str], str], language: Language) -> str:
    """A time of a case; `label` says a field or an answer in the words of its form."""
    korean = language == "ko"
    clock = "" if time.clock is None else f"{time.clock // 60:02d}:{time.clock % 60:02d}"
    if time.path is not None:
        return _of_case(time, label(time.path), clock, language)
    if time.business_minutes is not None:
        said = length(timedelta(minutes=time.business_minutes), language)
        return f"영업시간으로 {said}" if korean else f"{said} of business time"
    if time.business_days is not None and clock:
        return f"다음 영업일 {clock}" if korean else f"next business day {clock}"
    if time.business_days is not None:
        count = time.business_days
        return f"영업일로 {count}일" if korean else f"{count} business day{'' if count == 1 else 's'}"
    if clock:
        return f"{_day(time.days, language)} {clock}"
    return length(time.delta, language)


def _of_case(time: Time, named: str, clock: str, language: Language) -> str:
    korean = language == "ko"
    if clock:
        return f"{named} 그날 {clock}" if korean else f"{clock} of the day of {named}"
    if not time.delta:
        return named
    said = length(time.delta, language)
    if time.delta < timedelta():
        return f"{named} {said} 전" if korean else f"{said} before {named}"
    return f"{named} {said} 뒤" if korean else f"{said} after {named}"


def _day(days: int, language: Language) -> str:
    korean = language == "ko"
    match days:
        case 0:
            return "그날" if korean else "that day"
        case 1:
            return "다음 날" if korean else "the next day"
    return f"{days}일 뒤" if korean else f"{days} days on"
