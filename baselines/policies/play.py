"""Episodes played by a policy that decides turn by turn, in batches of environments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, as_tensor

from baselines.algorithms.config import LONGEST_EPISODE
from baselines.policies.failure import PolicyFailureError
from stmg_envs.errors import InvalidActionError
from stmg_envs.protocol import JointSpaces, JointVectorEnv

Turn = Mapping[str, NDArray[Any]]


class Decider(Protocol):
    """Whoever decides."""

    def act(self, observation: Turn) -> NDArray[Any]:
        """Actions for turn observations with a leading axis E."""
        ...


class Episodes:
    """One episode in each of E environments; what is known of them stays known if the policy fails.

    Args:
        env: E environments.

    Attributes:
        returns: undiscounted return of each agent so far, float64 (E, n).
        finished: which episodes have ended, bool (E,).
        priority: agent indices in order of decision at the start, (E, n).
        metrics: the game's own at the end of each episode, each (E,).
    """

    def __init__(self, env: JointVectorEnv) -> None:
        self.env = env
        self.returns = np.zeros((env.num_envs, len(env.agents)))
        self.finished = np.zeros(env.num_envs, bool)
        self.priority = np.zeros((env.num_envs, len(env.agents)), np.int64)
        self.metrics: dict[str, NDArray[np.float64]] = {}

    def play(self, decider: Decider, keys: Tensor) -> None:
        """Play them all to their end.

        Args:
            decider: decides in every turn.
            keys: seeds of the environments, int64 (E,).

        Raises:
            PolicyFailureError: if the decider fails, an action is not legal, or the game fails or goes on.
        """
        observations, _ = self.env.reset(seed=keys)
        self.priority = self.env.priority.cpu().numpy().copy()
        steps = 0
        while not self.finished.all():
            if steps >= LONGEST_EPISODE:
                raise PolicyFailureError("timed out", f"an episode goes on after {LONGEST_EPISODE} timesteps")
            steps += 1
            actions = self._decide(decider, observations)
            try:
                observations, rewards, terminated, truncated, info = self.env.step(as_tensor(actions))
            except InvalidActionError as error:
                raise PolicyFailureError("invalid action", str(error)) from None
            except Exception as error:
                # Engines of others break in ways of their own on actions that nobody else has taken.
                raise PolicyFailureError("invalid action", f"the game failed on it: {error!r:.300}") from None
            running = ~self.finished
            done = (terminated | truncated).cpu().numpy() & running
            paid = rewards.cpu().numpy()[running]
            ends = {name: value.cpu().numpy()[done] for name, value in info["metrics"].items()}
            if not all(np.isfinite(numbers).all() for numbers in (paid, *ends.values())):
                raise PolicyFailureError(
                    "invalid action", "the game rewards it with numbers that are not finite"
                )
            self.returns[running] += paid
            for name, values in ends.items():
                self.metrics.setdefault(name, np.zeros(len(done)))[done] = values
            self.finished |= done

    def _decide(self, decider: Decider, observations: Mapping[str, Tensor]) -> NDArray[Any]:
        """The joint actions of a timestep, rank by rank: (E, n) or (E, n, action_dim)."""
        game = self.env.game
        seen = {name: value.cpu().numpy() for name, value in observations.items()}
        priority = self.env.priority.cpu().numpy()
        count, n = priority.shape
        rows = np.arange(count)
        leaders = np.zeros((count, n, game.action_width), np.float32)
        shape = (count, n) if game.discrete else (count, n, game.action_width)
        joint = np.zeros(shape, np.int64 if game.discrete else np.float32)
        for rank in range(n):
            agents = priority[:, rank]
            deciding = ~self.finished & seen["alive"][rows, agents]
            if not deciding.any():
                continue
            view = turn_observation(seen, agents, rank, leaders.copy())
            actions = checked(game, decider.act(view), agents, deciding, view.get("action_mask"))
            joint[rows, agents] = actions
            if game.discrete:
                leaders[rows[deciding], rank, actions[deciding]] = 1.0
            else:
                leaders[:, rank] = actions
        return joint


def turn_observation(
    seen: Mapping[str, NDArray[Any]], agents: NDArray[np.int64], rank: int, leaders: NDArray[np.float32]
) -> dict[str, NDArray[Any]]:
    """What the agents of one rank see, the entries of `baselines.policies.TurnObservation`.

    Args:
        seen: observations of all agents, each (E, n, ...), and `state` (E, state_dim).
        agents: whose turn it is, (E,).
        rank: their rank.
        leaders: actions of the ranks above, (E, n, action_width).
    """
    rows = np.arange(len(agents))
    view = {"observation": seen["observation"][rows, agents]}
    if "state" in seen:
        view["state"] = seen["state"]
    view["leader_actions"] = leaders
    view["rank"] = np.full(len(agents), rank)
    view["agent"] = agents
    if "action_mask" in seen:
        view["action_mask"] = seen["action_mask"][rows, agents].astype(np.int8)
    return view


def checked(
    game: JointSpaces,
    actions: NDArray[Any],
    agents: NDArray[np.int64],
    deciding: NDArray[np.bool_],
    mask: NDArray[np.int8] | None,
) -> NDArray[Any]:
    """Actions of those that decide, zeros for the others.

    Raises:
        PolicyFailureError: if they have the wrong kind or shape, or one of them is not legal.
    """
    shape = agents.shape if game.discrete else (*agents.shape, game.action_width)
    integers = np.issubdtype(actions.dtype, np.integer)
    if actions.shape != shape or (game.discrete and not integers):
        kind = "integers" if game.discrete else "finite numbers"
        raise PolicyFailureError(
            "invalid action",
            f"{actions.dtype} of shape {actions.shape}; expected {kind} of shape {shape} (episodes first)",
        )
    if mask is None:
        with np.errstate(over="ignore"):
            legal = np.isfinite(actions.astype(np.float32)).all(axis=-1)
    else:
        inside = (actions >= 0) & (actions < mask.shape[1])
        legal = inside & (mask[np.arange(len(agents)), np.where(inside, actions, 0)] == 1)
    wrong = np.flatnonzero(deciding & ~legal)
    if len(wrong):
        first = wrong[0]
        expected = "finite numbers" if mask is None else f"one of {np.flatnonzero(mask[first]).tolist()}"
        raise PolicyFailureError(
            "invalid action",
            f"{actions[first].tolist()!r:.60} of {game.agents[agents[first]]}; expected {expected}",
        )
    return np.where(deciding.reshape(-1, *[1] * (actions.ndim - 1)), actions, 0).astype(
        np.int64 if game.discrete else np.float32
    )
