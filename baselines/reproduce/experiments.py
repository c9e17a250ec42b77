"""The experiments: which cells each of them consists of."""

from __future__ import annotations

import itertools
import tomllib
from dataclasses import replace
from importlib.resources import files
from typing import Any

import numpy as np

from baselines.algorithms.own import INTERACTIONS
from baselines.evaluation.results import task_name
from baselines.reproduce.experiment import OPTIMAL, RETURN, Cell, Experiment, Measure, PlayerCell
from stmg_envs import make_game


def _tables(name: str = "tables.toml") -> dict[str, Any]:
    return tomllib.loads((files("baselines.reproduce") / name).read_text(encoding="utf-8"))


def table1() -> Experiment:
    """The matrix-game table of the STEER paper."""
    data = _tables()
    cells = tuple(
        Cell(name, algorithm, algorithm, task["env_id"], task.get("env_args", {}), task["runs"])
        for algorithm in data["table1"]["algorithms"]
        for name, task in data["tasks"].items()
    )
    return Experiment("table1", "Matrix games: share of runs at the optimum", cells, data["published"])


def tuning() -> Experiment:
    """The same settings tried for every algorithm, on seeds that no other experiment uses."""
    data = _tables()
    cells = tuple(
        Cell(
            name,
            f"{algorithm}: {label}",
            algorithm,
            data["tasks"][name]["env_id"],
            data["tasks"][name].get("env_args", {}),
            budget["runs"][name],
            config=config,
            first_seed=budget["first_seed"],
        )
        for budget in data["tuning"].values()
        for algorithm in data["table1"]["algorithms"]
        for label, config in budget["settings"].items()
        for name in budget["runs"]
    )
    return Experiment("tuning", "What every algorithm was tried with", cells)


def ablation() -> Experiment:
    """STEER without one of its parts."""
    data = _tables()
    cells = tuple(
        Cell(name, label, "steer", task["env_id"], task.get("env_args", {}), task["runs"], config=config)
        for label, config in data["ablation"].items()
        for name, task in data["tasks"].items()
    )
    return Experiment("ablation", "STEER and its ablations on the matrix games", cells)


RANDOM_GAME_SEED = 22
"""The first in whose game the order matters much, four equilibria among six orders, and none of them hangs on
a follower that is indifferent: nothing in its own rewards would teach it the reply that the leader needs."""


def random_three_agent_game() -> list[Any]:
    """Integer payoffs in -10..10 for three agents with three actions each, from a fixed seed."""
    payoffs = np.random.default_rng(RANDOM_GAME_SEED).integers(-10, 11, size=(3, 3, 3, 3))
    listed: list[Any] = payoffs.tolist()
    return listed


def priority() -> Experiment:
    """STEER under every order of decision; the optimum is the Stackelberg equilibrium of the order."""
    data = _tables()
    by_order = {"target": "stackelberg"}
    random_args = {"payoffs": random_three_agent_game()} | by_order
    games: list[tuple[str, str, dict[str, Any], int]] = [
        ("mixing", "stmg/Mixing-v0", {}, data["tasks"]["mixing"]["runs"]),
        ("coordination", "stmg/Coordination-v0", by_order, data["tasks"]["coordination"]["runs"]),
        ("random_three_agents", "stmg/MatrixGame-v0", random_args, data["tasks"]["mixing"]["runs"]),
    ]
    cells = tuple(
        Cell(task, "steer " + ">".join(name[-1] for name in order), "steer", env_id, args, runs, order)
        for task, env_id, args, runs in games
        for order in itertools.permutations(make_game(env_id, **args).agents)
    )
    slow = next(cell for cell in cells if cell.label == "steer 0>1>2")
    longer = replace(slow, label=f"{slow.label} (30000 steps)", config={"total_steps": 30_000})
    return Experiment("priority", "STEER under every order of decision", (*cells, longer))


DRI_MEASURES = (
    OPTIMAL,
    Measure("caught", "Catch rate", "share of episodes in which all prey is hit", share=True),
    Measure("occupied", "Foods occupied", "number of foods occupied at the end"),
    Measure("matches", "Type matches", "number of foods occupied by their own type at the end"),
    RETURN,
)


