"""Replay: what is collected, what is kept, and what is drawn."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
import torch
from torch import Tensor

from baselines.errors import ConfigError
from baselines.networks.policy import Decision, PolicySpec
from baselines.networks.q_network import QNetwork
from baselines.training.interaction import RewardInteraction
from baselines.training.replay import ReplayBuffer, ReplayCollector, inputs_of
from stmg_envs.protocol import Streams


def test_the_oldest_timesteps_give_way() -> None:
    buffer = ReplayBuffer(5)
    for first in (0, 3, 6):
        buffer.add({"x": torch.arange(first, first + 3).expand(2, 3)})
        assert len(buffer) == min(first + 3, 5)
    assert buffer.rows["x"].tolist() == [[5, 6, 7, 8, 4]] * 2
    assert buffer.last(2)["x"].tolist() == [[7, 8]] * 2
    assert buffer.last(9)["x"].tolist() == [[4, 5, 6, 7, 8]] * 2


def test_fewer_timesteps_than_asked_for_are_all() -> None:
    buffer = ReplayBuffer(5)
    buffer.add({"x": torch.arange(3).expand(2, 3)})
    assert buffer.last(4)["x"].tolist() == [[0, 1, 2]] * 2


def test_timesteps_keep_their_types_and_their_runs() -> None:
    buffer = ReplayBuffer(3)
    rows = {"flag": torch.tensor([[True, False], [False, True]]), "x": torch.arange(8.0).view(2, 2, 2)}
    buffer.add(rows)
    assert {name: x.dtype for name, x in buffer.rows.items()} == {"flag": torch.bool, "x": torch.float32}
    assert buffer.rows["x"].shape == (2, 2, 2)
    drawn = buffer.sample(40, Streams.from_seeds([0, 1]))
    for run in range(2):
        for flag, x in zip(drawn["flag"][run].tolist(), drawn["x"][run].tolist(), strict=True):
            assert x == rows["x"][run, rows["flag"][run].tolist().index(flag)].tolist()


def test_the_largest_number_draws_the_last_timestep() -> None:
    class Extreme:
        def uniform(self, count: int, dtype: torch.dtype) -> Tensor:
            assert dtype == torch.float64
            return torch.tensor([[0.0, 0.34, 0.67, 1.0 - 1e-17]], dtype=dtype)

    buffer = ReplayBuffer(100)
    buffer.add({"x": torch.tensor([[10, 11, 12]])})
    assert buffer.sample(4, Extreme())["x"].tolist() == [[10, 11, 12, 12]]  # type: ignore[arg-type]


def test_policy_inputs_are_told_from_the_other_columns() -> None:
    names = ("observation", "state", "action_mask", "priority", "alive", "rewards", "exploration")
    rows = {name: torch.tensor(i) for i, name in enumerate(names)}
    rows |= {f"next.{name}": torch.tensor(-i) for i, name in enumerate(names) if name != "state"}
    assert {name: int(x) for name, x in inputs_of(rows).items()} == dict(
        zip(names[:5], range(5), strict=True)
    )
    following = {"observation": 0, "action_mask": -2, "priority": -3, "alive": -4}
    assert {name: int(x) for name, x in inputs_of(rows, "next.").items()} == following


def test_timesteps_are_drawn_with_equal_chance_and_only_those_that_are_there() -> None:
    buffer = ReplayBuffer(100)
    buffer.add({"x": torch.arange(4).expand(1, 4)})
    drawn = buffer.sample(4000, Streams.from_seeds([0]))["x"]
    counts = torch.bincount(drawn[0], minlength=4)
    assert len(counts) == 4
    assert (counts - 1000).abs().max() < 150


def test_exploration_is_the_chance_of_a_random_legal_action() -> None:
    torch.manual_seed(0)
    network = QNetwork(PolicySpec(1, 2, None, 4, discrete=True), (8,))
    mask = torch.tensor([True, True, False, True]).expand(1, 1, 4)
    inputs = {"observation": torch.ones(1, 1, 2), "action_mask": mask, "exploration": torch.tensor([0.3])}
    best = network(inputs).argmax(dim=-1)
    probs = [float(network.evaluate(inputs, torch.tensor([[a]])).log_probs.exp()) for a in range(4)]
    expected = [0.1 + 0.7 * (a == int(best)) if a != 2 else 0.0 for a in range(4)]
    assert probs == pytest.approx(expected, abs=1e-6)
    greedy = {name: x for name, x in inputs.items() if name != "exploration"}
    noise = Streams.from_seeds([1]).gumbel(1, 1, 4)[0]
    assert network.act(greedy, noise).actions.item() == int(best)


RUNS, ENVS, N, ACTIONS = 2, 2, 2, 3
Function = TypeVar("Function", bound=Callable[..., Any])


def on_cpu(function: Function) -> Function:
    """Have what a function makes made there, whatever the default device is."""

    @functools.wraps(function)
    def wrapped(*arguments: Any) -> Any:
        with torch.device("cpu"):
            return function(*arguments)

    return wrapped  # type: ignore[return-value]


class Scripted:
    """Environments in which every number says where it comes from.

    Time stands in tens, the environment in ones, the agent in tenths. In timestep 1 environment 1 ends: its
    agent 0 is terminated, its agent 1 cut off. Environment 2 is lost in timestep 2, where some can be.
    """

    def __init__(self, loses_episodes: bool) -> None:
        self.num_envs = RUNS * ENVS
        self.agents = ("a", "b")
        self.device = torch.device("cpu")
        self.game = SimpleNamespace(discrete=True, action_counts=(3, 2))
        self.loses_episodes = loses_episodes
        self.keeps_episodes = True
        self.time = 0
        self.alive = [True, True]
        self.acted: list[Tensor] = []

    @property
    @on_cpu
    def priority(self) -> Tensor:
        return torch.tensor([[0, 1], [1, 0]])[self.time % 2].expand(self.num_envs, N)

    @on_cpu
    def neighbors(self) -> Tensor:
        return (~torch.eye(N, dtype=torch.bool)).expand(self.num_envs, N, N)

    @on_cpu
    def observe(self, offset: float = 0.0) -> dict[str, Tensor]:
        env, agent = torch.arange(self.num_envs)[:, None, None], torch.arange(N)[:, None] / 10
        return {
            "observation": 10.0 * self.time + env + agent + offset,
            "alive": torch.tensor(self.alive).expand(self.num_envs, N),
            "action_mask": torch.ones(self.num_envs, N, ACTIONS, dtype=torch.bool),
        }

    @on_cpu
    def step(self, actions: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor, Tensor, dict[str, Any]]:
        self.acted.append(actions)
        rewards = self.observe()["observation"].squeeze(-1)
        nobody = torch.zeros(self.num_envs, N, dtype=torch.bool)
        terminations, truncations, lost = nobody.clone(), nobody.clone(), nobody[:, 0].clone()
        if self.time == 1:
            terminations[1, 0] = truncations[1, 1] = True
        if self.time == 2 and self.loses_episodes:
            truncations[2] = lost[2] = True
        self.time += 1
        final = self.observe(0.05)
        final["action_mask"][1] = False
        info: dict[str, Any] = {"final": final, "terminations": terminations, "truncations": truncations}
        if self.loses_episodes:
            info["lost"] = lost
        ended = (terminations | truncations).all(dim=1)
        return (
            self.observe(),
            rewards,
            ended & terminations.any(dim=1),
            ended & ~terminations.any(dim=1),
            info,
        )


class Players:
    """Take action 1, or as their noise says; keep what they were asked."""

    size = RUNS

    def __init__(self) -> None:
        self.asked: list[dict[str, Tensor]] = []

    def act(self, inputs: dict[str, Tensor], noise: Tensor) -> Decision:
        self.asked.append(inputs)
        actions = noise[..., 0].long()
        return Decision(actions, torch.zeros_like(noise[..., 0]), torch.zeros_like(noise[..., 0]))


@on_cpu
def numbered_noise(streams: Streams, *shape: int) -> Tensor:
    """Of timestep t in environment b: t + b."""
    assert isinstance(streams, Streams) and shape == (3, ENVS)
    places = torch.arange(3)[:, None] + torch.arange(ENVS)
    return places[None, :, :, None, None].expand(RUNS, 3, ENVS, N, ACTIONS).float()


def collector(kind: str = "own", loses_episodes: bool = False, capacity: int = 100) -> ReplayCollector:
    env, players = Scripted(loses_episodes), Players()
    interaction = RewardInteraction(kind, env, RUNS, 0.5)  # type: ignore[arg-type]
    made = ReplayCollector(env, players, numbered_noise, interaction, 3, capacity, (0.9, 0.1, 0.5))  # type: ignore[arg-type]
    made.observations = env.observe()
    return made


def numbers(x: Tensor) -> list[list[float]]:
    """Of columns (K, N, n, ...) what stands first in each run's rows for agent 0."""
    return [[round(value, 2) for value in run] for run in x.flatten(2)[..., 0].tolist()]


