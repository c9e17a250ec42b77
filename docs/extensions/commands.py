"""The page of the command line, from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import rich_click as click
from sphinx.application import Sphinx

from baselines.algorithms.registry import ALGORITHMS
from baselines.cli import main
from baselines.cli.train import AlgorithmCommands
from extensions.pages import code, table, write_page

EXAMPLE = "Example: "


def help_text(command: click.Command) -> Iterator[str]:
    """What a command says of itself, its example as code."""
    for paragraph in (command.help or "").split("\n\n"):
        text = " ".join(paragraph.split())
        yield f"```bash\n{text.removeprefix(EXAMPLE)}\n```" if text.startswith(EXAMPLE) else text


def option_row(context: click.Context, option: click.Option) -> tuple[str, str]:
    """The flags of an option and what it does."""
    flags = ", ".join(code(flag) for flag in (*option.opts, *option.secondary_opts))
    default = option.get_default(context)
    shown = f" (default: {code(default)})" if option.show_default and default is not None else ""
    return flags, f"{option.help or ''}{shown}"


def section(command: click.Command, name: str, left_out: frozenset[str] = frozenset()) -> Iterator[str]:
    """The part of the page that describes one command."""
    context = click.Context(command, info_name=name)
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"## {name}"
    yield f"```text\n{name} {usage}\n```"
    yield from help_text(command)
    options = [
        param for param in command.params if isinstance(param, click.Option) and param.name not in left_out
    ]
    if options:
        yield table(("Option", "Meaning"), (option_row(context, option) for option in options))


def page() -> Iterator[str]:
    """The parts of the page."""
    yield "# Command line"
    root = click.Context(main, info_name="stmg")
    yield from help_text(main)
    for name in main.list_commands(root):
        _, command, _ = main.resolve_command(root, [name])
        assert command is not None
        yield from section(command, f"stmg {name}")
        if isinstance(command, AlgorithmCommands):
            yield from training(command)
        elif isinstance(command, click.Group):
            for child in command.commands.values():
                yield from section(child, f"stmg {name} {child.name}")


def training(group: AlgorithmCommands) -> Iterator[str]:
    """What all algorithms have in common: their fields are on their own pages."""
    name, spec = next(iter(ALGORITHMS.items()))
    own = frozenset(field.name for field in fields(spec.config_class)) | {"preset"}
    command = group.get_command(click.Context(group), name)
    assert command is not None
    yield from (
        part for part in section(command, "stmg train ALGORITHM ENV_ID", own) if part.startswith(("##", "|"))
    )
    yield (
        "`--preset` names settings, by default those of the environment's family. Every field of the "
        "configuration is a flag too: [algorithms](algorithms.md) has the fields and the presets of each."
    )


def write_pages(app: Sphinx) -> None:
    """Write the page."""
    write_page(app, "commands", page())


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the page before Sphinx looks for files."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
