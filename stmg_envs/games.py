"""The suite's own games: what computes them, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stmg_envs.spec import Backend, Bounds, GameSpec
from stmg_envs.starcraft.installation import install_command

BOUNDS_VERSION = 1
"""Raised with every change of a bound in the table, for scores by other bounds do not compare."""


def _native(module: str, name: str) -> dict[str, Backend]:
    return {"native": Backend(f"stmg_envs.{module}:{name}")}


def _matrix(
    name: str,
    low: float,
    high: float,
    family: str = "matrix-one-shot",
    other_bounds: tuple[tuple[Mapping[str, Any], Bounds], ...] = (),
    **task_args: Any,
) -> GameSpec:
    return GameSpec(
        id=f"stmg/{name}-v0",
        backends=_native("matrix", name),
        family=family,
        spaces="discrete",
        bounds=(low, high),
        optimum=high,
        task_args=tuple(task_args.items()),
        other_bounds=other_bounds,
    )


def _particle(name: str, low: float, high: float, **task_args: Any) -> GameSpec:
    return GameSpec(
        id=f"stmg/{name}-v0",
        backends=_native("particle", name),
        family="particle",
        spaces="continuous",
        bounds=(low, high),
        optimum=None,
        task_args=tuple(task_args.items()),
    )


_PENALTIES = tuple(({"k": k}, (20 / 9, 10.0)) for k in (-25, -50, -75, -100, -1000, -10000))
"""Every penalty has the scale of k=0: by its own random return, which falls with k, the safe joint action
would score more the higher the penalty is, up to 0.996 for the 2 that misses the 10."""

_TRANSPORTS = tuple(
    ({"variant": variant, "rows": rows, "columns": columns}, bounds)
    for variant, rows, columns, bounds in (
        ("easy", 2, 4, (0.290, 2.042)),
        ("easy", 4, 4, (0.101, 2.052)),
        ("easy", 4, 8, (-0.094, 2.036)),
        ("hard", 2, 2, (-0.751, 2.155)),
        ("hard", 2, 4, (-0.926, 2.137)),
        ("hard", 4, 4, (-0.984, 2.128)),
        ("hard", 4, 8, (-1.014, 2.110)),
    )
)

_ALLOCATION = {
    3: (2.6911796742, 9.0),
    5: (4.8247720353, 15.3726310264),
    10: (9.4384476679, 30.7452620529),
    20: (16.5369042101, 61.5983279432),
    50: (32.9782554114, 154.0065344531),
}
"""By the number of agents, exactly: the random policy, by the distribution of its sums, and the best sum."""

OWN_GAMES: tuple[GameSpec, ...] = (
    _matrix("Penalty", 20 / 9, 10.0, other_bounds=_PENALTIES, k=0),
    _matrix("Mixing", -23 / 6, 2.5),
    _matrix("Coordination", 0.2500000266, 26.5, "matrix-multi-step"),
    _matrix("Cooperation", 0.6666746140, 13.0, "matrix-multi-step"),
    _matrix("PrisonersDilemma", 7.5, 10.0),
    _matrix("Maintain", 95 / 18, 17.5),
    _matrix("Escape", 25 / 3, 30.0),
    _matrix("Meeting", 139 / 54, 20 / 3),
    _matrix("HuntingStage", 1.25, 5.0),
    _matrix("CollectionStage", 5.625, 10.0),
    _matrix("MatrixGame", 2.25, 4.0, payoffs="stag_hunt"),
    # Means of simulations, which no score hits exactly: the uniformly random policy in 20,000 episodes
    # (standard error at most 0.15), and the best scripted players of the tests in 2,000, who see
    # everything: prey surrounded (0.28), foods shared by type (0.87). Learners can do better.
    _particle("CooperativeHunting", -46.7, 25.6, variant="I"),
    _particle("CooperativeCollection", -5.8, 400.2),
    GameSpec(
        id="stmg/ResourceAllocation-v0",
        backends=_native("allocation", "ResourceAllocation"),
        family="allocation",
        spaces="discrete",
        bounds=_ALLOCATION[10],
        optimum=_ALLOCATION[10][1],
        task_args=(("n", 10),),
        other_bounds=tuple(({"n": n}, bounds) for n, bounds in _ALLOCATION.items() if n != 10),
    ),
    GameSpec(
        id="stmg/OnRampMerge-v0",
        backends={
            **_native("merge", "OnRampMerge"),
            "highway-env": Backend(
                "stmg_envs.merge.highway:HighwayEnvOnRampMerge", extra="highway", engine="highway_env"
            ),
        },
        family="merge",
        spaces="discrete",
        # Means of simulations as above: the random policy in 40,000 episodes (standard error 0.5), and a
        # scripted player of the tests in 10,000 (0.1) in which everybody lets everybody ahead go first;
        # with denser traffic in 10,000 episodes each (0.65 and 0.2).
        bounds=(-11.9, 86.3),
        optimum=None,
        task_args=(("traffic_density", 1),),
        other_bounds=(({"traffic_density": 2}, (-52.7, 76.1)), ({"traffic_density": 3}, (-54.6, 65.5))),
    ),
    GameSpec(
        id="stmg/GridTransport-v0",
        backends=_native("transport", "GridTransport"),
        family="transport",
        spaces="discrete",
        # Means of simulations: the random policy in 20,000 episodes, 4,000 from 16 squares on (standard
        # error at most 0.004), and the greedy planner in 2,000, 600 on 32 (0.002), which sees everything.
        bounds=(0.609, 2.017),
        optimum=None,
        task_args=(("variant", "easy"), ("rows", 2), ("columns", 2)),
        other_bounds=_TRANSPORTS,
    ),
    GameSpec(
        id="stmg/Skirmish-v0",
        backends=_native("combat", "Skirmish"),
        family="combat",
        spaces="discrete",
        # The mean of the random policy in 3,600 episodes (standard error 0.02), and what victory brings
        # of SMAC's rewards at most where nobody gets health back.
        bounds=(1.14, 20.0),
        optimum=None,
        task_args=(("map", "3m"),),
    ),
    GameSpec(
        id="stmg/SMAC-v0",
        backends={
            name: Backend(f"stmg_envs.starcraft.game:{factory}", engine=name, install=install_command(name))
            for name, factory in (("smac", "SMAC"), ("smacv2", "SMACv2"))
        },
        family="starcraft",
        spaces="discrete",
        # Nothing, for nobody could measure the random policy, and the most that can be had.
        bounds=(0.0, 20.0),
        optimum=None,
        task_args=(("map", "3m"),),
    ),
    GameSpec(
        id="stmg/MultiAgentMujoco-v0",
        backends={"native": Backend("stmg_envs.mujoco:MultiAgentMujoco", extra="mujoco", engine="mujoco")},
        family="mujoco",
        spaces="continuous",
        # The random policy in 400 episodes (standard error 4), and HAPPO after 10 million steps as read
        # off a figure of the HARL paper (Zhong et al. 2024), on the v2 task, with other observations.
        bounds=(-291.0, 7000.0),
        optimum=None,
        task_args=(("scenario", "HalfCheetah"), ("agent_conf", "2x3")),
    ),
    GameSpec(
        id="stmg/Football-v0",
        backends={
            "gfootball": Backend(
                "stmg_envs.football:Football",
                extra="football",
                engine="gfootball",
                install="make football, or where its libraries are: pip install 'stmg[football]', then "
                "pip install --no-build-isolation --no-deps gym==0.26.2 gfootball==2.10.2",
            )
        },
        family="football",
        spaces="discrete",
        # The policy that is uniformly random among legal actions scores in 5 % of episodes; its return is
        # the mean of a simulation of 150 (standard error 0.2), with three against one of 400 (0.1). A
        # goal ends the match and with the win is worth 10; on the way there the ball is near their goal
        # for some fifty steps, or twenty, at 0.003 or 0.006.
        bounds=(0.5, 10.2),
        optimum=None,
        task_args=(("scenario", "academy_pass_and_shoot_with_keeper"),),
        other_bounds=(({"scenario": "academy_3_vs_1_with_keeper"}, (0.6, 10.1)),),
    ),
)
