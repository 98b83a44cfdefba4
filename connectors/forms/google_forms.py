"""Google Forms: what people sent, asked for again and again, since Google's own messages reach only Pub/Sub."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from connectors.answers import Answer
from connectors.errors import Odd, Rejected
from connectors.forms import SUBMITTED, flat, joined
from connectors.google import CONSOLE, Google
from connectors.incoming import Incoming, Polled
from connectors.payload import json_object

EDITED = "form.edited"
_BACK = timedelta(minutes=10)  # asked for again each time: what was sent shortly before may be listed late
_PAGE = 500  # responses of one answer
_PAGES = 400
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
T = TypeVar("T", bound=BaseModel)


class GoogleForms(Google):
    """Asks a Google form each minute for what people sent. Fields are found by their question, or by its id.

    The first time nothing comes in: what was sent before the form was connected stays in the past. Each response comes
    in once; when somebody edits it later, that comes in as `form.edited`. Several choices are joined by commas,
    uploaded files come as addresses in Google Drive, and a collected e-mail address as `respondent_email`.
    """

    service: ClassVar[str] = "google_forms"
    room: ClassVar[str] = "forms"
    events: ClassVar[tuple[str, ...]] = (SUBMITTED, EDITED)
    polls: ClassVar[timedelta | None] = timedelta(minutes=1)
    api: ClassVar[str] = "Google Forms API"
    document: ClassVar[str] = "form"
    scopes: ClassVar[tuple[str, ...]] = (
        "https://www.googleapis.com/auth/forms.body.readonly",
        "https://www.googleapis.com/auth/forms.responses.readonly",
    )
    console: ClassVar[str] = CONSOLE.format(api=api, document=document, role="an editor")
    limits: ClassVar[str] = (
        "180 lists of responses and 390 other reads a minute for each account "
        "(developers.google.com/workspace/forms/api/limits, November 2026)"
    )

    base_url: str = "https://forms.googleapis.com"
    form: str = Field(pattern=r"^[A-Za-z0-9_-]{8,100}$")

    @field_validator("form", mode="before")
    @classmethod
    def _from_address(cls, given: object) -> object:
        """The address of the form as its owner edits it will do."""
        if "/forms/d/e/" in str(given):
            raise ValueError("this is the address for respondents; open the form to edit it and copy that address")
        found = re.search(r"/forms/d/([A-Za-z0-9_-]+)", str(given))
        return found[1] if found else given

    def probe(self) -> str:
        """Count the questions."""
        form = self._form()
        return f"the form {form.title} asks {len(form.questions)} questions"

    def poll(self, cursor: str | None) -> Polled:
        """Responses sent or edited since `cursor`; none with no cursor, or with another form's. Raises the four."""
        place = _Place.read(cursor, self.form)
        if place is None:
            about = "responses(responseId,createTime,lastSubmittedTime),nextPageToken"
            past = map(_Stamp.of, self._listed(_BEGINNING, about))
            return Polled((), _Place(form=self.form).after(past).model_dump_json())
        listed = ((_Stamp.of(whole), whole) for whole in self._listed(place.since))
        found = {stamp.key: (stamp, whole) for stamp, whole in listed if place.new(stamp)}
        titles = self._form().questions if found else {}
        new = sorted(found.values(), key=lambda one: one[0].lastSubmittedTime)
        events = tuple(self._event(stamp, whole, place, titles) for stamp, whole in new)
        return Polled(events, place.after(stamp for stamp, _ in new).model_dump_json())

    def read(self, name: str, raw: bytes) -> dict[str, Any]:
        """The answers by question and by its id. Raises Odd."""
        del name
        kept = json_object(raw)
        try:
            one = _Kept.model_validate(kept)
        except ValidationError:
            raise Odd("the response is of a shape that cannot be read") from None
        answers = one.response.answers
        known = {**dict.fromkeys(answers, ""), **one.titles}
        told = [(id, title, answers[id].text if id in answers else None) for id, title in known.items()]
        found = flat(told, form=one.form, at=_written(one.response.lastSubmittedTime))
        email = one.response.respondentEmail
        return {**found, "respondent_email": email} if email else found

    def _event(self, one: "_Stamp", whole: Mapping[str, Any], place: "_Place", titles: Mapping[str, str]) -> Incoming:
        # Sent and edited between two looks is sent; known before, or sent before the last look, is edited.
        edited = one.responseId in place.seen or one.createTime < place.since
        payload = {"form": self.form, "titles": dict(titles), "response": dict(whole)}
        raw = json.dumps(payload, ensure_ascii=False, default=str).encode()
        return Incoming(EDITED if edited else SUBMITTED, one.key if edited else one.responseId, payload, raw=raw)

    def _listed(self, since: datetime, fields: str | None = None) -> Iterator[dict[str, Any]]:
        """All responses sent or edited at or after `since`, page by page."""
        asked: dict[str, Any] = {"pageSize": _PAGE, "prettyPrint": "false"}
        asked |= {"filter": f"timestamp >= {_written(since)}"} if since > _BEGINNING else {}
        asked |= {"fields": fields} if fields else {}
        for _ in range(_PAGES):
            answer = self.http.get(f"/v1/forms/{self.form}/responses", asked)
            page = _read(_Page, answer)
            yield from page.responses
            if not page.nextPageToken or page.nextPageToken == asked.get("pageToken"):
                return
            asked["pageToken"] = page.nextPageToken
        raise Rejected("the form has more responses than can be listed")

    def _form(self) -> "_Form":
        return _read(_Form, self.http.get(f"/v1/forms/{self.form}", {"prettyPrint": "false"}))


