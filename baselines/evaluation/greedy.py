"""Greedy evaluation: every run plays exactly E episodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.algorithms.config import LONGEST_EPISODE
from baselines.training.finite import FiniteCheck
from baselines.training.population import Population, policy_inputs
from stmg_envs.equilibria import same_returns
from stmg_envs.errors import EndlessEpisodeError
from stmg_envs.protocol import Game, JointSpaces, JointVectorEnv, Streams


@dataclass(frozen=True)
class Evaluated:
    """What K runs did in E greedy episodes each.

    Attributes:
        returns: undiscounted return of each agent, float64 (K, E, n).
        optimal: whether each episode reached a known optimum, bool (K, E), or None if none is known.
        metrics: the game's own metrics at the end of each episode, each (K, E), and `return_<side>`, the mean
            over its agents, where sides play against each other.
        actions: joint actions of each run's first episode, one array (T, n[, dim]) per run.
        lost: episodes that were lost and played anew, int64 (K,), or None if none can be.
    """

    returns: NDArray[np.float64]
    optimal: NDArray[np.bool_] | None
    metrics: dict[str, NDArray[np.float64]]
    actions: list[NDArray[np.float64]]
    lost: NDArray[np.int64] | None

    @staticmethod
    def joined(parts: Sequence[Evaluated]) -> Evaluated:
        """What several groups of runs did in the same number of episodes, as one."""
        optimal = [part.optimal for part in parts if part.optimal is not None]
        lost = [part.lost for part in parts if part.lost is not None]
        return Evaluated(
            returns=np.concatenate([part.returns for part in parts]),
            optimal=np.concatenate(optimal) if len(optimal) == len(parts) else None,
            metrics={
                name: np.concatenate([part.metrics[name] for part in parts]) for name in parts[0].metrics
            },
            actions=[play for part in parts for play in part.actions],
            lost=np.concatenate(lost) if lost else None,
        )

    def as_metrics(self, run: int) -> dict[str, list[float]]:
        """The lists that results files hold: one entry per episode; what is said of all of them, once."""
        table = {"return": self.returns[run].mean(axis=-1).tolist()}
        if self.lost is not None:
            table["lost_episodes"] = [float(self.lost[run])]
        if self.optimal is not None:
            table["optimal"] = [float(self.optimal[run].all())]
        return table | {name: values[run].tolist() for name, values in self.metrics.items()}

    def means(self) -> dict[str, float]:
        """`evaluation/<metric>`: means over runs and episodes."""
        runs = [self.as_metrics(run) for run in range(len(self.returns))]
        return {f"evaluation/{name}": float(np.mean([run[name] for run in runs])) for name in runs[0]}


ENGINES_TOGETHER = 16
"""Most environments of an engine that play at once for a run: each takes memory, football's 70 MB."""


def episodes_together(game: JointSpaces, episodes: int) -> int:
    """How many of a run's episodes are played at once: a divisor of them, so that no environment is idle."""
    if isinstance(game, Game):
        return episodes
    return max(count for count in range(1, ENGINES_TOGETHER + 1) if episodes % count == 0)


