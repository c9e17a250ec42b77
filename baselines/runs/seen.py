"""What a trained policy is asked with: whether it is of the kind that its networks were made for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from baselines.networks.policy import PolicySpec
from stmg_envs.arguments import shown
from stmg_envs.errors import InvalidArgumentError, NoLegalActionError


def require_observations(observations: Mapping[str, Any], spec: PolicySpec) -> int:
    """The batch size B of observations as `stmg_envs.vector_env` gives them.

    Args:
        observations: `observation`, and where there are any `state`, `action_mask` and `alive`.
        spec: the sizes of the policy.

    Raises:
        InvalidArgumentError: if one of them is no tensor, or of another shape or type.
        NoLegalActionError: if an agent that is alive may do nothing.
    """
    if not isinstance(observations, Mapping) or not isinstance(observations.get("observation"), Tensor):
        raise InvalidArgumentError(
            f"observations={shown(observations)} hold no tensor 'observation'; expected what vector_env gives"
        )
    batch = len(observations["observation"]) if observations["observation"].dim() else 0
    shapes: dict[str, tuple[tuple[int, ...], bool]] = {
        "observation": ((batch, spec.n, spec.obs_dim), False),
        "action_mask": ((batch, spec.n, spec.action_width), True),
        "alive": ((batch, spec.n), True),
    }
    if spec.state_dim is not None:
        shapes["state"] = ((batch, spec.state_dim), False)
    for name, (shape, flags) in shapes.items():
        if name in observations:
            _require(name, observations[name], shape, flags)
    if "action_mask" in observations:
        stuck = ~observations["action_mask"].any(dim=-1)
        if "alive" in observations:
            stuck &= observations["alive"]
        if bool(stuck.any()):
            row, agent = stuck.nonzero()[0].tolist()
            raise NoLegalActionError(
                f"action_mask[{row}, {agent}] is all zero; expected at least one action that agent {agent} "
                f"may take"
            )
    return batch


def _require(name: str, value: object, shape: tuple[int, ...], flags: bool) -> None:
    """Raise InvalidArgumentError unless a value is a tensor of a shape, of flags or of finite numbers."""
    kind = "flags" if flags else "finite numbers"
    fits = isinstance(value, Tensor) and value.shape == shape and not value.is_meta
    if fits and isinstance(value, Tensor):
        fits = value.dtype == torch.bool if flags else value.is_floating_point()
        fits = fits and (flags or bool(value.isfinite().all()))
    if not fits:
        found = f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else shown(value)
        raise InvalidArgumentError(f"{name}={found} is not accepted; expected a tensor of {kind} {shape}")