class _Stamp(BaseModel):
    """When a response was sent. No more of it is looked at here, so that one odd answer does not hold up the others."""

    responseId: str = Field(min_length=1, max_length=200)  # noqa: N815 - Google's names
    createTime: AwareDatetime  # noqa: N815
    lastSubmittedTime: AwareDatetime  # noqa: N815

    @classmethod
    def of(cls, whole: Mapping[str, Any]) -> "_Stamp":
        return _fit(cls, whole)

    @property
    def key(self) -> str:
        return f"{self.responseId}@{_written(self.lastSubmittedTime)}"


class _Place(BaseModel):
    """How far a form was read: the last moment, and what was seen shortly before it."""

    model_config = ConfigDict(frozen=True)

    form: str
    at: AwareDatetime = _BEGINNING
    seen: dict[str, AwareDatetime] = {}

    @classmethod
    def read(cls, cursor: str | None, form: str) -> "_Place | None":
        """None for a cursor of another form: its responses of the past are none of ours."""
        try:
            found = cls.model_validate_json(cursor or "")
        except ValidationError:
            return None
        return found if found.form == form else None

    @property
    def since(self) -> datetime:
        return max(self.at - _BACK, _BEGINNING)

    def new(self, stamp: _Stamp) -> bool:
        return stamp.lastSubmittedTime >= self.since and stamp.key not in self.seen

    def after(self, stamps: Iterable[_Stamp]) -> "_Place":
        seen = dict(self.seen)
        for one in stamps:
            seen |= {one.responseId: one.lastSubmittedTime, one.key: one.lastSubmittedTime}
        at = max([self.at, *seen.values()])
        return _Place(form=self.form, at=at, seen={key: when for key, when in seen.items() if when >= at - _BACK})


class _Page(BaseModel):
    model_config = ConfigDict(extra="allow")

    responses: list[dict[str, Any]] = []
    nextPageToken: str | None = None  # noqa: N815

    @model_validator(mode="after")
    def _is_a_page(self) -> Self:
        """Google says {} where nobody has sent anything; what says something else is not Google's."""
        if self.model_extra and not self.model_fields_set & set(type(self).model_fields):
            raise ValueError("no page of responses")
        return self


class _Text(BaseModel):
    value: str = ""


class _Texts(BaseModel):
    answers: list[_Text]


class _File(BaseModel):
    fileId: str = Field(pattern=r"^[A-Za-z0-9_-]+$")  # noqa: N815


class _Files(BaseModel):
    answers: list[_File]


class _Answer(BaseModel):
    textAnswers: _Texts | None = None  # noqa: N815
    fileUploadAnswers: _Files | None = None  # noqa: N815

    @model_validator(mode="after")
    def _has_content(self) -> Self:
        if self.textAnswers is None and self.fileUploadAnswers is None:
            raise ValueError("neither text nor file")
        return self

    @property
    def text(self) -> Any:
        if self.textAnswers is not None:
            return joined([one.value for one in self.textAnswers.answers])
        files = self.fileUploadAnswers.answers if self.fileUploadAnswers else []
        return "\n".join(f"https://drive.google.com/open?id={one.fileId}" for one in files) or None


class _Response(BaseModel):
    """One response, whole."""

    lastSubmittedTime: AwareDatetime  # noqa: N815
    respondentEmail: str | None = None  # noqa: N815
    answers: dict[str, _Answer] = {}


class _Kept(BaseModel):
    """What a poll keeps of a response: the questions as they were asked then."""

    form: str
    titles: dict[str, str]
    response: _Response


class _Question(BaseModel):
    questionId: str = ""  # noqa: N815
    rowQuestion: dict[str, Any] = {}  # noqa: N815


class _One(BaseModel):
    question: _Question


class _Group(BaseModel):
    questions: list[_Question] = []


class _Item(BaseModel):
    title: str = ""
    questionItem: _One | None = None  # noqa: N815
    questionGroupItem: _Group | None = None  # noqa: N815

    def titles(self) -> Iterator[tuple[str, str]]:
        """Each question's id and words; a row of a table as Google's own sheet of responses calls it."""
        if self.questionItem is not None:
            yield self.questionItem.question.questionId, self.title.strip()
        for row in self.questionGroupItem.questions if self.questionGroupItem else []:
            yield row.questionId, f"{self.title.strip()} [{row.rowQuestion.get('title', '')}]"


class _Info(BaseModel):
    title: str = ""
    documentTitle: str = ""  # noqa: N815


class _Form(BaseModel):
    formId: str  # noqa: N815
    info: _Info
    items: list[_Item] = []

    @property
    def title(self) -> str:
        return self.info.title or self.info.documentTitle or self.formId

    @property
    def questions(self) -> dict[str, str]:
        return dict(pair for item in self.items for pair in item.titles() if pair[0])


def _read(model: type[T], answer: Answer) -> T:
    return _fit(model, answer.json())


def _fit(model: type[T], found: object) -> T:
    try:
        return model.model_validate(found)
    except ValidationError:
        raise Rejected("Google's answer cannot be read") from None


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
