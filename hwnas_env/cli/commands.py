"""The command line ``hwnas-env``: its commands, its errors and its exit status."""

import contextlib
import os
import sys
from typing import Annotated

import typer

from hwnas_env.cli import asking, bench, data, device, searching, studying
from hwnas_env.errors import HWNASError, OwnFunctionError
from hwnas_env.texts import plain, tolerate, write
from hwnas_env.version import __version__

NAME = "hwnas-env"

app = typer.Typer(
    help="Hardware-aware neural architecture search: problems, searches and data.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (
    searching.run,
    asking.envs,
    asking.agents,
    asking.query,
    asking.optimum,
    asking.export,
    studying.analyze,
    studying.reproduce,
):
    app.command()(command)
app.add_typer(data.app, name="data")
app.add_typer(bench.app, name="bench")
app.add_typer(device.app, name="device")

ERROR = 10_000
"""Letters of an error that are printed at most; it may name many files."""


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit


@app.callback()
def _begin(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_say_version,
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Finds what is named "module:Name" in the folder where one stands, too.

    A console script's path lacks it. It comes last, so that no file in it is taken for
    a module of Python or of a package; worker processes are given the same path.
    """
    del version
    with contextlib.suppress(OSError):  # where that folder is gone
        if os.getcwd() not in sys.path:
            sys.path.append(os.getcwd())


def main() -> None:
    """Runs the command line; an expected error is one line and exit status 2.

    What a user's own function raised is one line too, and exit status 1.
    """
    tolerate(sys.stdout)
    try:
        app(prog_name=NAME)
    except (HWNASError, OSError) as error:
        write(f"{NAME}: {plain(str(error), longest=ERROR)}\n", sys.stderr)
        raise SystemExit(1 if isinstance(error, OwnFunctionError) else 2) from None
