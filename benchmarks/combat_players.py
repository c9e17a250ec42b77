"""How simple players do on every map of Skirmish, as the page docs/combat-players.md.

python -m benchmarks.combat_players --out docs/combat-players.md

Two players: uniformly random among legal actions, and the scripted team that attacks the weakest enemy in
reach. Every episode that is begun is played to its end, so short ones count no more than long ones. The page
says how it was made; a test plays some of its rows again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import rich_click as click
import torch
from rich.progress import track
from torch import Tensor

from baselines.runs.provenance import provenance
from stmg_envs.combat import SCENARIOS, Skirmish
from stmg_envs.combat.scripted import focus_fire
from stmg_envs.protocol import GameVectorEnv, State

Player = Callable[[State, Skirmish, torch.Generator], Tensor]
"""From the battles to joint actions, int64 (B, n)."""


def play_random(state: State, game: Skirmish, generator: torch.Generator) -> Tensor:
    """Uniformly random among legal actions."""
    draws = torch.rand(state["legal"].shape, generator=generator)
    return draws.masked_fill(~state["legal"], -1.0).argmax(dim=-1)


def play_scripted(state: State, game: Skirmish, generator: torch.Generator) -> Tensor:
    """The scripted team."""
    return focus_fire(state, game.army)


PLAYERS: dict[str, Player] = {"random": play_random, "scripted": play_scripted}


def outcome(player: Player, name: str, episodes: int) -> tuple[float, float, float]:
    """Share of battles that are won, mean return, and mean number of enemies that died.

    The return is the team's: what an agent gets that lives to the end.
    """
    game = Skirmish(name)
    env = GameVectorEnv(game, episodes, validate=False)
    env.reset(seed=0)
    generator = torch.Generator().manual_seed(0)
    running = torch.ones(episodes, dtype=torch.bool)
    returns, won, dead = torch.zeros(3, episodes)
    while bool(running.any()):
        actions = player(env.episodes.state, game, generator)
        _, rewards, terminated, truncated, info = env.step(actions)
        returns += torch.where(running, rewards.amax(dim=1), 0.0)
        over = (terminated | truncated) & running
        won = torch.where(over, info["metrics"]["battle_won"], won)
        dead = torch.where(over, info["metrics"]["dead_enemies"], dead)
        running &= ~over
    return float(won.mean()), float(returns.mean()), float(dead.mean())


def row(name: str, episodes: int) -> str:
    """A line of the table."""
    scenario = SCENARIOS[name]
    cells = [name, str(len(scenario.ally_types)), str(len(scenario.enemy_types))]
    for player in PLAYERS.values():
        won, returned, dead = outcome(player, name, episodes)
        cells += [f"{100 * won:.0f}", f"{returned:.1f}", f"{dead:.1f}"]
    return f"| {' | '.join(cells)} |"


HEAD = """# Simple players on the maps of Skirmish

Two players on every map with default arguments: `random`, uniform among legal actions, and `scripted`,
`stmg_envs.combat.scripted.focus_fire`. "Won" is in percent, "return" the team's, of which 20 is the most if
nobody gets health back, "dead" the mean number of enemies that died. What somebody wins here says nothing of
StarCraft II.

| map | agents | enemies | random: won | return | dead | scripted: won | return | dead |
|-----|--------|---------|-------------|--------|------|---------------|--------|------|
"""


@click.command()
@click.option("--episodes", default=320, show_default=True, help="per map and player, with seeds 0, 1, ...")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="the page")
def main(episodes: int, out: Path) -> None:
    """Play all maps and write the page.

    Example: python -m benchmarks.combat_players --out docs/combat-players.md
    """
    torch.set_num_threads(1)
    rows = [row(name, episodes) for name in track(SCENARIOS, "maps")]
    made = provenance(f"python -m benchmarks.combat_players --episodes {episodes} --out {out}")
    versions = ", ".join(f"{name} {number}" for name, number in made["versions"].items())
    origin = (
        f"Made by `{made['command']}` at commit `{made['commit']}`: {episodes} episodes per map and player, "
        f"seeds 0 to {episodes - 1}, one thread, {made['processor']}; {versions}."
    )
    out.write_text(HEAD + "\n".join(rows) + f"\n\n{origin}\n", encoding="utf-8")
    click.echo(f"written to {out}")


if __name__ == "__main__":
    main()