def test_timesteps_are_kept_with_what_follows_them() -> None:
    made = collector()
    buffer, _ = made.collect(Streams.from_seeds([0, 1]), 0.0)
    assert buffer is made.buffer
    assert len(buffer) == 3 * ENVS
    rows = buffer.last(6)
    assert numbers(rows["observation"]) == [[0, 1, 10, 11, 20, 21], [2, 3, 12, 13, 22, 23]]
    # Who was terminated sees nothing; whoever has no action left has all of its own.
    following = [[10.05, 11.05, 20.05, 0, 30.05, 31.05], [12.05, 13.05, 22.05, 23.05, 32.05, 33.05]]
    assert numbers(rows["next.observation"]) == following
    assert rows["next.action_mask"][0, 1].tolist() == [[True, True, True], [True, True, False]]
    assert numbers(rows["rewards"]) == numbers(rows["observation"])
    assert rows["rewards"][0, 0].tolist() == pytest.approx([0.0, 0.1])
    assert numbers(rows["actions"]) == [[0, 1, 1, 2, 2, 3]] * 2
    ended = rows["terminated"].nonzero().tolist()
    assert ended == [[0, 3, 0]], "who is cut off has a future"
    # The next decisions would be made in the order of the episode.
    assert rows["priority"][0, :, 0].tolist() == [0, 0, 1, 1, 0, 0]
    assert torch.equal(rows["next.priority"], rows["priority"])
    assert "neighbors" not in rows and "exploration" not in rows
    assert isinstance(made.env, Scripted)
    assert [actions[:, 0].tolist() for actions in made.env.acted] == [
        [0, 1, 0, 1],
        [1, 2, 1, 2],
        [2, 3, 2, 3],
    ]
    assert made.observations["observation"][0, 0].item() == 30.0


