"""What a run of language models consists of: all that its transcript depends on but the replies."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

from pydantic import TypeAdapter, ValidationError

from baselines.errors import ConfigError, TranscriptError
from baselines.evaluation.results import task_name
from baselines.llm.method import Method
from baselines.llm.printable import printable
from baselines.llm.prompts import Prompts
from baselines.llm.requests import Sampling
from baselines.llm.transcript import FORMAT, Record
from stmg_envs.arguments import require_count
from stmg_envs.errors import STMGError
from wrappers import is_external

NOT_THE_GAMES = frozenset({"id", "env_id", "num_envs", "device", "render_mode"})
"""What environments are made with besides the arguments of their games."""


@dataclass(frozen=True)
class Setup:
    """Which episodes are played, and how.

    Attributes:
        env_id: environment id.
        env_args: arguments of the game.
        seeds: of the instances, (E,).
        repeats: how often each is played, for replies differ from time to time.
        method: the control loop.
        sampling: which model, and how.
        host: of the endpoint, None where there is none.
        prompts: version of the prompts.

    Raises:
        ConfigError, InvalidArgumentError, UnknownNameError: for what cannot be played.
    """

    env_id: str
    env_args: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = tuple(range(10))
    repeats: int = 1
    method: Method = field(default_factory=Method)
    sampling: Sampling = field(default_factory=lambda: Sampling("scripted"))
    host: str | None = None
    prompts: str = "v1"

    def __post_init__(self) -> None:
        require_count("repeats", self.repeats, 1)
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ConfigError(f"seeds={self.seeds} is not accepted; expected distinct integers")
        for name in NOT_THE_GAMES.intersection(self.env_args):
            raise ConfigError(f"env_args has {name!r}, which is no argument of a game; leave it out")
        Prompts(self.prompts)

    @property
    def task(self) -> str:
        """The task's name in results files."""
        return task_name(self.env_id, self.env_args)

    @property
    def episodes(self) -> int:
        """How many episodes there are: repeat r of instance i has the number r * E + i."""
        return len(self.seeds) * self.repeats

    def seed(self, episode: int) -> int:
        """The seed of an episode's environment."""
        return self.seeds[episode % len(self.seeds)]

    @property
    def is_external(self) -> bool:
        """Whether the game is a module of another package, which is imported where it is played."""
        return is_external(self.env_id)

    def header(self) -> Record:
        """The first record of a transcript that begins now."""
        return {
            "kind": "header",
            "format": FORMAT,
            "setup": self._told(),
            "task": self.task,
            "prompts": Prompts(self.prompts).digest,
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "versions": {
                "stmg": version("stmg"),
                "torch": version("torch"),
                "python": platform.python_version(),
            },
        }

    def require_same(self, header: Record) -> None:
        """Make sure that a transcript is one of this setup.

        Raises:
            TranscriptError: naming the first field that differs.
        """
        told = self._told()
        for name, value in told.items():
            there = header["setup"].get(name)
            if there != value:
                raise TranscriptError(
                    f"{name} is {value!r:.200}, in the transcript {there!r:.200}; give the settings that "
                    "made it, or another --out"
                )
        digest = Prompts(self.prompts).digest
        if header["prompts"] != digest:
            raise TranscriptError(
                f"prompts {self.prompts} have the digest {digest}, in the transcript {header['prompts']}; "
                "replay it with the version of stmg that made it"
            )

    def _told(self) -> dict[str, Any]:
        return {**asdict(self), "env_args": dict(self.env_args), "seeds": list(self.seeds)}


def setup_of(header: Record) -> Setup:
    """The setup that a transcript's header tells.

    Raises:
        TranscriptError: if it tells none.
    """
    try:
        return TypeAdapter(Setup).validate_python(header["setup"])
    except ValidationError as error:
        first = error.errors()[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except STMGError as error:
        reason = str(error)
    raise TranscriptError(
        f"the setup in the header is none ({printable(reason):.200}); expected the header as stmg llm run "
        "wrote it"
    )
