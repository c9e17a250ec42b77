"""What a training would do, without doing it."""

from __future__ import annotations

from dataclasses import fields

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from baselines.algorithms.config import ConfigSources
from baselines.runs.blocks import block_plans
from baselines.runs.plan import RunPlan


def print_plan(plan: RunPlan, sources: ConfigSources, out: str, processes: int) -> None:
    """Print a plan: what is played, by what, and every field of the configuration with who sets it.

    Args:
        plan: what would be done.
        sources: who sets the fields of its configuration.
        out: where the run would lie.
        processes: at most so many would train it.
    """
    console = Console(soft_wrap=True, highlight=False)
    for name, text in _facts(plan, out, processes).items():
        console.print(f"{name + ':':<14}{text}", markup=False)
    table = Table("field", "value", "set by", box=SIMPLE_HEAD)
    for field in fields(plan.config):
        table.add_row(field.name, str(getattr(plan.config, field.name)), sources.of(field.name))
    console.print(table)
    console.print("nothing was trained or written: without --dry-run it is")


def _facts(plan: RunPlan, out: str, processes: int) -> dict[str, str]:
    game, config = plan.game(), plan.config
    policy = plan.algorithm.build(config, plan.policy_spec(game))
    parameters = sum(p.numel() for p in policy.parameters())
    blocks = len(block_plans(plan))
    arguments = f" {plan.env_args}" if plan.env_args else ""
    return {
        "algorithm": f"{plan.algorithm.name}, {parameters:,} parameters per run",
        "task": f"{plan.task} ({plan.env_id}{arguments})",
        "agents": f"{', '.join(game.agents)}; priority {_order(plan)}",
        "observation": f"{game.observation_space.shape}, actions {game.action_spaces[0]}",
        "seeds": ", ".join(map(str, plan.seeds)),
        "training": f"{config.updates:,} updates of {config.batch:,} steps, {config.planned_steps:,} per run",
        "device": f"{plan.device}, {plan.workers} workers",
        "processes": f"{min(processes, blocks)}, for {blocks} blocks of seeds",
        "out": out,
    }


def _order(plan: RunPlan) -> str:
    if plan.priority is None:
        return "the game's own"
    return plan.priority if isinstance(plan.priority, str) else " > ".join(plan.priority)
