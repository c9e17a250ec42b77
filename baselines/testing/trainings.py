"""What a short training does: it ends, reproduces, needs nobody beside it, and goes on where it stopped."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from baselines.algorithms.spec import AlgorithmSpec
from baselines.runs.api import train
from baselines.runs.loaded import load_policy
from baselines.runs.trainer import Progress
from baselines.training.checkpoint import load_checkpoint, under
from stmg_envs import vector_env

GAMES = ("stmg/Cooperation-v0", "stmg/CooperativeHunting-v0")
"""Of discrete actions with an end that comes early, and of continuous ones."""
UPDATES = 4
SHORT = {"num_envs": 2, "rollout_steps": 5, "eval_episodes": 1, "warmup_steps": 10, "batch_size": 8}
"""Fields of a short training, of which an algorithm has some."""
NEAR = 1e-3
"""How far parameters of a run may lie from those of the same run in company."""


def of_trainings(spec: AlgorithmSpec, config: Mapping[str, Any]) -> Iterator[str]:
    """Findings about trainings of an algorithm, which is registered.

    Args:
        spec: the algorithm.
        config: fields that make it small and fast.
    """
    known = {field.name for field in fields(spec.config_class)}
    small = {name: value for name, value in SHORT.items() if name in known} | dict(config)
    steps = small["num_envs"] * small["rollout_steps"]
    sizes = small | {"total_steps": UPDATES * steps, "eval_interval": steps}
    for game in GAMES[: 1 if spec.discrete_only else 2]:
        with tempfile.TemporaryDirectory() as folder:
            training = _Training(spec.name, game, Path(folder), sizes)
            for check in (_reproduces, _alone, _goes_on, _plays):
                try:
                    finding = next(check(training), None)
                # Whatever others' code raises.
                except Exception as error:
                    finding = f"it raises {type(error).__name__}: {error}"
                if finding is not None:
                    yield f"trained on {game}: {finding}"
                    break


class _Training:
    """Trainings of one algorithm on one game, each in a run directory of its own."""

    def __init__(self, algorithm: str, game: str, folder: Path, config: Mapping[str, Any]) -> None:
        self.algorithm, self.game, self.folder, self.config = algorithm, game, folder, config

    def run(self, name: str, seeds: tuple[int, ...] = (0, 1), **how: Any) -> dict[str, Tensor]:
        """What its checkpoint holds."""
        out = self.folder / name
        train(self.algorithm, self.game, seeds=seeds, out=out, **how, **self.config)
        return load_checkpoint(out / "checkpoint.safetensors")[0]


def _reproduces(training: _Training) -> Iterator[str]:
    one, other = training.run("one"), training.run("other")
    different = [name for name in one if not torch.equal(one[name], other[name])]
    if different:
        yield f"the same training ends with another {different[0]}; expected that seeds decide everything"


def _alone(training: _Training) -> Iterator[str]:
    together = under("policy.", load_checkpoint(training.folder / "one" / "checkpoint.safetensors")[0])
    alone = under("policy.", training.run("alone", seeds=(1,)))
    for name, value in alone.items():
        far = float((value[0] - together[name][1]).abs().max()) if value.numel() else 0.0
        if far > NEAR:
            yield (
                f"{name} of seed 1 lies {far:.3g} from where it lies beside seed 0; expected that no "
                f"reduction crosses the axis of runs"
            )


def _goes_on(training: _Training) -> Iterator[str]:
    whole = load_checkpoint(training.folder / "one" / "checkpoint.safetensors")[0]
    with suppress(KeyboardInterrupt):
        training.run("parts", watch=_interrupt_after(UPDATES // 2))
    parts = training.run("parts", resume=True)
    different = [name for name in whole if name not in parts or not torch.equal(whole[name], parts[name])]
    if different:
        yield (
            f"after an interruption it ends with another {different[0]}; expected that state and load hold "
            f"everything that goes on from update to update"
        )


def _plays(training: _Training) -> Iterator[str]:
    policy = load_policy(training.folder / "one", seed=1)
    env = vector_env(training.game, 3)
    actions = policy.act(env.reset(seed=0)[0])
    env.step(actions)
    return iter(())


def _interrupt_after(updates: int) -> Callable[[Progress], None]:
    """Ctrl-C, some updates after the start."""
    done = 0

    def watch(_: Progress) -> None:
        nonlocal done
        done += 1
        if done == updates:
            signal.raise_signal(signal.SIGINT)

    return watch
