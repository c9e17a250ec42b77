"""Greedy evaluation: every run plays exactly E episodes, one per environment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.training.population import Population, policy_inputs
from stmg_envs.protocol import JointVectorEnv, Streams


@dataclass(frozen=True)
class Evaluated:
    """What K runs did in E greedy episodes each.

    Attributes:
        returns: undiscounted return of each agent, float64 (K, E, n).
        optimal: whether each episode reached a known optimum, bool (K, E), or None if none is known.
        metrics: the game's own metrics at the end of each episode, each (K, E).
        actions: joint actions of each run's first episode, one array (T, n[, dim]) per run.
        lost: episodes that were lost and played anew, int64 (K,), or None if none can be.
    """

    returns: NDArray[np.float64]
    optimal: NDArray[np.bool_] | None
    metrics: dict[str, NDArray[np.float64]]
    actions: list[NDArray[np.float64]]
    lost: NDArray[np.int64] | None

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


def evaluate_greedy(population: Population, env: JointVectorEnv, streams: Streams) -> Evaluated:
    """Play one greedy episode in each of K * E environments.

    Each environment plays one episode and then waits, so that short episodes are not favoured. One that is
    lost does not count; its environment plays another.

    Args:
        population: K policies.
        env: K * E environments, those of run k at k * E, ..., (k + 1) * E - 1.
        streams: randomness of the environments, K streams.
    """
    runs, episodes = population.size, env.num_envs // population.size
    n, game = len(env.agents), env.game
    shape = (runs, episodes, n, game.action_width)
    greedy = torch.zeros(shape, device=env.device)
    observations, _ = env.reset(seed=streams.split(episodes).keys)
    priority = env.priority.clone()
    returns = torch.zeros(env.num_envs, n, dtype=torch.float64, device=env.device)
    running = torch.ones(env.num_envs, dtype=torch.bool, device=env.device)
    none_lost = torch.zeros_like(running)
    counts = torch.zeros(runs, dtype=torch.int64, device=env.device)
    metrics: dict[str, Tensor] = {}
    plays: list[list[NDArray[np.float64]]] = [[] for _ in range(runs)]
    memory = population.no_memory(episodes, n)
    while bool(running.any()):
        inputs = policy_inputs(observations, env.priority, runs)
        if memory.shape[-1]:
            inputs["memory"] = memory
        decision = population.act(inputs, greedy)
        memory = memory if decision.memory is None else decision.memory
        observations, rewards, terminated, truncated, info = env.step(decision.actions.flatten(0, 1))
        lost = info.get("lost", none_lost) & running
        returns = (returns + rewards * running[:, None]) * ~lost[:, None]
        counts += lost.view(runs, episodes).sum(dim=1)
        _record(plays, decision.actions, running, lost)
        memory = memory * ~lost.view(runs, episodes, 1, 1)
        done = (terminated | truncated) & ~lost
        for name, value in info["metrics"].items():
            metrics[name] = torch.where(running & done, value.double(), metrics.get(name, value.double()))
        running = running & ~done
    table = returns.view(runs, episodes, n).cpu().numpy()
    return Evaluated(
        returns=table,
        optimal=reached_optimum(env, table, priority.view(runs, episodes, n).cpu().numpy()),
        metrics={name: value.view(runs, episodes).cpu().numpy() for name, value in metrics.items()},
        actions=[np.stack(play) for play in plays],
        lost=counts.cpu().numpy() if env.loses_episodes else None,
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
        close = np.isclose(returns[:, :, None, :], targets, rtol=1e-5, atol=1e-4).all(axis=-1).any(axis=-1)
        reached |= close & (priority == order).all(axis=-1)
    return reached
