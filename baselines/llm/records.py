"""What the records of a transcript hold, and the check of lines that anybody may have written."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict

EXACT = with_config(ConfigDict(extra="forbid", strict=True, allow_inf_nan=False))
"""Nothing else, nothing that only looks like it."""
Count = Annotated[int, Field(ge=0, lt=2**53)]


@EXACT
class VersionsData(TypedDict):
    """With what a run was begun."""

    stmg: str
    torch: str
    python: str


@EXACT
class HeaderData(TypedDict):
    """The first record; its setup is checked where it is made, and its format before."""

    kind: Literal["header"]
    format: int
    setup: dict[str, Any]
    task: str
    prompts: str
    date: str
    versions: VersionsData


@EXACT
class MessageData(TypedDict):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@EXACT
class SamplingData(TypedDict):
    """Which model was asked, and how."""

    model: str
    temperature: float
    seed: int | None
    max_tokens: Count


@EXACT
class UsageData(TypedDict):
    """Tokens."""

    prompt: Count
    cached: Count
    completion: Count
    reasoning: Count
    estimated: Count


@EXACT
class ReplyData(TypedDict):
    """What came of a call."""

    text: str | None
    failure: str | None
    usage: UsageData
    attempts: Count
    faults: list[str]
    fingerprint: str | None
    seconds: float


@EXACT
class CallData(TypedDict):
    """A call."""

    kind: Literal["call"]
    episode: Count
    timestep: Count
    number: Count
    role: str
    agent: str | None
    digest: str
    messages: Annotated[list[MessageData], Field(min_length=1)]
    schema: dict[str, Any]
    sampling: SamplingData
    reply: ReplyData


@EXACT
class ObjectionData(TypedDict):
    """What was objected to a plan."""

    round: Count
    agent: str
    reason: str
    by_rule: bool


@EXACT
class StepData(TypedDict):
    """A joint step."""

    kind: Literal["step"]
    episode: Count
    timestep: Count
    scene: str
    state: str
    plan: dict[str, str]
    objections: list[ObjectionData]
    actions: dict[str, str]
    joint_action: list[Count]
    rewards: Annotated[list[float], Field(min_length=1)]
    done: bool


@EXACT
class EndData(TypedDict):
    """The end of an episode."""

    kind: Literal["end"]
    episode: Count
    timestep: Count
    seed: int
    success: bool
    failure: str | None
    steps: Count
    feedback: Count
    returns: Annotated[list[float], Field(min_length=1)]
    metrics: dict[str, float]
    calls: dict[str, Count]
    faults: dict[str, Count]
    usage: UsageData


_RECORDS: TypeAdapter[HeaderData | CallData | StepData | EndData] = TypeAdapter(
    Annotated[HeaderData | CallData | StepData | EndData, Field(discriminator="kind")]
)


def check_record(line: bytes) -> None:
    """Make sure that a line is a record.

    Raises:
        pydantic.ValidationError: if it is none.
    """
    _RECORDS.validate_json(line)
