"""Steps per second of football: the raw engine, our environment, and gfootball's own, on the same matches.

python -m benchmarks.football_speed --scenario academy_3_vs_1_with_keeper

Random play is recorded once. The same actions are then played again from the same seeds, episode by episode
in turns: by the raw engine (actions in, steps until the game is in play, what the engine knows as an object
of its own), by our environment (observations, masks, rewards, metrics), and by gfootball's `FootballEnv`,
which gives its raw observations. Resets are not counted.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import rich_click as click
from gymnasium.spaces import Discrete
from rich.console import Console
from rich.table import Table

import stmg_envs
from stmg_envs.errors import MissingEngineError

ID = "stmg/Football-v0"

Episode = tuple[int, list[list[int]]]
"""A seed, and the actions of every step."""

Player = Callable[[Episode], float]
"""Plays an episode and gives the seconds that its steps took."""


def record(scenario: str, episodes: int) -> list[Episode]:
    """Random play."""
    env = stmg_envs.parallel_env(ID, scenario=scenario)
    actions = env.action_space(env.possible_agents[0])
    assert isinstance(actions, Discrete)
    generator = np.random.default_rng(0)
    played = []
    for seed in range(episodes):
        env.reset(seed=seed)
        steps: list[list[int]] = []
        while env.agents:
            steps.append([int(generator.integers(actions.n)) for _ in env.agents])
            env.step(dict(zip(env.agents, steps[-1], strict=True)))
        played.append((seed, steps))
    return played


def engine_seed(seed: int) -> int:
    """The seed of the engine in the first episode of an environment that was reset with a seed."""
    from stmg_envs.football.game import ENGINE_SEEDS

    return int(np.random.default_rng(seed).integers(ENGINE_SEEDS))


def raw(scenario: str, agents: int) -> Player:
    """The engine alone."""
    import gfootball_engine

    from stmg_envs.football.match import ACTIONS, load_engine
    from stmg_envs.football.scenarios import configure

    engine = load_engine()
    backend = [getattr(gfootball_engine.e_BackendAction, name) for name in ACTIONS]

    def play(episode: Episode) -> float:
        engine.state = gfootball_engine.GameState.game_running
        engine.reset(configure(scenario, agents, engine_seed(episode[0])), False)
        while not engine.get_info().is_in_play:
            engine.step()
        start = time.perf_counter()
        for actions in episode[1]:
            for agent, action in enumerate(actions):
                engine.perform_action(backend[action], True, agent)
            engine.step()
            while not engine.get_info().is_in_play:
                engine.step()
        return time.perf_counter() - start

    return play


def ours(scenario: str) -> Player:
    """Our environment."""
    env = stmg_envs.parallel_env(ID, scenario=scenario)

    def play(episode: Episode) -> float:
        env.reset(seed=episode[0])
        start = time.perf_counter()
        for actions in episode[1]:
            env.step(dict(zip(env.agents, actions, strict=True)))
        return time.perf_counter() - start

    return play


def stock(scenario: str, agents: int) -> Player:
    """What gfootball has itself."""
    from gfootball.env.config import Config
    from gfootball.env.football_env import FootballEnv

    def play(episode: Episode) -> float:
        values = {"level": scenario, "players": [f"agent:left_players={agents}"]}
        env = FootballEnv(Config({**values, "game_engine_random_seed": engine_seed(episode[0])}))
        env.reset()
        start = time.perf_counter()
        for actions in episode[1]:
            env.step(actions)
        seconds = time.perf_counter() - start
        env.close()
        return seconds

    return play


@click.command()
@click.option("--scenario", default="academy_pass_and_shoot_with_keeper", show_default=True, help="scenario")
@click.option("--episodes", default=40, show_default=True, help="random episodes")
def main(scenario: str, episodes: int) -> None:
    """Print steps per second, and what a step costs more than the raw engine's."""
    console = Console(width=100)
    try:
        stmg_envs.game_spec(ID).load()
    except MissingEngineError as error:
        console.print(str(error), markup=False)
        return
    played = record(scenario, episodes)
    agents = len(played[0][1][0])
    players = {
        "raw engine": raw(scenario, agents),
        "ours": ours(scenario),
        "gfootball's FootballEnv": stock(scenario, agents),
    }
    seconds: dict[str, list[float]] = {name: [] for name in players}
    for episode in played:
        for name, play in players.items():
            seconds[name].append(play(episode))
    steps = sum(len(actions) for _, actions in played)
    table = Table("what", "ms per step", "steps/s", "overhead", title=f"{scenario}, {steps} steps")
    for name, times in seconds.items():
        # Of episodes of the same play, so that what else the machine does weighs little.
        ratios = [mine / base for mine, base in zip(times, seconds["raw engine"], strict=True)]
        total = sum(times)
        overhead = f"{statistics.median(ratios) - 1:.1%}"
        table.add_row(name, f"{1e3 * total / steps:.2f}", f"{steps / total:,.0f}", overhead)
    console.print(table)


if __name__ == "__main__":
    main()
