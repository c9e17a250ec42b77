"""Streams of turns for Stable-Baselines3: a `VecEnv` over one native game, computed in one batch.

Stable-Baselines3 takes no `gymnasium.vector.VectorEnv`, and its own `DummyVecEnv` steps one environment after
another. Importing this module needs the extra `sb3`; importing `wrappers` does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from stmg_envs import vector_turn_stream
from stmg_envs.errors import InvalidArgumentError, MissingEngineError
from stmg_envs.protocol import TurnStreamVectorEnv, priority_indices

try:
    from stable_baselines3.common.vec_env import VecEnv
    from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvObs, VecEnvStepReturn
except ImportError as error:
    raise MissingEngineError(
        "wrappers.stable_baselines3 needs 'stable_baselines3', which is not installed; install it with: "
        "pip install 'stmg[sb3]'"
    ) from error


class Slot:
    """One sub-environment, as `get_attr`, `set_attr` and `env_method` address it.

    Args:
        owner: the batch.
        index: its place there.
    """

    spec = None

    def __init__(self, owner: TurnStreamVecEnv, index: int) -> None:
        self._owner = owner
        self._index = index
        self.render_mode = owner.streams.render_mode
        self.metadata = owner.streams.metadata
        self.observation_space = owner.streams.single_observation_space
        self.action_space = owner.streams.single_action_space

    @property
    def priority(self) -> tuple[str, ...]:
        """Agent names, first to decide first; `set_options({"priority": ...})` sets it at the next reset."""
        agents = self._owner.streams.game.agents
        return tuple(agents[agent] for agent in self._owner.streams.priority[self._index])

    def neighbors(self) -> NDArray[np.bool_]:
        """The present neighbour graph, bool (n, n)."""
        return self._owner.streams.neighbors()[self._index]

    @property
    def action_masks(self) -> Any:
        """A function that gives the legal actions of the agent to decide, int8 (A,)."""
        if "action_mask" not in self._owner.streams.single_observation_space.spaces:  # type: ignore[attr-defined]
            raise AttributeError("action_masks: actions that are numbers have no masks")
        return lambda: self._owner.masks[self._index].copy()

    def render(self) -> Any:
        """A picture in the render mode, None without one."""
        return self._owner.streams.picture(self._index)


class TurnStreamVecEnv(VecEnv):
    """B streams of turns as Stable-Baselines3's `VecEnv`: one `step` is one agent's decision in each.

    Sub-environment b gives what `gymnasium.make(id)` in a `DummyVecEnv` gives. `infos[b]` carries `agent`,
    `rewards` and `timestep_end` as there, at the end of an episode `terminal_observation`, and always
    `TimeLimit.truncated`. `env_method("action_masks")` is what sb3-contrib's MaskablePPO asks for. `seed` and
    `set_options` take effect at the next `reset`; of the options `priority` is known.

    Args:
        streams: the batch, with autoreset in the same step.

    Raises:
        InvalidArgumentError: with another autoreset mode.
    """

    def __init__(self, streams: TurnStreamVectorEnv) -> None:
        if streams.autoreset_mode != AutoresetMode.SAME_STEP:
            raise InvalidArgumentError(
                f"autoreset_mode={streams.autoreset_mode} is not Stable-Baselines3's; expected "
                f"{AutoresetMode.SAME_STEP}"
            )
        self.streams = streams
        self.slots = [Slot(self, index) for index in range(streams.num_envs)]
        self.masks: NDArray[np.int8] = np.zeros((streams.num_envs, 0), np.int8)
        self._actions: NDArray[Any] = np.zeros(0)
        super().__init__(streams.num_envs, streams.single_observation_space, streams.single_action_space)

    def reset(self) -> VecEnvObs:
        seeds = None if self._seeds[0] is None else self._seeds
        observations, info = self.streams.reset(seed=seeds, options=self._reset_options_of_all())
        self._reset_seeds()
        self._reset_options()
        self.reset_infos = _per_environment(info, self.num_envs)
        return self._seen(observations)

    def step_async(self, actions: NDArray[Any]) -> None:
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        observations, rewards, terminated, truncated, info = self.streams.step(self._actions)
        done = terminated | truncated
        endings = info.pop("final_obs", None), info.pop("final_info", None)
        infos = _per_environment(info, self.num_envs)
        if done.any():
            finals = _per_environment(endings[1], self.num_envs)
            for index in np.flatnonzero(done):
                self.reset_infos[index] = infos[index]
                infos[index] = {**finals[index], "terminal_observation": endings[0][index]}
        for one, cut in zip(infos, truncated.tolist(), strict=True):
            one["TimeLimit.truncated"] = cut
        return self._seen(observations), rewards.astype(np.float32), done, infos

    def close(self) -> None:
        self.streams.close()

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        return [getattr(slot, attr_name) for slot in self._chosen(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        for slot in self._chosen(indices):
            setattr(slot, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        return [getattr(slot, method_name)(*method_args, **method_kwargs) for slot in self._chosen(indices)]

    def env_is_wrapped(
        self, wrapper_class: type[gymnasium.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        return [False for _ in self._chosen(indices)]

    def get_images(self) -> Sequence[NDArray[Any] | None]:
        return [slot.render() for slot in self.slots]

    def _chosen(self, indices: VecEnvIndices) -> list[Slot]:
        return [self.slots[index] for index in self._get_indices(indices)]

    def _seen(self, observations: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        if "action_mask" in observations:
            self.masks = observations["action_mask"]
        return observations

    def _reset_options_of_all(self) -> dict[str, Any]:
        """The options of all sub-environments as the batch takes them."""
        if not any(self._options):
            return {}
        agents = self.streams.game.agents
        order = self.streams.priority
        for index, options in enumerate(self._options):
            unknown = set(options) - {"priority"}
            if unknown:
                raise InvalidArgumentError(f"options {sorted(unknown)} are unknown; expected 'priority'")
            if options:
                chosen = priority_indices(agents, options["priority"], 1, torch.device("cpu"))
                order[index] = chosen[0].numpy()
        return {"priority": order}


def _per_environment(info: dict[str, Any], num_envs: int) -> list[dict[str, Any]]:
    """Gymnasium's info of a batch as one dict per environment."""
    infos: list[dict[str, Any]] = [{} for _ in range(num_envs)]
    for name, values in info.items():
        has = info.get(f"_{name}")
        if has is None:
            continue
        # Python's numbers and names; vectors stay arrays.
        entries = values.tolist() if values.ndim == 1 else list(values)
        for one, entry, given in zip(infos, entries, has.tolist(), strict=True):
            if given:
                one[name] = entry
    return infos


def stable_baselines3_env(id: str, num_envs: int, **kwargs: Any) -> TurnStreamVecEnv:
    """The turn stream of a native game as a `VecEnv`.

    Args:
        id: environment id.
        num_envs: B.
        **kwargs: `priority`, `reward`, `render_mode`, and arguments of the game.

    Raises:
        UnknownNameError, InvalidArgumentError, InvalidPriorityError: as `gymnasium.make_vec`; games of
            engines have no batch of this kind, and go into a `DummyVecEnv`.
    """
    return TurnStreamVecEnv(
        vector_turn_stream(id, num_envs, autoreset_mode=AutoresetMode.SAME_STEP, **kwargs)
    )
