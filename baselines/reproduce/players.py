"""Players that learn nothing: planners, which see everything and decide for all, and random play."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from stmg_envs.allocation import ResourceAllocation, in_turns, shared_out
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import Game, GameVectorEnv
from stmg_envs.transport import GreedyPlayer, GridTransport, exact_plan

Player = Callable[[GameVectorEnv, int], Iterator[Tensor]]
"""Joint actions, int64 (1, n), one after another, in the episode that an environment has begun. The seed is
for the player's own chance."""


def play_exact(env: GameVectorEnv, seed: int) -> Iterator[Tensor]:
    """A shortest plan for Grid Transport (`exact_plan`)."""
    board, state = _transport(env).board, env.episodes.state
    boxes, targets = (state[name][0].cpu().numpy() for name in ("boxes", "targets"))
    for actions in exact_plan(board, boxes, targets):
        yield torch.from_numpy(actions)[None]


def play_greedy(env: GameVectorEnv, seed: int) -> Iterator[Tensor]:
    """Grid Transport by a planner that looks one step ahead (`GreedyPlayer`)."""
    player = GreedyPlayer(_transport(env).board, seed)
    while True:
        yield player(env.episodes.state)


def play_scan(env: GameVectorEnv, seed: int) -> Iterator[Tensor]:
    """Resource Allocation by who shares out the best sum (`shared_out`)."""
    n = _allocation(env).n
    while True:
        yield shared_out(env.episodes.state["best"], n)


def play_turns(env: GameVectorEnv, seed: int) -> Iterator[Tensor]:
    """Resource Allocation by agents that know the best sum and what their superiors take (`in_turns`)."""
    _allocation(env)
    while True:
        yield in_turns(env.episodes.state["best"], env.priority)


def play_random(env: GameVectorEnv, seed: int) -> Iterator[Tensor]:
    """Uniformly random among legal actions, for games of discrete actions."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        legal = env.game.action_mask(env.episodes.state)
        if legal is None:
            raise InvalidArgumentError(
                f"game={type(env.game).__name__} has continuous actions; expected one of discrete actions: "
                f"have it played by somebody else"
            )
        draws = torch.rand(legal.shape, generator=generator)
        yield draws.masked_fill(~legal, -1.0).argmax(dim=-1)


PLAYERS: dict[str, Player] = {
    "exact": play_exact,
    "greedy": play_greedy,
    "scan": play_scan,
    "turns": play_turns,
    "random": play_random,
}
"""All players by name."""


def play_instance(game: Game, player: Player, seed: int) -> dict[str, float]:
    """The game's metrics at the end of the episode that begins with a seed.

    Args:
        game: the game.
        player: who decides for all agents.
        seed: of the episode, and of the player's own chance.

    Raises:
        InvalidArgumentError: if the player does not play this game.
    """
    env = GameVectorEnv(game, 1)
    env.reset(seed=seed)
    for actions in player(env, seed):
        *_, terminated, truncated, info = env.step(actions)
        if bool(terminated | truncated):
            return {name: float(value) for name, value in info["metrics"].items()}
    raise AssertionError("players decide until the end of an episode")


def _transport(env: GameVectorEnv) -> GridTransport:
    if not isinstance(env.game, GridTransport):
        raise _other(env, GridTransport)
    return env.game


def _allocation(env: GameVectorEnv) -> ResourceAllocation:
    if not isinstance(env.game, ResourceAllocation):
        raise _other(env, ResourceAllocation)
    return env.game


def _other(env: GameVectorEnv, expected: type[Game]) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"game={type(env.game).__name__} is not what this player plays; expected {expected.__name__}: choose "
        f"another player, such as random"
    )
