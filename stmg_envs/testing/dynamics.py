"""What a game does in random play: shapes, ranges, and that it computes from its arguments alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from gymnasium.spaces import Box
from torch import Tensor

from stmg_envs.protocol import Episodes, Game, Outcome, State, Streams

BATCH = 4
STEPS = 40
LONGEST = 10_000
"""Timesteps in which some episode must end."""


@dataclass(frozen=True)
class Moment:
    """A state of B episodes, the actions that follow, and the keys of their randomness."""

    state: State
    actions: Tensor
    keys: Tensor

    def outcome(self, game: Game, actions: Tensor | None = None) -> Outcome:
        """What the step gives, with other actions if there are any."""
        return game.step(self.state, self.actions if actions is None else actions, Streams(self.keys))


def dynamics(game: Game) -> Iterator[str]:
    """Findings of random play; it stops at the first of each kind, for the others follow from it."""
    for check in (_play, _purity, _independence, _end):
        try:
            finding = next(iter(check(game)), None)
        # Whatever others' code raises.
        except Exception as error:
            finding = f"in random play it raises {type(error).__name__}: {error}"
        if finding is not None:
            yield finding
            return


def random_actions(game: Game, state: State, generator: torch.Generator) -> Tensor:
    """Legal actions by chance, int64 (B, n) or float32 (B, n, action_dim); who is out may do anything."""
    batch = len(next(iter(state.values())))
    mask = game.action_mask(state)
    if mask is not None:
        chances = torch.where(mask.any(dim=-1, keepdim=True), mask, True).float()
        chosen = torch.multinomial(chances.flatten(0, 1), 1, generator=generator)
        return chosen.view(batch, game.n)
    actions = torch.zeros(batch, game.n, game.action_width)
    for agent, space in enumerate(game.action_spaces):
        assert isinstance(space, Box)
        low, high = (torch.as_tensor(bound).clamp(-10, 10) for bound in (space.low, space.high))
        actions[:, agent, : len(low)] = low + (high - low) * torch.rand(batch, len(low), generator=generator)
    return actions


def _moments(game: Game) -> Iterator[Moment]:
    """Random play of a batch; episodes that end begin again."""
    generator = torch.Generator().manual_seed(0)
    episodes = Episodes(game, BATCH)
    episodes.reset(0)
    for step in range(STEPS):
        actions = random_actions(game, episodes.state, generator)
        yield Moment(episodes.state, actions, episodes.episode_streams.fold(step).keys)
        done = episodes.step(actions).done
        if bool(done.any()):
            episodes.restart(done)


def _play(game: Game) -> Iterator[str]:
    first: Mapping[str, tuple[torch.dtype, torch.Size]] | None = None
    metrics: set[str] | None = None
    for moment in _moments(game):
        yield from _of_state(game, moment.state)
        kinds = {name: (value.dtype, value.shape) for name, value in moment.state.items()}
        first = kinds if first is None else first
        if kinds != first:
            yield f"the state is {kinds} after some steps and was {dict(first)}; expected the same tensors"
        outcome = moment.outcome(game)
        yield from _of_outcome(game, moment.state, outcome)
        metrics = set(outcome.metrics) if metrics is None else metrics
        if set(outcome.metrics) != metrics:
            yield f"metrics are {sorted(outcome.metrics)} and were {sorted(metrics)}; expected the same ones"


def _of_state(game: Game, state: State) -> Iterator[str]:
    for name, value in state.items():
        if not isinstance(value, Tensor) or value.shape[:1] != (BATCH,):
            yield f"the state's {name} has no leading axis of {BATCH} episodes; expected tensors (B, ...)"
            return
    yield from _numbers("observe", game.observe(state), (BATCH, game.n, *game.observation_space.shape))
    yield from _within("observe", game.observe(state), game.observation_space)
    seen = game.global_state(state)
    if (seen is None) != (game.state_space is None):
        yield "global_state gives nothing where state_space is something, or the other way round"
    elif seen is not None and game.state_space is not None:
        yield from _numbers("global_state", seen, (BATCH, *game.state_space.shape))
        yield from _within("global_state", seen, game.state_space)
    alive, graph, mask = game.alive(state), game.neighbors(state), game.action_mask(state)
    yield from _flags("alive", alive, (BATCH, game.n))
    yield from _flags("neighbors", graph, (BATCH, game.n, game.n))
    if bool(graph.diagonal(dim1=1, dim2=2).any()) or not torch.equal(graph, graph.transpose(1, 2)):
        yield "neighbors has agents that are their own neighbours, or others' and not the other way round"
    if mask is not None:
        yield from _flags("action_mask", mask, (BATCH, game.n, game.action_width))
        if not bool((mask.any(dim=-1) | ~alive).all()):
            yield "action_mask leaves an agent that is alive no action; expected one, or that it is out"


def _of_outcome(game: Game, state: State, outcome: Outcome) -> Iterator[str]:
    yield from _numbers("rewards", outcome.rewards, (BATCH, game.n))
    yield from _flags("terminated", outcome.terminated, (BATCH,))
    for name, value in outcome.metrics.items():
        yield from _numbers(f"metrics[{name!r}]", value, (BATCH,), finite=False)
    alive = game.alive(state)
    if not bool((outcome.rewards == 0)[~alive].all()):
        yield "an agent that is out is paid something; expected 0"
    if not bool((game.alive(outcome.state).any(dim=1) | outcome.terminated).all()):
        yield "nobody is alive, and the episode has not terminated"


def _purity(game: Game) -> Iterator[str]:
    for moment in _moments(game):
        before = {name: value.clone() for name, value in moment.state.items()}
        actions = moment.actions.clone()
        one, other = (moment.outcome(game) for _ in range(2))
        if not _same(before, moment.state) or not torch.equal(actions, moment.actions):
            yield "step changes the state or the actions that it is given; expected new tensors"
        if not _same(_told(game, one), _told(game, other)) or not _same(one.state, other.state):
            yield "the same step gives something else the second time; expected that it keeps nothing in self"
        alive = game.alive(moment.state)
        if game.discrete:
            idle = torch.where(alive, actions, random_actions(game, moment.state, torch.Generator()))
        else:
            idle = torch.where(alive.unsqueeze(-1), actions, 0.0)
        if not _same(_told(game, one), _told(game, moment.outcome(game, idle))):
            yield "what an agent does that is out changes something; expected that it is ignored"


def _independence(game: Game) -> Iterator[str]:
    """An episode of a batch is that of its seed alone."""
    batch, alone = Episodes(game, BATCH), Episodes(game, 1)
    batch.reset(torch.arange(BATCH))
    alone.reset(BATCH - 1)
    generator = torch.Generator().manual_seed(1)
    for _ in range(STEPS):
        both = {name: value[-1:] for name, value in batch.state.items()}
        if not _same(both, alone.state):
            yield (
                "the last episode of a batch is another one than that of its seed alone; expected that all "
                "randomness is of `streams`, and that no episode looks at others"
            )
            return
        actions = random_actions(game, batch.state, generator)
        done = batch.step(actions).done
        alone.step(actions[-1:])
        if bool(done.any()):
            batch.restart(done)
        if bool(done[-1]):
            alone.restart(done[-1:])


def _end(game: Game) -> Iterator[str]:
    if game.max_steps is not None:
        return
    generator = torch.Generator().manual_seed(2)
    episodes = Episodes(game, BATCH)
    episodes.reset(0)
    for _ in range(LONGEST):
        if bool(episodes.step(random_actions(game, episodes.state, generator)).done.any()):
            return
    yield f"no episode of random play ends within {LONGEST} timesteps; give it a time limit, max_steps"


def _numbers(what: str, values: object, shape: tuple[int, ...], finite: bool = True) -> Iterator[str]:
    if not isinstance(values, Tensor) or values.shape != shape or values.dtype != torch.float32:
        yield f"{what} gives {_kind(values)}; expected float32 {shape}"
    elif finite and not bool(values.isfinite().all()):
        yield f"{what} gives numbers that are not finite"


def _flags(what: str, values: object, shape: tuple[int, ...]) -> Iterator[str]:
    if not isinstance(values, Tensor) or values.shape != shape or values.dtype != torch.bool:
        yield f"{what} gives {_kind(values)}; expected bool {shape}"


def _within(what: str, values: Tensor, space: Box) -> Iterator[str]:
    low, high = torch.as_tensor(space.low), torch.as_tensor(space.high)
    wrong = ((values < low) | (values > high)).flatten(0, -2).any(dim=0)
    if bool(wrong.any()):
        index = int(wrong.nonzero()[0])
        column = values[..., index]
        yield (
            f"{what} gives {float(column.min()):.6g} to {float(column.max()):.6g} at index {index}, where "
            f"its space goes from {low[index]} to {high[index]}"
        )


def _kind(values: object) -> str:
    return f"{values.dtype} {tuple(values.shape)}" if isinstance(values, Tensor) else type(values).__name__


def _told(game: Game, outcome: Outcome) -> State:
    """What anybody is told of a step."""
    return {
        "rewards": outcome.rewards,
        "terminated": outcome.terminated,
        "observation": game.observe(outcome.state),
        "alive": game.alive(outcome.state),
        "neighbors": game.neighbors(outcome.state),
        **{f"metric {name}": value for name, value in outcome.metrics.items()},
    }


def _same(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
