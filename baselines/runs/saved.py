"""What a run directory's checkpoint holds, and whether it is the directory's own."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from torch import Tensor
from typing_extensions import TypedDict

from baselines.errors import CheckpointError
from baselines.runs.directory import ENDS, RunDirectory
from baselines.runs.plan import RunPlan
from baselines.runs.recipe import Recipe, recipe_of
from baselines.storage import read_json
from baselines.training.checkpoint import damaged_checkpoint, load_checkpoint, save_checkpoint, under


@with_config(ConfigDict(strict=True, allow_inf_nan=False))
class SavedProgress(TypedDict):
    """How far a training has come, and which one it is; checkpoints of older versions do not say that."""

    updates: Annotated[int, Field(ge=0)]
    elapsed: Annotated[float, Field(ge=0)]
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
    lost: NotRequired[list[Annotated[int, Field(ge=0)]]]
    plan: NotRequired[Recipe]


_PROGRESS = TypeAdapter(SavedProgress)


def save_training(
    directory: RunDirectory, plan: RunPlan, tensors: dict[str, Tensor], progress: SavedProgress
) -> None:
    """Write the checkpoint of a training, with the plan that it belongs to."""
    save_checkpoint(directory.checkpoint, tensors, {**progress, "plan": _identity(plan.as_dict())})


def load_training(directory: RunDirectory) -> tuple[dict[str, Tensor], SavedProgress]:
    """What `save_training` wrote.

    Raises:
        CheckpointError: if the checkpoint is missing, damaged, or of another training than the manifest's.
    """
    tensors, found = load_checkpoint(directory.checkpoint)
    try:
        progress = _PROGRESS.validate_python(found)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        reason = f"without the progress of a training ({where}: {first['msg']})"
        raise damaged_checkpoint(directory.checkpoint, reason) from None
    for name, value in under("policy.", tensors).items():
        if not bool(value.isfinite().all()):
            raise damaged_checkpoint(directory.checkpoint, f"damaged: policy.{name} is not finite")
    manifest = read_json(directory.manifest)
    expected = {"seeds": manifest["seeds"], **_identity(manifest)}
    made: dict[str, Any] = {"seeds": progress["seeds"], **progress.get("plan", {})}
    # Either may be of a version that did not know a field of the configuration.
    known = made.get("config", {}).keys() & expected["config"]
    for table in (made, expected):
        table["config"] = {name: table.get("config", {})[name] for name in sorted(known)}
    for name, own in made.items():
        if own != expected.get(name):
            raise CheckpointError(
                f"{directory.checkpoint} is of another run: it was made with {name}={own!r}, and "
                f"{directory.manifest} says {expected.get(name)!r}; put the run's own checkpoint there"
            )
    return tensors, progress


def _identity(plan: dict[str, Any]) -> Recipe:
    """What a plan trains; on which device, by which processes and how long is free."""
    config = {name: value for name, value in plan["config"].items() if name not in ENDS}
    return recipe_of(plan | {"config": config})