def evaluate_greedy(
    population: Population,
    env: JointVectorEnv,
    streams: Streams,
    episodes: int,
    max_steps: int = LONGEST_EPISODE,
) -> Evaluated:
    """Play E greedy episodes of every run, as many at once as it has environments.

    Args:
        population: K policies.
        env: K * B environments, those of run k at k * B, ..., (k + 1) * B - 1; B divides E.
        streams: randomness of the environments, K streams; which episodes are played does not hang on B.
        episodes: E.
        max_steps: timesteps by which every episode must have ended.

    Raises:
        EndlessEpisodeError: if one has not.
        NotFiniteError: if an observation, a value or a reward is NaN or infinite.
    """
    runs = population.size
    keys = streams.split(episodes).keys.view(runs, -1, env.num_envs // runs)
    parts = [_play_once(population, env, keys[:, turn].flatten(), max_steps) for turn in range(keys.shape[1])]
    optimal = [part.optimal for part in parts if part.optimal is not None]
    lost = [part.lost for part in parts if part.lost is not None]
    return Evaluated(
        returns=np.concatenate([part.returns for part in parts], axis=1),
        optimal=np.concatenate(optimal, axis=1) if len(optimal) == len(parts) else None,
        metrics={
            name: np.concatenate([part.metrics[name] for part in parts], axis=1) for name in parts[0].metrics
        },
        actions=parts[0].actions,
        lost=np.sum(lost, axis=0) if lost else None,
    )


def _play_once(population: Population, env: JointVectorEnv, keys: Tensor, max_steps: int) -> Evaluated:
    """One greedy episode in each environment, with keys (K * B,).

    Each environment plays one episode and then waits, so that short episodes are not favoured. One that is
    lost does not count; its environment plays another.
    """
    runs, episodes = population.size, env.num_envs // population.size
    n, game = len(env.agents), env.game
    shape = (runs, episodes, n, game.action_width)
    greedy = torch.zeros(shape, device=env.device)
    observations, _ = env.reset(seed=keys)
    priority = env.priority.clone()
    returns = torch.zeros(env.num_envs, n, dtype=torch.float64, device=env.device)
    running = torch.ones(env.num_envs, dtype=torch.bool, device=env.device)
    none_lost = torch.zeros_like(running)
    counts = torch.zeros(runs, dtype=torch.int64, device=env.device)
    metrics: dict[str, Tensor] = {}
    plays: list[list[NDArray[np.float64]]] = [[] for _ in range(runs)]
    memory = population.no_memory(episodes, n)
    finite = FiniteCheck(population.seeds, env.agents)
    steps = torch.zeros(env.num_envs, dtype=torch.int64, device=env.device)
    while bool(running.any()):
        require_end(steps, running, max_steps)
        inputs = policy_inputs(observations, env.priority, runs)
        if memory.shape[-1]:
            # Who is not in the game has nothing to remember when it enters.
            memory = torch.where(inputs["alive"].unsqueeze(-1), memory, 0.0)
            inputs["memory"] = memory
        decision = population.act(inputs, greedy)
        memory = memory if decision.memory is None else decision.memory
        observations, rewards, terminated, truncated, info = env.step(decision.actions.flatten(0, 1))
        lost = info.get("lost", none_lost) & running
        deciding = inputs["alive"] & running.view(runs, episodes, 1)
        finite.decisions(
            "a greedy episode",
            deciding,
            observation=inputs["observation"],
            value=decision.values,
            reward=rewards.view_as(deciding),
        )
        paid = torch.where(deciding.flatten(0, 1), rewards, 0.0)
        returns = torch.where(lost[:, None], 0.0, returns + paid)
        counts += lost.view(runs, episodes).sum(dim=1)
        _record(plays, decision.actions, running, lost)
        memory = torch.where(lost.view(runs, episodes, 1, 1), 0.0, memory)
        done = (terminated | truncated) & ~lost
        for name, value in info["metrics"].items():
            metrics[name] = torch.where(running & done, value.double(), metrics.get(name, value.double()))
        running = running & ~done
        steps = torch.where(lost, 0, steps + 1)
    table = returns.view(runs, episodes, n).cpu().numpy()
    by_side = {f"return_{side}": table[..., list(members)].mean(-1) for side, members in game.sides.items()}
    return Evaluated(
        returns=table,
        optimal=reached_optimum(env, table, priority.view(runs, episodes, n).cpu().numpy()),
        metrics={name: value.view(runs, episodes).cpu().numpy() for name, value in metrics.items()} | by_side,
        actions=[np.stack(play) for play in plays],
        lost=counts.cpu().numpy() if env.loses_episodes else None,
    )


def require_end(steps: Tensor, running: Tensor, max_steps: int) -> None:
    """Raise EndlessEpisodeError if an episode that runs, bool (E,), has had so many timesteps, (E,)."""
    if bool((running & (steps >= max_steps)).any()):
        raise EndlessEpisodeError(
            f"a greedy episode has not ended after {max_steps} timesteps; expected an end: give the "
            f"environment a time limit, or raise eval_max_steps if its episodes are that long"
        )


def _record(plays: list[list[NDArray[np.float64]]], actions: Tensor, running: Tensor, lost: Tensor) -> None:
    """Add joint actions (K, E, n[, dim]) to the first episodes that run, and forget those that were lost."""
    runs, episodes = actions.shape[:2]
    chosen = actions[:, 0].double().cpu().numpy()
    runs_on, gone = (x.view(runs, episodes)[:, 0].tolist() for x in (running, lost))
    for k, play in enumerate(plays):
        if gone[k]:
            play.clear()
        elif runs_on[k]:
            play.append(chosen[k])


def reached_optimum(
    env: JointVectorEnv, returns: NDArray[np.float64], priority: NDArray[np.int64]
) -> NDArray[np.bool_] | None:
    """Whether returns (K, E, n) equal a known optimum of the priority (K, E, n) in force."""
    reached = np.zeros(returns.shape[:2], dtype=bool)
    for order in np.unique(priority.reshape(-1, priority.shape[-1]), axis=0):
        targets = env.game.optimal_returns(tuple(int(agent) for agent in order))
        if targets is None:
            return None
        same = same_returns(returns[:, :, None, :], targets, env.game.return_scale()).any(axis=-1)
        reached |= same & (priority == order).all(axis=-1)
    return reached