@pytest.mark.parametrize(("progress", "amount"), [(0.0, 0.9), (0.25, 0.5), (0.5, 0.1), (1.0, 0.1)])
def test_exploration_anneals(progress: float, amount: float) -> None:
    made = collector()
    _, metrics = made.collect(Streams.from_seeds([0, 1]), progress)
    assert isinstance(made.population, Players)
    for asked in made.population.asked:
        assert asked["exploration"].tolist() == [[pytest.approx(amount)] * ENVS] * RUNS
    assert metrics["exploration"].tolist() == [pytest.approx(amount)] * RUNS


def test_returns_are_of_episodes_that_ended() -> None:
    _, metrics = collector().collect(Streams.from_seeds([0, 1]), 0.0)
    # 1 and 11 of agent 0, 1.1 and 11.1 of agent 1, in the first run's second environment.
    assert metrics["episode_return"][0].item() == pytest.approx(12.1)
    assert metrics["episode_return"][1].isnan()
    assert set(metrics) == {"episode_return", "exploration"}


def test_averages_move_with_every_timestep() -> None:
    made = collector()
    made.collect(Streams.from_seeds([0, 1]), 0.0)
    average = 0.0
    for reward in (0.5, 10.5, 20.5):
        average += 0.5 * (reward - average)
    assert made.interaction.averages[0].tolist() == pytest.approx([average, average + 0.1 * (1 - 0.5**3)])


def test_the_dead_move_no_average() -> None:
    made = collector()
    assert isinstance(made.env, Scripted)
    made.env.alive = [True, False]
    made.observations = made.env.observe()
    made.collect(Streams.from_seeds([0, 1]), 0.0)
    assert made.interaction.averages[:, 0].min() > 0.0
    assert made.interaction.averages[:, 1].tolist() == [0.0, 0.0]


def test_graphs_are_kept_where_rewards_are_exchanged() -> None:
    made = collector("dri")
    buffer, metrics = made.collect(Streams.from_seeds([0, 1]), 0.0)
    neighbors = buffer.last(6)["neighbors"]
    assert neighbors.shape == (RUNS, 6, N, N)
    assert neighbors[0, 0].tolist() == [[False, True], [True, False]]
    # Only the first reward lies on its average, 0, and its neighbour's of 0.1 above it: 2 of 4 decisions.
    assert metrics["conflict_rate"].tolist() == pytest.approx([0.5 / 3, 0.0])


