"""Evaluates somebody's policies: each in its own process, each for the same episodes, whatever it does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from baselines.errors import ConfigError, PolicyError
from baselines.evaluation.greedy import episodes_together
from baselines.evaluation.results import task_name
from baselines.leaderboard.tasks import known_bounds
from baselines.policies.failure import PolicyFailureError, Status
from baselines.policies.limits import Limits, Verdict
from baselines.policies.play import Episodes
from baselines.policies.process import PolicyProcess
from baselines.policies.salt import Salt
from baselines.policies.tally import Tally
from stmg_envs import vector_env
from stmg_envs.arguments import require_count
from stmg_envs.protocol import JointVectorEnv, Streams
from wrappers import external_vector_env, game_of, is_external

POLICY_SEEDS = 5
"""Purpose of the numbers that policies get as seeds; they are public, and say nothing of the game's own."""


@dataclass(frozen=True)
class Task:
    """What is played.

    Attributes:
        env_id: environment id.
        env_args: arguments of the game.
        seeds: one per run, (K,).
        episodes: E, per run.
        salt: what the episodes are made with, the same ones for all policies; drawn if none is given.

    Raises:
        InvalidArgumentError, ConfigError: for numbers of episodes and seeds that are none.
    """

    env_id: str
    env_args: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = tuple(range(10))
    episodes: int = 320
    # Not shown, so that no message or traceback tells it.
    salt: Salt = field(default_factory=Salt.draw, repr=False)

    def __post_init__(self) -> None:
        require_count("episodes", self.episodes, 1)
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ConfigError(f"seeds={self.seeds} is not accepted; expected distinct integers")

    @property
    def name(self) -> str:
        """The task's name in results files."""
        return task_name(self.env_id, self.env_args)

    def environments(self, count: int) -> JointVectorEnv:
        """So many environments."""
        make = external_vector_env if is_external(self.env_id) else vector_env
        return make(self.env_id, count, **self.env_args)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What became of one policy.

    Attributes:
        policy: "package.module:Class".
        name: its name in results.
        status: what happened.
        detail: more about it, in one line; empty if all is well.
        tally: what it has played.
        seconds: what its calls took together.
        verdict: what its processes did.
    """

    policy: str
    name: str
    status: Status
    detail: str
    tally: Tally
    seconds: float
    verdict: Verdict


@dataclass(frozen=True)
class Ending:
    """How a policy's process came to its end.

    Attributes:
        failure: what the policy failed with, if it did.
        seconds: what its calls took together.
        verdict: what its processes did.
    """

    failure: PolicyFailureError | None
    seconds: float
    verdict: Verdict


def evaluate_policies(
    policies: Sequence[str],
    task: Task,
    arguments: Mapping[str, Any] | None = None,
    names: Sequence[str] = (),
    limits: Limits | None = None,
    watch: Callable[[Evaluation], None] | None = None,
) -> list[Evaluation]:
    """Evaluate policies one after another; none of them can take the evaluation down.

    An episode that a policy does not finish counts as much as the task's lower bound in the registry (the
    uniformly random policy), or as the worst episode that it has finished if that is less: a failure
    never pays.

    Args:
        policies: "package.module:Class" each, see `baselines.policies.Policy`.
        task: what is played.
        arguments: keyword arguments of every policy.
        names: what the policies are called, by default the names of their classes.
        limits: what each may use.
        watch: called with every evaluation as soon as there is one.

    Returns:
        One evaluation per policy.

    Raises:
        PolicyError: if there is no such policy, or it is none; nothing has been evaluated then.
        UnknownNameError, MissingEngineError, InvalidArgumentError: for what is wrong with the task.
    """
    if sys.platform != "linux":
        raise PolicyError(f"platform={sys.platform!r} cannot confine a policy's process; expected Linux")
    bounds = limits or Limits()
    called = _names(policies, names)
    with closing(task.environments(1)) as env:
        agents = len(env.agents)
    low = known_bounds().get(task.name, (None, None))[0]
    found = [_look(policy, bounds) for policy in policies]
    evaluations = []
    for policy, name, ending in zip(policies, called, found, strict=True):
        tally = Tally(len(task.seeds), task.episodes, agents, low)
        if ending.failure is None:
            ending = _play(policy, bounds, arguments or {}, task, tally)
        failure = ending.failure
        evaluations.append(
            Evaluation(
                policy,
                name,
                status="ok" if failure is None else failure.status,
                detail="" if failure is None else failure.detail,
                tally=tally,
                seconds=ending.seconds,
                verdict=ending.verdict,
            )
        )
        if watch is not None:
            watch(evaluations[-1])
    return evaluations


def _names(policies: Sequence[str], names: Sequence[str]) -> list[str]:
    for policy in policies:
        module, colon, name = policy.partition(":")
        if not (colon and name.isidentifier() and all(part.isidentifier() for part in module.split("."))):
            raise PolicyError(f"policy={policy!r} names no class; expected package.module:Class")
    if names and len(names) != len(policies):
        raise PolicyError(f"names={list(names)} do not fit {len(policies)} policies; expected one for each")
    called = list(names) or [policy.partition(":")[2] for policy in policies]
    # Results files tell algorithms apart in lower case and join their names with commas.
    if len({name.lower() for name in called}) < len(called) or any(
        "," in name or not name for name in called
    ):
        raise PolicyError(
            f"names={called} are not accepted; expected different ones, without commas (--name)"
        )
    return called


def _look(policy: str, limits: Limits) -> Ending:
    """Look for a policy's class; it is not imported yet."""
    with PolicyProcess(policy, limits, "look.py") as process:
        return _ending(process, process.look)


def _play(policy: str, limits: Limits, arguments: Mapping[str, Any], task: Task, tally: Tally) -> Ending:
    """Have a policy play all episodes, as many as it can."""

    def play() -> None:
        process.load()
        process.make(arguments)
        _play_all(process, task, tally)

    with PolicyProcess(policy, limits) as process:
        return _ending(process, play)


def _ending(process: PolicyProcess, action: Callable[[], None]) -> Ending:
    failure = None
    try:
        action()
    except PolicyFailureError as raised:
        failure = raised
    return Ending(failure, process.seconds, process.close())


def _play_all(process: PolicyProcess, task: Task, tally: Tally) -> None:
    game = game_of(task.env_id, **task.env_args)
    together = episodes_together(game, task.episodes) if process.batch else 1
    keys = task.salt.keys(task.seeds, task.episodes)
    seeds = Streams.from_seeds(task.seeds).fold(POLICY_SEEDS).bits(task.episodes) & (2**31 - 1)
    with closing(task.environments(together)) as env:
        for run in range(len(task.seeds)):
            for first in range(0, task.episodes, together):
                process.reset(int(seeds[run, first]))
                batch = Episodes(env)
                try:
                    batch.play(process, keys[run, first : first + together])
                finally:
                    tally.add(run, first, batch)
