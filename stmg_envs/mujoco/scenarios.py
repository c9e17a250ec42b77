"""The scenarios: model, start, reward, limbs and view of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from xml.etree.ElementTree import Element

from stmg_envs.arguments import require_text
from stmg_envs.errors import InvalidArgumentError, UnknownNameError, suggestion
from stmg_envs.mujoco import bodies, models, starts, views
from stmg_envs.mujoco.features import View
from stmg_envs.mujoco.limbs import Limbs
from stmg_envs.mujoco.rewards import (
    Locomotion,
    Reaching,
    Reward,
    StandingUp,
    mass_centre_x,
    mean_root_x,
    torso_x,
)
from stmg_envs.mujoco.starts import Start


@dataclass(frozen=True)
class Scenario:
    """A body and its task.

    Attributes:
        model: makes its XML.
        frame_skip: steps of MuJoCo in one decision.
        start: first positions and velocities.
        reward: what a step is worth, and when an episode has failed.
        limbs: its joints and factorisations.
        view: what agents see.
        max_steps: time limit, decisions.
        camera: distance of the camera where the model has none that follows the body, metres.
    """

    model: Callable[[], Element]
    frame_skip: int
    start: Start
    reward: Reward
    limbs: Limbs
    view: View
    max_steps: int = 1000
    camera: float = 4.0
    fields: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", frozenset({*self.view.fields, *self.reward.fields}))


CRAWLING = Locomotion(
    control_weight=0.5,
    progress=torso_x,
    source="xpos",
    alive=1.0,
    healthy=((2, 0.2, 1.0),),
    contact_weight=5e-4,
    force_limit=1.0,
)

SWIMMING = Locomotion(control_weight=1e-4)

SCENARIOS: Mapping[str, Scenario] = {
    "HalfCheetah": Scenario(
        model=partial(models.read, "half_cheetah.xml"),
        frame_skip=5,
        start=starts.NearRest(0.1, "normal"),
        reward=Locomotion(control_weight=0.1),
        limbs=bodies.HALF_CHEETAH,
        view=views.plane(),
    ),
    "CoupledHalfCheetah": Scenario(
        model=models.coupled_half_cheetahs,
        frame_skip=5,
        start=starts.NearRest(0.1, "normal"),
        # The mean over both, of 0.1 each.
        reward=Locomotion(control_weight=0.05, progress=mean_root_x),
        limbs=bodies.COUPLED_HALF_CHEETAHS,
        view=views.COUPLED,
    ),
    "Ant": Scenario(
        model=partial(models.read, "ant.xml"),
        frame_skip=5,
        start=starts.NearRest(0.1, "normal"),
        reward=CRAWLING,
        limbs=bodies.ANT,
        view=views.CRAWLER,
    ),
    "Hopper": Scenario(
        model=partial(models.read, "hopper.xml"),
        frame_skip=4,
        start=starts.NearRest(5e-3),
        reward=Locomotion(
            control_weight=1e-3, alive=1.0, healthy=((1, 0.7, float("inf")), (2, -0.2, 0.2)), magnitude=100.0
        ),
        limbs=bodies.HOPPER,
        view=views.HOPPER,
        camera=3.0,
    ),
    "Walker2d": Scenario(
        model=partial(models.read, "walker2d_v5.xml"),
        frame_skip=4,
        start=starts.NearRest(5e-3),
        reward=Locomotion(control_weight=1e-3, alive=1.0, healthy=((1, 0.8, 2.0), (2, -1.0, 1.0))),
        limbs=bodies.WALKER,
        view=views.plane("clipped qvel"),
    ),
    "Humanoid": Scenario(
        model=partial(models.read, "humanoid.xml"),
        frame_skip=5,
        start=starts.NearRest(1e-2),
        reward=Locomotion(
            control_weight=0.1,
            forward_weight=1.25,
            progress=mass_centre_x,
            source="xipos",
            alive=5.0,
            healthy=((2, 1.0, 2.0),),
            contact_weight=5e-7,
            contact_limit=10.0,
        ),
        limbs=bodies.HUMANOID,
        view=views.UPRIGHT,
    ),
    "HumanoidStandup": Scenario(
        model=partial(models.read, "humanoidstandup.xml"),
        frame_skip=5,
        start=starts.NearRest(1e-2),
        reward=StandingUp(),
        limbs=bodies.HUMANOID,
        view=views.UPRIGHT,
    ),
    "Reacher": Scenario(
        model=partial(models.read, "reacher.xml"),
        frame_skip=2,
        start=starts.reacher,
        reward=Reaching((("reward_dist", "fingertip", "target", 1.0),), control_weight=1.0),
        limbs=bodies.REACHER,
        view=views.REACHER,
        max_steps=50,
        camera=1.0,
    ),
    "Pusher": Scenario(
        model=partial(models.read, "pusher_v5.xml"),
        frame_skip=5,
        start=starts.pusher,
        reward=Reaching(
            (("reward_near", "object", "tips_arm", 0.5), ("reward_dist", "object", "goal", 1.0)),
            control_weight=0.1,
        ),
        limbs=bodies.PUSHER,
        view=views.PUSHER,
        max_steps=100,
    ),
    "Swimmer": Scenario(
        model=partial(models.read, "swimmer.xml"),
        frame_skip=4,
        start=starts.NearRest(0.1),
        reward=SWIMMING,
        limbs=bodies.SWIMMER,
        view=views.SWIMMER,
    ),
}
"""Scenarios of one body each, by name."""


def _many_segment_swimmer(agents: int, each: int) -> Scenario:
    return Scenario(
        model=partial(models.many_segment_swimmer, agents * each),
        frame_skip=4,
        start=starts.NearRest(0.1),
        reward=SWIMMING,
        limbs=bodies.many_segment_swimmer(agents, each),
        view=views.SEGMENTS,
        camera=10.0,
    )


def _many_segment_ant(agents: int, each: int) -> Scenario:
    at: dict[str, tuple[str | int, ...]] = {}
    for index in range(agents * each):
        for leg, first in ((1, 7 * index + 2), (2, 7 * index + 5)):
            at[f"hip{leg}_{index}"] = (7 * index + 1, first)
            at[f"ankle{leg}_{index}"] = (first, first + 1, first + 2)
    return Scenario(
        model=partial(models.many_segment_ant, agents * each),
        frame_skip=5,
        start=starts.NearRest(0.1, "normal"),
        reward=CRAWLING,
        limbs=bodies.many_segment_ant(agents, each),
        view=replace(views.CRAWLER, bodies=at),
        camera=6.0,
    )


ROWS: Mapping[str, Callable[[int, int], Scenario]] = {
    "ManySegmentSwimmer": _many_segment_swimmer,
    "ManySegmentAnt": _many_segment_ant,
}
"""Scenarios of any number of segments in a row: made from the number of agents and of segments of each."""


def find_scenario(name: str, agent_conf: str) -> Scenario:
    """A scenario that has a factorisation.

    Raises:
        UnknownNameError: for a scenario that there is not.
        InvalidArgumentError: for a factorisation that the scenario does not have.
    """
    require_text("scenario", name, "HalfCheetah")
    require_text("agent_conf", agent_conf, "2x3")
    if name in ROWS:
        numbers = re.fullmatch(r"([1-9]\d?)x([1-9]\d?)", str(agent_conf))
        if numbers is None or numbers[0] == "1x1":
            raise InvalidArgumentError(
                f"agent_conf={agent_conf!r} is no factorisation of {name}; expected agents x segments of "
                "each, two segments at least, for instance '5x2'"
            )
        return ROWS[name](int(numbers[1]), int(numbers[2]))
    if name not in SCENARIOS:
        raise UnknownNameError(f"scenario={name!r} is unknown; {suggestion(str(name), [*SCENARIOS, *ROWS])}")
    scenario = SCENARIOS[name]
    known = scenario.limbs.factorisations
    if agent_conf not in known:
        raise InvalidArgumentError(
            f"agent_conf={agent_conf!r} is no factorisation of {name}; expected one of {list(known)}"
        )
    return scenario
