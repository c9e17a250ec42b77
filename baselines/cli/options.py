"""Options that several commands share, and the values they take."""

from __future__ import annotations

import json
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

import rich_click as click
from click.shell_completion import CompletionItem

from baselines.algorithms.config import RunConfig
from stmg_envs.arguments import MOST_THREADS
from stmg_envs.protocol import default_threads
from stmg_envs.registry import REGISTRY


class Assignment(click.ParamType[tuple[str, Any]]):
    """`name=value`; the value is JSON where it parses as JSON, else text."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Any]:
        if isinstance(value, tuple):
            return value
        name, separator, text = str(value).partition("=")
        if not separator or not name:
            self.fail(f"{value!r} is no assignment; expected name=value, for instance k=-100", param, ctx)
        try:
            return name, json.loads(text)
        except json.JSONDecodeError:
            return name, text
        except ValueError:
            self.fail(f"{text[:20]}... has {len(text)} digits; expected a number of fewer", param, ctx)


class EnvId(click.ParamType[str]):
    """An environment id; shells complete those of this package."""

    name = "env_id"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        # By name alone: nobody's code runs because somebody presses a key.
        return [CompletionItem(id) for id in REGISTRY.names() if id.startswith(incomplete)]


class Seeds(click.ParamType[int | tuple[int, ...]]):
    """A number of seeds, or the seeds themselves separated by commas."""

    name = "seeds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | tuple[int, ...]:
        if isinstance(value, (int, tuple)):
            return value
        try:
            numbers = tuple(int(part) for part in str(value).split(",") if part)
        except ValueError:
            numbers = ()
        if not numbers:
            self.fail(f"{value!r} names no seeds; expected a number (32) or a list (3,5,8)", param, ctx)
        return numbers if "," in str(value) else numbers[0]


ENV_ARG: dict[str, Any] = {
    "type": Assignment(),
    "multiple": True,
    "help": "argument of the game, for instance k=-100; may be repeated",
}
"""What `--env-arg` is, for commands that are put together from their parameters."""

env_arg = click.option("--env-arg", "env_args", **ENV_ARG)

WORKERS: dict[str, Any] = {
    "type": click.IntRange(min=0),
    "help": "processes that step the environments of an engine (highway-env, Gymnasium, ...); 0 steps them "
    "in this one",
}
"""What `--workers` is."""


THREADS: dict[str, Any] = {
    "type": click.IntRange(1, MOST_THREADS),
    "default": default_threads,
    "show_default": "OMP_NUM_THREADS, or 1",
    "help": "torch threads",
}
"""What `--threads` is."""

PROCESSES: dict[str, Any] = {
    "type": click.IntRange(min=1),
    "show_default": "as many as cores and blocks of 16 seeds",
    "help": "among which the seeds are divided; they change no result",
}
"""What `--processes` is."""

TRUST: dict[str, Any] = {
    "is_flag": True,
    "help": "import the module that the run's files name (pettingzoo/<module>), whatever it does",
}
"""What `--trust` is."""

WANDB: dict[str, Any] = {"metavar": "PROJECT", "help": "log to Weights & Biases too; extra wandb"}
"""What `--wandb` is."""

OUT: dict[str, Any] = {"type": click.Path(file_okay=False), "help": "run directory; must not exist yet"}
"""What `--out` is where a run is made."""

priority = click.option("--priority", help="agent names, first to decide first: agent_1,agent_0")


def config_options(config_class: type[RunConfig]) -> list[click.Option]:
    """A flag for every field of a configuration that has a default."""
    hints = get_type_hints(config_class, include_extras=True)
    return [
        _field_option(field, hints[field.name])
        for field in fields(config_class)
        if field.default is not MISSING
    ]


def config_panels(config_class: type[RunConfig]) -> list[click.RichOptionPanel]:
    """Panels of these flags for help: one for every class that brings fields, the most general one first."""
    panels, known = [], set[str]()
    for family in reversed(config_class.mro()):
        own = (
            [field.name for field in fields(family) if field.name not in known]
            if is_dataclass(family)
            else []
        )
        known |= set(own)
        title = (
            (family.__doc__ or "")
            .partition(".")[0]
            .removeprefix("Fields of ")
            .removeprefix("Configuration of ")
        )
        if own:
            panels.append(click.RichOptionPanel(title[:1].upper() + title[1:], options=own))
    return panels


def _field_option(field: Field[Any], hint: Any) -> click.Option:
    """The flag of a configuration field; unless it is given, presets show through."""
    kind, info = get_args(hint)[:2]
    flag = f"--{field.name.replace('_', '-')}"
    if kind is bool:
        flag = f"{flag}/--no-{field.name.replace('_', '-')}"
    if get_origin(kind) is Literal:
        kind = click.Choice(get_args(kind))
    return click.Option([flag, field.name], type=kind, default=None, show_default=True, help=info.description)
