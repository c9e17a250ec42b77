"""One episode of any game with discrete actions, as those see it that read and write."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from baselines.errors import PairingError
from stmg_envs import vector_env
from stmg_envs.protocol import Complaint, Doubt, GameVectorEnv, NumbersText
from wrappers import external_vector_env, is_external


@dataclass(frozen=True)
class Played:
    """What came of a joint step.

    Attributes:
        rewards: of each agent, (n,).
        done: whether the episode is over.
        metrics: the game's own, at the end.
    """

    rewards: tuple[float, ...]
    done: bool
    metrics: dict[str, float]


class Stage:
    """One environment whose present state is told in words.

    Args:
        env_id: environment id.
        env_args: arguments of the game.

    Attributes:
        text: the game in words.

    Raises:
        PairingError: if actions are not discrete.
        UnknownNameError, MissingEngineError, InvalidArgumentError: for what is wrong with the game.
    """

    def __init__(self, env_id: str, env_args: Mapping[str, Any]) -> None:
        make = external_vector_env if is_external(env_id) else vector_env
        self.env = make(env_id, 1, **env_args)
        if not self.env.game.discrete:
            self.env.close()
            raise PairingError(
                f"env_id={env_id!r} has continuous actions, and language models choose among names; expected "
                "a game with discrete actions (stmg envs lists them)"
            )
        own = self.env.game.text() if isinstance(self.env, GameVectorEnv) else None
        self.text = own or NumbersText(self.env.game)
        self._tells_states = own is not None
        self._seen: dict[str, Tensor] = {}
        self._legal: list[list[int]] = []

    @property
    def n(self) -> int:
        """The number of agents."""
        return self.env.game.n

    def reset(self, seed: int) -> None:
        """Begin the episode of a seed."""
        seen, _ = self.env.reset(seed=[seed])
        self._look(seen)

    @property
    def priority(self) -> tuple[int, ...]:
        """Agent indices in order of decision, (n,)."""
        return tuple(self.env.priority[0].tolist())

    @property
    def legal(self) -> list[list[int]]:
        """What each agent may do now; nothing for those who are out of the game."""
        return self._legal

    @property
    def undecided(self) -> tuple[int | None, ...]:
        """The joint action before anybody has decided: whoever has no choice does the only thing it can."""
        return tuple(self.text.idle if len(actions) > 1 else next(iter(actions), 0) for actions in self.legal)

    @property
    def choosers(self) -> list[int]:
        """Agents that have a choice now."""
        return [agent for agent, actions in enumerate(self.legal) if len(actions) > 1]

    def names(self, agent: int) -> list[str]:
        """What an agent may do now, by name."""
        names = self.text.actions(agent)
        return [names[action] for action in self.legal[agent]]

    def named(self, actions: Sequence[int | None]) -> dict[str, str]:
        """A joint action, or part of one, by name; who does nothing is left out."""
        return {
            self.text.agents[agent]: self.text.actions(agent)[action]
            for agent, action in enumerate(actions)
            if action is not None and action != self.text.idle
        }

    def scene(self) -> str:
        """All that is to be seen now."""
        return self.text.scene(self._state)

    def view(self, agent: int) -> str:
        """What one agent sees now."""
        return self.text.view(self._state, agent)

    def complaints(self, actions: Sequence[int | None]) -> list[Complaint]:
        """Where actions do not go together, None where an agent has not decided."""
        return self.text.complaints(self._state, actions)

    def doubts(self, actions: Sequence[int]) -> dict[int, Doubt]:
        """Agents whose parts of a joint action seem to lead nowhere."""
        return self.text.doubts(self._state, actions)

    def digest(self) -> str:
        """SHA-256 of the present state, or of what is observed where an engine has the state."""
        found = hashlib.sha256()
        for name, value in sorted(self._state.items()):
            found.update(name.encode())
            found.update(value.cpu().contiguous().numpy().tobytes())
        return found.hexdigest()

    def step(self, actions: Sequence[int]) -> Played:
        """All play at once, (n,)."""
        seen, rewards, terminated, truncated, info = self.env.step(torch.tensor([list(actions)]))
        self._look(seen)
        done = bool(terminated[0] | truncated[0])
        metrics = {name: float(value[0]) for name, value in info["metrics"].items()} if done else {}
        return Played(tuple(rewards[0].tolist()), done, metrics)

    def close(self) -> None:
        """Release what computes the game."""
        self.env.close()

    def _look(self, seen: dict[str, Tensor]) -> None:
        self._seen = seen
        living = zip(seen["action_mask"][0], seen["alive"][0], strict=True)
        self._legal = [mask.nonzero().flatten().tolist() if lives else [] for mask, lives in living]

    @property
    def _state(self) -> dict[str, Tensor]:
        if self._tells_states and isinstance(self.env, GameVectorEnv):
            return self.env.episodes.state
        return self._seen