def dri() -> Experiment:
    """The matrix games and the particle tasks of the DRI paper, with every reward interaction."""
    cells = tuple(
        Cell(
            game,
            f"{family}-{interaction}",
            f"{family}-{interaction}",
            task["env_id"],
            task.get("env_args", {}),
            part["runs"],
        )
        for part in _tables()["dri"].values()
        for family in part["algorithms"]
        for interaction in INTERACTIONS
        for game, task in part["games"].items()
    )
    return Experiment("dri", "Differential reward interaction", cells, measures=DRI_MEASURES)


MERGE_MEASURES = (
    RETURN,
    Measure("crash_rate", "Crash rate", "share of episodes with a crash", share=True),
    Measure("merged", "Merged share", "share of the ramp's agents that merge", share=True),
    Measure("mean_speed", "Mean speed", "speed over agents and decisions, m/s"),
)


def merge() -> Experiment:
    """On-ramp merging at every traffic density."""
    data = _tables()["merge"]
    cells = tuple(
        Cell(
            f"onrampmerge(traffic_density={density})",
            algorithm,
            algorithm,
            "stmg/OnRampMerge-v0",
            {"traffic_density": int(density)},
            data["runs"],
            config={"total_steps": steps},
        )
        for density, steps in data["total_steps"].items()
        for algorithm in data["algorithms"]
    )
    return Experiment("merge", "On-ramp merging", cells, measures=MERGE_MEASURES)


COMBAT_MEASURES = (
    Measure("battle_won", "Battles won", "share of battles that are won", share=True),
    Measure("dead_allies", "Agents lost", "number of agents that die"),
    Measure("dead_enemies", "Enemies killed", "number of enemies that die"),
)


def combat() -> Experiment:
    """Skirmishes, with rewards in the manner of the DRI paper."""
    data = _tables()["combat"]
    env_args = [{"map": name} | data["env_args"] for name in data["runs"]]
    cells = tuple(
        Cell(
            task_name("stmg/Skirmish-v0", args),
            algorithm,
            algorithm,
            "stmg/Skirmish-v0",
            args,
            data["runs"][args["map"]],
        )
        for args in env_args
        for algorithm in data["algorithms"]
    )
    return Experiment("combat", "Skirmishes", cells, measures=COMBAT_MEASURES)


def mujoco() -> Experiment:
    """Continuous control: robots whose parts are agents."""
    data = _tables()["mujoco"]
    cells = tuple(
        Cell(
            task,
            algorithm,
            algorithm,
            "stmg/MultiAgentMujoco-v0",
            env_args,
            data["runs"],
            config=data["config"],
        )
        for task, env_args in data["games"].items()
        for algorithm in data["algorithms"]
    )
    return Experiment("mujoco", "Multi-agent MuJoCo", cells, measures=(RETURN,))


LLAMAC_MEASURES = (
    Measure(
        "success",
        "Success",
        "share of episodes in which all boxes are placed",
        published="success",
        share=True,
    ),
    Measure("steps", "Steps", "number of timesteps", published="steps", among="success"),
    Measure("efficiency", "Efficiency", "worth of the sum as a share of the best", share=True),
    OPTIMAL,
)


def llamac() -> Experiment:
    """The tasks on which LLaMAC was shown: learners, planners, and what is published of language models."""
    data, others = _tables()["llamac"], _tables("players.toml")
    players = tuple(
        PlayerCell(task_name(env_id, env_args), name, env_id, env_args, others["llamac"][env_id]["instances"])
        for env_id, env_args in ((game["env_id"], game["env_args"]) for game in data["games"])
        for name in others["llamac"][env_id]["players"]
    )
    cells = tuple(
        Cell(
            task_name(game["env_id"], game["env_args"]),
            algorithm,
            algorithm,
            game["env_id"],
            game["env_args"],
            game["runs"],
            config=game.get("config", {}),
        )
        for game in data["games"]
        for algorithm in data["algorithms"]
    )
    return Experiment("llamac", "The tasks of LLaMAC", cells, others["published"], LLAMAC_MEASURES, players)


EXPERIMENTS = {
    "table1": table1,
    "dri": dri,
    "merge": merge,
    "combat": combat,
    "mujoco": mujoco,
    "llamac": llamac,
    "tuning": tuning,
    "ablation": ablation,
    "priority": priority,
}
