"""`aether process`: stop and start single processes of a running stack."""

from typing import Annotated

import typer

from infra.runtime.settings import Settings
from infra.stack.embedded import Stack

app = typer.Typer(help="Stop or start one process of the running stack.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of a process, as in `aether status`.")]


@app.command()
def stop(name: Name) -> None:
    """Stop a process until it is started again."""
    Stack(Settings()).supervisor.stop_process(name)


@app.command()
def start(name: Name) -> None:
    """Start a stopped process."""
    Stack(Settings()).supervisor.start_process(name)