def test_a_step_that_one_run_lost_is_left_out_of_all() -> None:
    made = collector(loses_episodes=True)
    buffer, metrics = made.collect(Streams.from_seeds([0, 1]), 0.0)
    assert numbers(buffer.last(9)["observation"]) == [[0, 1, 10, 11, 21], [2, 3, 12, 13, 23]]
    assert metrics["lost_episodes"].tolist() == [0, 1]
    # The lost reward of 22 moved no average.
    average = 0.0
    for reward in (2.5, 12.5, (23.0 + (0.5 * 1.25 + 0.5 * 12.5)) / 2):
        average += 0.5 * (reward - average)
    assert made.interaction.averages[1, 0].item() == pytest.approx(average)


def test_numbers_of_the_last_timesteps_must_be_finite() -> None:
    made = collector(capacity=8)
    for _ in range(2):
        buffer, _ = made.collect(Streams.from_seeds([0, 1]), 0.0)
    alive, quantities = made.quantities(buffer)
    assert alive.shape == (RUNS, 6, N) and bool(alive.all())
    assert numbers(quantities["observation"])[0] == [30, 31, 40, 41, 50, 51]
    assert numbers(quantities["reward"])[0] == [30, 31, 40, 41, 50, 51]
    assert set(quantities) == {"observation", "reward"}


def test_everything_stays_on_the_environments_device() -> None:
    """What names no device would be made on another one here, and could not be combined with anything."""
    streams = Streams.from_seeds([0, 1])
    with torch.device("meta"):
        made = collector("dri")
        buffer, metrics = made.collect(streams, 0.0)
        last, drawn = buffer.last(6), buffer.sample(4, streams)
    assert {x.device.type for x in [*last.values(), *drawn.values(), *metrics.values()]} == {"cpu"}
    assert numbers(last["observation"]) == [[0, 1, 10, 11, 20, 21], [2, 3, 12, 13, 22, 23]]
    elsewhere = collector("dri")
    elsewhere.env.device = torch.device("meta")
    elsewhere.restore({}, made.carried())
    restored = [*elsewhere.buffer.rows.values(), elsewhere.interaction.averages, elsewhere.returns.partial]
    assert {x.device.type for x in restored} == {"meta"}


def test_before_the_first_timestep_there_is_nothing_to_save_but_zeros() -> None:
    carried = collector().carried()
    assert {name: float(x.sum()) for name, x in carried.items()} == {"added": 0, "averages": 0, "returns": 0}


@pytest.mark.parametrize("keeps_episodes", [True, False])
def test_collecting_goes_on_where_it_was_saved(keeps_episodes: bool) -> None:
    made, other = collector(), collector()
    made.collect(Streams.from_seeds([0, 1]), 0.0)
    carried = {name: x.clone() for name, x in made.carried().items()}
    other.env.keeps_episodes = keeps_episodes
    other.restore({"observation": torch.tensor(7.0)}, carried)
    assert other.observations["observation"].item() == 7.0
    assert len(other.buffer) == other.buffer.added == 6
    assert set(other.buffer.rows) == set(made.buffer.rows)
    assert all(torch.equal(x, made.buffer.rows[name]) for name, x in other.buffer.rows.items())
    assert torch.equal(other.interaction.averages, made.interaction.averages)
    begun = made.returns.partial if keeps_episodes else torch.zeros(RUNS * ENVS, N)
    assert torch.equal(other.returns.partial, begun)
    assert not torch.equal(made.returns.partial, torch.zeros(RUNS * ENVS, N))


def test_a_buffer_takes_no_more_memory_than_it_needs() -> None:
    """It holds the same timesteps as one that had all its places from the start."""
    buffer, whole = ReplayBuffer(10), torch.zeros(2, 0, 3)
    for step in range(17):
        row = torch.full((2, 1, 3), float(step))
        buffer.add({"x": row})
        whole = torch.cat([whole, row], dim=1)
        held = min(step + 1, 10)
        assert buffer.rows["x"].shape[1] in (held, min(10, 2 ** (held - 1).bit_length()))
        assert torch.equal(buffer.last(held)["x"], whole[:, -held:])
    assert buffer.rows["x"][0, :, 0].tolist() == [*range(10, 17), *range(7, 10)]


def test_a_buffer_that_memory_cannot_hold_is_said() -> None:
    buffer = ReplayBuffer(10**9)
    with pytest.raises(ConfigError, match=r"buffer_size=1000000000 takes 4000\.0 GB.*--buffer-size"):
        buffer._make_room({"x": torch.zeros(1, 1, 1000)}, 10**9)
