"""`stmg train`: one subcommand per algorithm, one flag per configuration field; and going on with a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rich_click as click
import torch
from click.core import ParameterSource

from baselines.algorithms.registry import ALGORITHMS, algorithm_spec
from baselines.algorithms.spec import AlgorithmSpec
from baselines.cli import options
from baselines.cli.dry_run import print_plan
from baselines.cli.silence import silent
from baselines.cli.train_help import PANELS, TrainCommand
from baselines.cli.watch import print_summary, say_rounding, watching
from baselines.runs.api import place, resume, train
from baselines.runs.plan import make_plan, plan_sources, resolve_plan
from baselines.runs.processes import default_processes
from stmg_envs.errors import PluginError


class AlgorithmCommands(click.RichGroup):
    """A subcommand for every algorithm, those of other packages included; it is made when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        # A shell that completes a word has no place for warnings of packages.
        return ALGORITHMS.names() if ctx.resilient_parsing else list(ALGORITHMS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        try:
            return _algorithm_command(ALGORITHMS[name]) if name in ALGORITHMS else None
        except PluginError:
            if ctx.resilient_parsing:
                return None
            raise

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not ctx.resilient_parsing:
            # Which says what may be meant.
            algorithm_spec(args[0])
        return super().resolve_command(ctx, args)


@click.group(
    name="train",
    cls=AlgorithmCommands,
    invoke_without_command=True,
    params=[
        click.Option(
            ["--resume", "run_dir"],
            type=click.Path(file_okay=False),
            metavar="RUN_DIR",
            help="go on with a run that was interrupted; with no algorithm, as the run knows its own",
        ),
        click.Option(["--total-steps"], type=int, help="with --resume: a later end than the run had"),
        click.Option(["--goal"], help="with --resume: another goal than the run had"),
        click.Option(["--device"], help="with --resume: another device than the run had"),
        click.Option(["--processes"], **options.PROCESSES),
        click.Option(["--workers"], **options.WORKERS),
        click.Option(["--threads"], **options.THREADS),
        click.Option(["--wandb"], **options.WANDB),
        click.Option(["--trust"], **options.TRUST),
    ],
)
@click.pass_context
def command(ctx: click.RichContext, /, run_dir: str | None, threads: int, **changes: Any) -> None:
    """Train a population of runs of one algorithm, one run per seed, or go on with one.

    Example: stmg train steer stmg/Penalty-v0 --env-arg k=-100 --seeds 32 --out runs/penalty

    Example: stmg train --resume runs/penalty
    """
    if ctx.invoked_subcommand is not None:
        _refuse_options(ctx)
        return
    if run_dir is None:
        click.echo(ctx.get_help())
        ctx.exit(2)
    torch.set_num_threads(threads)
    processes = changes.pop("processes") or default_processes()
    with watching(f"{run_dir}, resumed") as watch:
        trained = resume(run_dir, processes=processes, watch=watch, **changes)
    with silent():
        print_summary(trained)


def _refuse_options(ctx: click.Context) -> None:
    """Options of resuming say nothing to an algorithm."""
    given = [
        parameter.opts[0]
        for parameter in ctx.command.params
        if ctx.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    ]
    if given:
        ctx.fail(
            f"{given[0]} stands before {ctx.invoked_subcommand!r}; expected options of an algorithm behind "
            f"its name, or --resume RUN_DIR without a name"
        )


def _run(spec: AlgorithmSpec) -> Callable[..., None]:
    def run(
        env_id: str,
        env_args: tuple[tuple[str, Any], ...],
        seeds: int | tuple[int, ...],
        priority: str | None,
        preset: str | None,
        device: str,
        processes: int | None,
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
        processes = processes or default_processes()
        if dry_run:
            plan = make_plan(spec.name, env_id, config=chosen, **what)
            directory = place(plan, out, resume)
            sources = plan_sources(spec, env_id, preset, chosen)
            print_plan(plan, sources, str(directory.path), processes)
            return
        say_rounding(resolve_plan(spec.name, env_id, config=chosen, **what).config)
        with watching(f"{spec.name} on {env_id}") as watch:
            trained = train(
                spec.name,
                env_id,
                out=out,
                resume=resume,
                processes=processes,
                watch=watch,
                wandb=wandb,
                **what,
                **chosen,
            )
        with silent():
            print_summary(trained)

    return run


def _algorithm_command(spec: AlgorithmSpec) -> click.Command:
    presets = ", ".join(spec.all_presets()) or "none"
    parameters: list[click.Parameter] = [
        click.Argument(["env_id"], type=options.EnvId()),
        click.Option(["--seeds"], type=options.Seeds(), default=1, help="a number (32) or a list (3,5,8)"),
        click.Option(["--env-arg", "env_args"], **options.ENV_ARG),
        click.Option(["--priority"], help="agent names, first to decide first, or 'random' (per episode)"),
        click.Option(["--preset"], help=f"named settings, by default those of the family; known: {presets}"),
        click.Option(["--device"], default="cpu", show_default=True, help="cpu, cuda, cuda:1, ..."),
        click.Option(["--processes"], **options.PROCESSES),
        click.Option(["--workers"], **options.WORKERS, default=0, show_default=True),
        click.Option(["--threads"], **options.THREADS),
        click.Option(["--out"], **options.OUT),
        click.Option(
            ["--resume"], is_flag=True, help="continue the run in --out, to more --total-steps if you like"
        ),
        click.Option(["--wandb"], **options.WANDB),
        click.Option(["--dry-run"], is_flag=True, help="show the resolved configuration and end"),
        *options.config_options(spec.config_class),
    ]
    example = (
        f"Example: stmg train {spec.name} stmg/Penalty-v0 --env-arg k=-100 --seeds 32 --out runs/penalty"
    )
    return TrainCommand(
        spec,
        name=spec.name,
        params=parameters,
        panels=[*PANELS, *options.config_panels(spec.config_class)],
        callback=_run(spec),
        help=f"{spec.summary}.\n\n{example}",
        short_help=spec.summary,
    )
