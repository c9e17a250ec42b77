"""Help of `stmg train ALGORITHM [ENV_ID]`: flags in groups, with the defaults of the environment."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import rich_click as click

from baselines.algorithms.config import config_dict
from baselines.algorithms.spec import AlgorithmSpec
from baselines.runs.plan import resolve_plan
from stmg_envs.errors import STMGError

PANELS = [
    click.RichOptionPanel("What", options=["seeds", "env_args", "priority", "preset"]),
    click.RichOptionPanel("Where", options=["out", "resume", "wandb", "dry_run"]),
    click.RichOptionPanel("Machine", options=["device", "processes", "threads", "workers"]),
]
"""Groups of the flags that are no configuration's."""
WORDS = "stmg.words"


class TrainCommand(click.RichCommand):
    """The command of one algorithm.

    Args:
        spec: the algorithm.
        **how: of a command.
    """

    def __init__(self, spec: AlgorithmSpec, **how: Any) -> None:
        super().__init__(**how)
        self.spec = spec

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[WORDS] = tuple(args)
        return super().parse_args(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        """The help; defaults are those of the environment named on the command line, if there is one."""
        ctx.default_map = applicable_defaults(self.spec, ctx.meta.get(WORDS, ()))
        return super().get_help(ctx)


def applicable_defaults(spec: AlgorithmSpec, words: tuple[str, ...]) -> dict[str, Any]:
    """Field -> what it stands at where a command line does not give it.

    Args:
        spec: the algorithm.
        words: of the command line behind the algorithm's name.
    """
    preset = next((after for word, after in pairwise(words) if word == "--preset"), None)
    for word in words:
        try:
            if not word.startswith("-"):
                return config_dict(resolve_plan(spec.name, word, preset=preset).config)
        except STMGError:
            # Not the environment: some option's value.
            continue
    return config_dict(spec.config_class(**spec.fixed))
