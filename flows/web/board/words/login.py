"""Words of logging in, of the first admin, and of one's own account."""

from flows.web.board.words import Pairs

LOGIN: Pairs = {
    "login": ("로그인", "Log in"),
    "name": ("이름(아이디)", "Name"),
    "password": ("비밀번호", "Password"),
    "wrong": (
        "이름이나 비밀번호가 맞지 않습니다.",
        "Name or password is not right.",
    ),
    "slow_down": (
        "너무 여러 번 시도했습니다. 1분 뒤에 다시 해 주세요.",
        "Too many tries. Wait a minute and try again.",
    ),
    "forgot": (
        "비밀번호를 잊었다면 이 컴퓨터에서 digilog user password 이름 을 실행해 새로 정합니다.",
        "Forgotten? On the computer where digilog runs: digilog user password NAME",
    ),
    "no_admin": (
        "아직 관리자가 없습니다.",
        "There is no admin yet.",
    ),
    "make_admin": ("첫 관리자 만들기", "Make the first admin"),
    "setup": ("첫 관리자", "The first admin"),
    "setup_why": (
        "digilog up 을 실행한 터미널에 일회용 코드가 있습니다. 한 번만 쓸 수 있습니다.",
        "The terminal where digilog up runs shows a one-time code. It works once.",
    ),
    "code": ("일회용 코드", "One-time code"),
    "setup_name": (
        "company.yaml에 적힌 사람이면 그 아이디를 쓰세요: {}",
        "If you are one of the people of company.yaml, use that id: {}",
    ),
    "password_hint": ("10자 이상. 낱말 서너 개면 좋습니다.", "At least 10 signs; three or four words are good."),
    "code_wrong": (
        "터미널에 보이는 코드가 아닙니다. digilog up 을 다시 시작하면 새 코드가 나옵니다.",
        "This is not the code of the terminal. Start digilog up again for a new one.",
    ),
    "name_wrong": (
        "이름은 영어 소문자, 숫자, 점, 붙임표로 적습니다(40자까지).",
        "A name is made of a-z, digits, dot and hyphen; at most 40 signs.",
    ),
    "password_wrong": ("비밀번호는 10자 이상 200자 이하입니다.", "A password has 10 to 200 signs."),
    "old_wrong": ("지금 비밀번호가 맞지 않습니다.", "The present password is not right."),
    "account_role": ("권한", "Role"),
    "everywhere": ("모든 기기에서 로그아웃", "Sign out everywhere"),
    "everywhere_why": (
        "휴대폰을 잃어버렸거나 남의 컴퓨터에서 로그인했을 때 누르세요.",
        "For when a phone is lost, or you logged in on somebody else's computer.",
    ),
    "change_password": ("비밀번호 바꾸기", "Change the password"),
    "old_password": ("지금 비밀번호", "Present password"),
    "new_password": ("새 비밀번호", "New password"),
    "change_why": ("바꾸면 모든 기기에서 로그아웃됩니다.", "You are then signed out everywhere."),
    "signed_out": ("로그아웃했습니다.", "You are signed out."),
    "changed": ("비밀번호를 바꿨습니다. 새 비밀번호로 로그인하세요.", "The password is changed. Log in with it."),
    "session_over": (
        "로그인이 끝났습니다. 다시 로그인한 뒤 한 번 더 해 주세요.",
        "Your login has ended. Log in and try once more.",
    ),
}
