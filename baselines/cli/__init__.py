"""The command line: `stmg <command>`, one file per command."""

from __future__ import annotations

import difflib
import errno
import importlib
import sys
import threading
from typing import Any, NoReturn

import rich_click as click

from baselines.cli.encoding import print_anywhere

COMMANDS = {
    "envs": "list the environments",
    "solve": "print a game's payoff table with its equilibria",
    "train": "train a population of runs",
    "distill": "train decentralised students of a run's policies",
    "evaluate": "evaluate a run's policies greedily",
    "llm": "have language models play, replay what they said, show it",
    "runs": "list runs and compare them",
    "report": "write a run's report as one HTML page",
    "zoo": "list trained policies, or add one from a run",
    "leaderboard": "compare results files on a small web site",
    "reproduce": "regenerate a published table, continue doing so, or check it",
    "completion": "let a shell complete commands, options and ids",
}


class InvalidCall(click.ClickException):
    """One of this project's errors, said in one line."""

    exit_code = 2


class CommandGroup(click.RichGroup):
    """Loads a command when it is called and turns this project's errors into one clear line.

    Lists of commands, for help and completion, are made of `COMMANDS` alone, as commands import for seconds.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return click.Command(name, short_help=COMMANDS[name]) if name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, *rest = args
        if name in COMMANDS:
            command: click.Command = importlib.import_module(f"baselines.cli.{name}").command
            return name, command, rest
        if ctx.resilient_parsing:
            return None, None, rest
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Expected one of {', '.join(COMMANDS)}."
        ctx.fail(f"No such command {name!r}. {hint}")

    def main(self, *args: Any, **kwargs: Any) -> Any:
        print_anywhere()
        threading.excepthook = _of_threads
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            from stmg_envs.errors import STMGError

            sentence = str(error) if isinstance(error, STMGError) else _of_the_machine(error)
            if sentence is None:
                raise
            _refuse(ctx, sentence)


def _refuse(ctx: click.Context, sentence: str) -> NoReturn:
    """End a command with what is wrong: in a frame on a terminal, elsewhere in one line that is the last."""
    if sys.stderr.isatty():
        raise InvalidCall(sentence) from None
    click.echo(f"Error: {sentence}", err=True)
    ctx.exit(InvalidCall.exit_code)


def _of_threads(told: threading.ExceptHookArgs) -> None:
    """Leave it to the main thread to say what its writers' threads could not write: it gets their errors."""
    if not isinstance(told.exc_value, OSError):
        threading.__excepthook__(told)


def _of_the_machine(error: Exception) -> str | None:
    """What to say where a machine cannot do more, None for other errors, and for readers that have gone."""
    if isinstance(error, OSError) and error.errno != errno.EPIPE and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        return f"{error.strerror}{where}; what was written before is whole"
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return "memory has ended; use fewer seeds or environments, a smaller network, or a larger machine"
    if isinstance(error, RecursionError):
        return "an argument or a file has too many levels, lists within lists; make it flatter"
    return None


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="stmg", prog_name="stmg")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Games with sequential decisions inside a timestep, and learners for them.

    Example: stmg train steer stmg/Penalty-v0 --env-arg k=-100 --seeds 16 --out runs/penalty
    """
    # Here, for neither help nor completion needs it.
    import torch

    from baselines.cli.plugin_warnings import in_one_line
    from stmg_envs.protocol import default_threads

    torch.set_num_threads(default_threads())
    ctx.with_resource(in_one_line())
