"""`stmg train`: one subcommand per algorithm, one flag per configuration field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rich_click as click
import torch

from baselines.algorithms.config import load_presets
from baselines.algorithms.registry import ALGORITHMS, AlgorithmSpec
from baselines.cli import options
from baselines.cli.dry_run import print_plan
from baselines.cli.watch import print_summary, watching
from baselines.runs.api import place, train
from baselines.runs.plan import make_plan, plan_sources


@click.group(name="train")
def command() -> None:
    """Train a population of runs of one algorithm, one run per seed.

    Example: stmg train steer stmg/Penalty-v0 --env-arg k=-100 --seeds 32 --out runs/penalty
    """


def _run(spec: AlgorithmSpec) -> Callable[..., None]:
    def run(
        env_id: str,
        env_args: tuple[tuple[str, Any], ...],
        seeds: int | tuple[int, ...],
        priority: str | None,
        preset: str | None,
        device: str,
        workers: int,
        threads: int,
        out: str | None,
        resume: bool,
        dry_run: bool,
        wandb: str | None,
        **config: Any,
    ) -> None:
        torch.set_num_threads(threads)
        chosen = {name: value for name, value in config.items() if value is not None}
        what: dict[str, Any] = {
            "seeds": seeds,
            "env_args": dict(env_args),
            "device": device,
            "priority": priority,
            "workers": workers,
            "preset": preset,
        }
        if dry_run:
            plan = make_plan(spec.name, env_id, config=chosen, **what)
            directory = place(plan, out, resume)
            print_plan(plan, plan_sources(spec, env_id, preset, chosen), str(directory.path))
            return
        with watching(f"{spec.name} on {env_id}") as watch:
            trained = train(
                spec.name, env_id, out=out, resume=resume, watch=watch, wandb=wandb, **what, **chosen
            )
        print_summary(trained)

    return run


def _algorithm_command(spec: AlgorithmSpec) -> click.Command:
    presets = ", ".join(load_presets(spec.family, spec.config_class)) or "none"
    parameters: list[click.Parameter] = [
        click.Argument(["env_id"], type=options.EnvId()),
        click.Option(["--seeds"], type=options.Seeds(), default=1, help="a number (32) or a list (3,5,8)"),
        click.Option(["--env-arg", "env_args"], **options.ENV_ARG),
        click.Option(["--priority"], help="agent names, first to decide first, or 'random' (per episode)"),
        click.Option(["--preset"], help=f"named settings, by default those of the family; known: {presets}"),
        click.Option(["--device"], default="cpu", show_default=True, help="cpu, cuda, cuda:1, ..."),
        click.Option(["--workers"], **options.WORKERS, default=0, show_default=True),
        click.Option(["--threads"], **options.THREADS),
        click.Option(["--out"], **options.OUT),
        click.Option(
            ["--resume"], is_flag=True, help="continue the run in --out, to more --total-steps if you like"
        ),
        click.Option(["--wandb"], metavar="PROJECT", help="log to Weights & Biases too; extra wandb"),
        click.Option(["--dry-run"], is_flag=True, help="show the resolved configuration and end"),
        *options.config_options(spec.config_class),
    ]
    example = (
        f"Example: stmg train {spec.name} stmg/Penalty-v0 --env-arg k=-100 --seeds 32 --out runs/penalty"
    )
    return click.RichCommand(
        name=spec.name,
        params=parameters,
        callback=_run(spec),
        help=f"{spec.summary}.\n\n{example}",
        short_help=spec.summary,
    )


for _spec in ALGORITHMS.values():
    command.add_command(_algorithm_command(_spec))
