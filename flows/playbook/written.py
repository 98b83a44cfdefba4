"""What all things have that people write: names, sentences, lengths of time; an unknown word is an error."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

from flows.playbook.time import Duration

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$")]
Sentence = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Length = Annotated[Duration, BeforeValidator(Duration.parse)]


class Written(BaseModel):
    """Something that people write: an unknown word is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True)
