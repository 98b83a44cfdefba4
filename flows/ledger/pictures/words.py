"""What pictures say, in pairs: (Korean, English)."""

from typing import Literal

_PAIRS = {
    "title": ("어제의 숫자", "Yesterday's numbers"),
    "since": ("{0} ~ {1}, 28일", "{0} to {1}, 28 days"),
    "yesterday": ("어제", "yesterday"),
    "four_weeks": ("4주 합", "4 weeks"),
    "days_missing": ("빈 날 {0}", "{0} missing"),
    "gaps": ("어제 숫자가 없는 것: {0}", "No number of yesterday: {0}"),
    "no_gaps": ("어제의 숫자가 모두 있습니다", "All of yesterday's numbers are there"),
    "and_more": ("{0} 외 {1}개", "{0} and {1} more"),
    "left_out": ("지표 {0}개는 보드에 더 있습니다", "{0} more metrics stand on the board"),
    "missing": ("숫자 없음", "no number"),
    "provisional": ("아직 바뀔 수 있음", "may still change"),
    "restated": ("다시 고쳐짐", "restated"),
    "not_applicable": ("해당 없음", "not applicable"),
    "circle": ("순환 전체", "the whole circle"),
    "internal": ("안의 일", "internal"),
    "cost": ("비용", "Cost"),
    "all_channels": ("모든 경로", "all channels"),
    "share_of": ("{0}의 {1}", "{1} of {0}"),
    "line": ("{0}, {1}부터 {2}까지", "{0}, {1} to {2}"),
    "line_said": (
        "가장 작은 값 {0}, 가장 큰 값 {1}, 마지막 값 {2}. 숫자가 없는 날 {3}일.",
        "Smallest {0}, largest {1}, last {2}. {3} days without a number.",
    ),
    "nothing": ("아직 숫자가 없습니다", "no numbers yet"),
    "target": ("목표", "target"),
    "funnel": ("비용에서 단골까지", "From cost to regular customers"),
    "minutes": ("{0}분", "{0} min"),
}
Words = dict[str, str]


def words(language: Literal["ko", "en"]) -> Words:
    return {key: both[0 if language == "ko" else 1] for key, both in _PAIRS.items()}
