"""How language models play: LLaMAC and HMAS-2 as settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from stmg_envs.arguments import require_choice, require_count
from stmg_envs.protocol import Ask

Name = Literal["llamac", "hmas-2"]
Critics = Literal["separate", "joint"]
Actors = Literal["confirm", "turns"]
Exhausted = Literal["fail", "stay"]


@dataclass(frozen=True)
class Method:
    """The control loop of a timestep.

    Attributes:
        name: "llamac" (Zhang et al. 2023, arXiv 2311.13884): two critics propose plans, one that looks far
            and explores and one that takes what is at hand, and an assessor makes one plan of them; or
            "hmas-2" (Chen et al. 2023, arXiv 2309.15943): one planner, and all agents are asked and see the
            whole plan.
        critics: "separate" calls for the two, as in the paper's slides, or "joint": one call for both, as in
            its authors' code.
        actors: "confirm", as in the paper: agents play their parts of the plan; or "turns", ours: each then
            decides by a call of its own in order of priority, and sees what those before it have decided.
        ask: who is asked about a plan before it is played: agents with doubtful parts ("rule"), "all" or
            "none". By default what the game says, with "hmas-2" all.
        rounds: how often a plan is asked about at most; by default what the game says. The authors' code has
            1 in easy and 3 in hard tasks; the paper's text was not to be found.
        repairs: how often an illegal plan is sent back, 6 in the authors' code.
        on_exhausted: what then: "fail" ends the episode, as in the authors' code; "stay", ours, drops what
            is illegal.
        memory_tokens: past steps are told, the latest first, while the rules and the situation with them are
            estimated below so many tokens; 3,000 in the authors' code.

    Raises:
        InvalidArgumentError: for a value out of range.
    """

    name: Name = "llamac"
    critics: Critics = "separate"
    actors: Actors = "confirm"
    ask: Ask | None = None
    rounds: int | None = None
    repairs: int = 6
    on_exhausted: Exhausted = "fail"
    memory_tokens: int = 3000

    def __post_init__(self) -> None:
        require_choice("name", self.name, get_args(Name))
        require_choice("critics", self.critics, get_args(Critics))
        require_choice("actors", self.actors, get_args(Actors))
        if self.ask is not None:
            require_choice("ask", self.ask, get_args(Ask))
        if self.rounds is not None:
            require_count("rounds", self.rounds, 0)
        require_count("repairs", self.repairs, 0)
        require_choice("on_exhausted", self.on_exhausted, get_args(Exhausted))
        require_count("memory_tokens", self.memory_tokens, 0)
