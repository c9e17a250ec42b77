"""`stmg completion`: what a shell needs to complete commands, options and environment ids."""

from __future__ import annotations

import rich_click as click
from click.shell_completion import get_completion_class


@click.command(name="completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell: it completes commands, options, ids and folders.

    Append it to ~/.bashrc, for zsh to ~/.zshrc, or for fish write it to ~/.config/fish/completions/stmg.fish;
    new shells know it then.

    Example: stmg completion bash >> ~/.bashrc
    """
    root = ctx.find_root()
    completion = get_completion_class(shell)
    assert completion is not None
    click.echo(completion(root.command, {}, "stmg", "_STMG_COMPLETE").source())
