"""The command group: options that stand anywhere, and errors as one sentence."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Literal

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from arxiv_core.cli import failures

if TYPE_CHECKING:
    from typer._click import Context

__all__ = ["Commands", "Form", "Level"]

Level = Literal["debug", "info", "warning", "error"]

Form = Literal["auto", "human", "json"]
"""How log records are written."""

VALUED = ("--log-level", "--log-format")
"""Options of every command that take a value."""


class Commands(TyperGroup):
    """Runs a command and turns what it raises into one sentence and an exit code."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Take the options of every command from wherever they stand."""
        return super().parse_args(ctx, _hoisted(args))

    def invoke(self, ctx: Context) -> object:
        """Run the command; explain what it raises."""
        try:
            return super().invoke(ctx)
        except (Exception, KeyboardInterrupt) as error:
            if _is_typers_own(error) or (ctx.params.get("debug") and isinstance(error, Exception)):
                raise
            code, sentence = failures.explain(error)
            typer.echo(f"arxiv-core: {sentence}", err=True)
            raise typer.Exit(code) from error


def _is_typers_own(error: BaseException) -> bool:
    # A reader that closes the pipe early (`| head`) is typer's to end quietly.
    broken_pipe = isinstance(error, OSError) and error.errno == errno.EPIPE
    return broken_pipe or isinstance(error, (TyperException, typer.Exit, typer.Abort))


def _hoisted(args: list[str]) -> list[str]:
    """Move the options of every command to the front, where the group reads them."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == "--debug" or word.startswith(tuple(f"{name}=" for name in VALUED)):
            front.append(word)
        elif word in VALUED:
            front += [word, *([value] if (value := next(words, None)) is not None else [])]
        else:
            rest.append(word)
    return front + rest
