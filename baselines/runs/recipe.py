"""What of a plan decides its results, besides the seeds: the identity of a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


@with_config(ConfigDict(strict=True, extra="allow"))
class Recipe(TypedDict):
    """The fields of `RunPlan.as_dict` that results depend on; device, workers and seeds are free."""

    algorithm: str
    env_id: str
    env_args: dict[str, Any]
    priority: list[str] | str | None
    config: dict[str, Any]


def recipe_of(plan: Mapping[str, Any]) -> Recipe:
    """The recipe of a plan as plain data; what an older version did not write is None."""
    return {name: plan.get(name) for name in Recipe.__annotations__}  # type: ignore[return-value]
