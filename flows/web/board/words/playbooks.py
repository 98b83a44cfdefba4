"""Words of the pages Playbooks, Playbook and Blueprint."""

from flows.web.board.words import Pairs

_STATES: Pairs = {
    "state_design": ("설계", "design"),
    "state_trial": ("시운전", "trial"),
    "state_complete": ("완성", "complete"),
    "state_operate": ("운영", "operate"),
    "state_expand": ("확산", "expand"),
}
PLAYBOOKS: Pairs = {
    **_STATES,
    "playbooks": ("플레이북", "Playbooks"),
    "sum": ("플레이북 {}개, 진행 중인 케이스 {}건", "{} playbooks, {} open cases"),
    "sum_failed": ("그중 {}건 실패", "{} failed"),
    "owner_is": ("책임\u00a0{}", "owner {}"),
    "steps_by": ("기계\u00a0{}단계 · 사람\u00a0{}단계", "machine {} steps · people {} steps"),
    "failed_here": ("실패 {}건", "{} failed"),
    "cases_now": ("진행 중 {}건", "{} open"),
    "begun": ("마지막 시작 {}", "last began {}"),
    "never": ("시작한 적 없음", "never began"),
    "wrong_failed": ("실패", "failed"),
    "wrong_dropped": ("때가 지나 하지 않음", "too late, not done"),
    "wrong_in_doubt": ("되었는지 모름", "in doubt"),
    "no_playbooks": (
        "아직 플레이북이 없습니다. playbooks 폴더에 YAML 파일을 쓰면 여기에 나타납니다.",
        "There is no playbook yet. Write a YAML file into the folder playbooks, and it appears here.",
    ),
}
PLAYBOOK: Pairs = {
    **PLAYBOOKS,
    "no_such": ("그런 플레이북이 없습니다.", "There is no such playbook."),
    "means_design": ("아직 쓰는 중이라 시작하지 않습니다.", "It is being written and does not start yet."),
    "means_trial": (
        "해 보는 중입니다. 밖으로 나가는 일은 사람이 직접 하거나 확인합니다.",
        "It is tried: what would leave is done or confirmed by a person.",
    ),
    "means_complete": (
        "다 되었지만, 시작할 때마다 사람이 확인합니다.",
        "It is complete, but each start waits for a person.",
    ),
    "means_operate": ("스스로 돌아갑니다.", "It runs by itself."),
    "means_expand": (
        "스스로 돌아가고, 다른 곳으로 넓히는 중입니다.",
        "It runs by itself and is carried to other places.",
    ),
    "why": ("왜, 언제", "Why and when"),
    "scenario": ("고객이 겪는 일", "What the customer lives through"),
    "comes_in": ("받는 것", "What comes in"),
    "steps": ("하는 일", "What is done"),
    "share": (
        "손으로 하면 한 번에 {}분. 그중 {}분은 기계가 맡습니다.",
        "By hand one case takes {} minutes; the machine takes {} of them.",
    ),
    "waits": ("기다림", "waits"),
    "details": ("자세히", "Details"),
    "here": ("지금 {}건", "{} here now"),
    "stands": ("지금 서 있는 곳", "Where cases stand now"),
    "no_stands": (
        "진행 중인 케이스가 없습니다. 시작되면 어느 단계에 몇 건이 있는지 보입니다.",
        "No case is open. Once one begins, it is counted here at its step.",
    ),
    "behind": ("마지막 단계 뒤", "behind the last step"),
    "of_old": ("이전 판의 단계", "a step of an older version"),
    "held_here": ("멈춤 {}건", "{} held"),
    "all_open": ("진행 중인 케이스 모두 보기", "All open cases"),
    "wrongs": ("최근에 되지 않은 일", "What went wrong lately"),
    "no_wrongs": (
        "되지 않은 일이 없습니다. 실패하거나 때를 놓치면 까닭과 함께 여기에 나타납니다.",
        "Nothing went wrong. What fails or comes too late appears here with its reason.",
    ),
    "tests": ("시험", "Tests"),
    "tests_why": (
        "가상 시계로 하루하루를 그려 봅니다. 밖으로 나가는 것은 없습니다.",
        "Days are played on a virtual clock. Nothing leaves.",
    ),
    "no_tests": (
        "아직 시험이 없습니다. tests/{}.yaml에 꼭 맞게 되어야 할 하루를 적으면 여기에서 해 볼 수 있습니다.",
        "There are no tests yet. Write days that must come out right into tests/{}.yaml to play them here.",
    ),
    "not_played": ("아직 해 보지 않았습니다.", "Not played yet."),
    "all_green": ("{}개 모두 적힌 대로 되었습니다.", "All {} came out as written."),
    "some_red": ("{}개 가운데 {}개가 다르게 되었습니다.", "Of {}, {} came out otherwise."),
    "some_left": (
        "{}개는 시간이 모자라 하지 못했습니다. 터미널에서: digilog test {}",
        "{} were not played for want of time. In the terminal: digilog test {}",
    ),
    "stale": (
        "그 뒤로 플레이북이나 시험이 바뀌었습니다. 다시 해 보세요.",
        "The playbook or its tests have changed since. Play them again.",
    ),
    "play": ("지금 해 보기", "Play them now"),
    "play_again": ("다시 해 보기", "Play them again"),
    "green": ("됨", "as written"),
    "red": ("다름", "otherwise"),
    "told_tested": ("시험을 마쳤습니다.", "The tests were played."),
    "told_busy": (
        "지금 다른 시험을 하고 있습니다. 잠시 뒤에 다시 눌러 주세요.",
        "Other tests are being played. Press again in a moment.",
    ),
    "versions": ("판", "Versions"),
    "version_now": ("지금 파일", "the file now"),
    "version_open": ("진행 중 {}건", "{} open"),
    "published_by": ("{} 님이 발행", "published by {}"),
    "no_versions": (
        "아직 남은 판이 없습니다. 첫 케이스가 시작되거나 발행하면 여기에 남습니다.",
        "No version is kept yet. The first case, or publishing, keeps one.",
    ),
    "not_kept": (
        "지금 파일의 판({})으로 시작한 케이스는 아직 없습니다.",
        "No case has begun with the file as it is now ({}).",
    ),
    "runs": ("최근 케이스의 Prefect 실행", "Newest cases’ runs in Prefect"),
}
BLUEPRINT: Pairs = {
    **_STATES,
    "blueprint": ("서비스 청사진", "Service blueprint"),
    "blueprint_why": (
        "고객이 겪는 일마다 무엇을 누가 하는지 봅니다.",
        "For each moment of the customer: what is done, and by whom.",
    ),
    "blueprint_sum": ("사람 {}단계 · 기계 {}단계", "people {} steps · machine {} steps"),
    "holes": ("빈 곳 {}곳", "{} holes"),
    "no_holes": ("빈 곳 없음", "no holes"),
    "no_playbook": (
        "이 자리에는 아직 플레이북이 없습니다.",
        "No playbook stands here yet.",
    ),
    "no_step": ("맡은 단계가 없습니다", "no step serves it"),
    "no_scenario": ("고객이 겪는 일이 적혀 있지 않습니다.", "What the customer lives through is not written."),
}
