"""`aether admin`: what is done to an installation as a whole."""

from typing import Annotated

import typer

from infra.runtime.errors import ConfigurationError, StateError
from infra.runtime.secrets import LocalSecretStore
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.runtime.supervision import Supervisor

app = typer.Typer(help="The installation as a whole.", no_args_is_help=True)


@app.command()
def reset(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only say what.")] = False,
) -> None:
    """Set the state directory aside, so that the next start begins afresh. Deletes nothing."""
    state = StateDirectory(Settings().home)
    if not state.home.exists():
        raise ConfigurationError(f"there is no state in {state.home}")
    if Supervisor(state.run, state.sockets, state.logs).is_running:
        raise StateError("the stack is running: aether down")
    if not yes:
        raise ConfigurationError(
            f"this renames {state.home}, with all accounts, positions, history and keys, and the "
            "next start begins with new accounts. To do it: aether admin reset --yes"
        )
    typer.echo(f"{state.home} is now {state.move_aside()}")


@app.command()
def token() -> None:
    """Print the administrator's token for the API."""
    typer.echo(LocalSecretStore(StateDirectory(Settings().home).secrets).administrator_token())
