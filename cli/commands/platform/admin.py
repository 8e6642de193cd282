"""`aether admin`: what is done to an installation as a whole."""

import asyncio
import getpass
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from activities.adapters.postgres.installation import (
    LONGEST_TOKEN_DAYS,
    TOKEN_LIFE,
    TokenNameError,
    create_token,
    list_tokens,
    renew_token,
    revoke_token,
)
from activities.adapters.postgres.orders.quarantine import PostgresQuarantine
from cli.commands.governance import people
from cli.compose_secrets import write_secrets
from cli.output.records import database_of
from infra.runtime.database.connections import Role
from infra.runtime.errors import ConfigurationError, StateError
from infra.runtime.secrets import installation_secrets
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.runtime.temporal.access import credentials_directory, rotate_credentials, ui_password
from infra.stack.embedded import Stack
from infra.stack.machine import place_of
from infra.stack.programs.supervision import Supervisor
from models.tables import QuarantinedWriteRow
from models.tables.governance.access import ApiTokenRow

ADMINISTRATOR = "administrator"
APPLICATION = "aether-admin"
DEFAULT_DAYS = TOKEN_LIFE.days

Days = Annotated[
    int,
    typer.Option(
        "--expires", min=1, max=LONGEST_TOKEN_DAYS, help="Days until the token is worth nothing."
    ),
]

app = typer.Typer(help="The installation as a whole.", no_args_is_help=True)
app.command("set-up-link")(people.set_up_link)
app.command("revoke-leaked")(people.revoke_leaked)
app.command("recover")(people.recover)
app.command("import")(people.import_people)


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
def adopt(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only say what.")] = False,
) -> None:
    """Let a state directory that was moved or restored here run at this place from now on."""
    state = StateDirectory(Settings().home)
    manifest = state.manifest()
    if manifest is None:
        raise ConfigurationError(f"nothing was ever set up in {state.home}")
    if manifest.place in ("", place_of(state.home)):
        typer.echo(f"{state.home} belongs here already")
        return
    if not yes:
        raise ConfigurationError(
            f"this lets {state.home} run here with its exchange keys. The original must never run "
            "again: both would trade with the same keys. To do it: aether admin adopt --yes"
        )
    state.save_manifest(manifest.model_copy(update={"place": place_of(state.home)}))
    typer.echo(f"{state.home} belongs here now: aether up")


@app.command()
def prepare() -> None:
    """Set up state, secrets and the database for processes that somebody else starts.

    For containers: repeating it changes nothing that is there but migrates the database.
    """
    Stack(Settings()).prepare(lambda line: typer.echo(line, err=True))


@app.command("compose-init")
def compose_init(
    host_name: Annotated[str, typer.Argument(help="Name by which people reach the API.")],
    directory: Annotated[Path, typer.Option("--directory", help="Of the compose file.")] = Path(),
) -> None:
    """Write .env and .pgpass for temporal-compose.yml, with random passwords; once only.

    An empty .alertmanager-token too, unless there is one: see the operations page.
    """
    for path in write_secrets(directory, host_name):
        typer.echo(f"wrote {path}, for its owner only")


@app.command()
def token(
    *,
    name: Annotated[
        str | None, typer.Option("--name", help="Make another token, with this name.")
    ] = None,
    expires: Days = DEFAULT_DAYS,
) -> None:
    """Print the machine's own token for the API, or make one for a program on this machine.

    Another token is printed this once; only its hash is kept. Tokens of the machine change only
    accounts in simulation, and approve nothing: that takes people, who sign in.
    """
    if name is None:
        store = installation_secrets(Settings())
        typer.echo(store.administrator_token())
        return
    typer.echo(asyncio.run(_make_token(name, timedelta(days=expires))))


@app.command("temporal-password")
def temporal_password() -> None:
    """Print the password of Temporal's web UI; the name beside it is free."""
    typer.echo(ui_password(credentials_directory(StateDirectory(Settings().home))))


@app.command("rotate-temporal")
def rotate_temporal() -> None:
    """Make Temporal's certificates and the password of its web UI anew; the stack must be down."""
    state = StateDirectory(Settings().home)
    if Supervisor(state.run, state.sockets, state.logs).is_running:
        raise StateError("the stack is running: aether down")
    rotate_credentials(credentials_directory(state))
    typer.echo("the old certificates and password are worth nothing from the next start on")


@app.command()
def tokens(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the tokens that were made, by name; the tokens themselves are not kept."""
    rows = asyncio.run(_tokens())
    if as_json:
        typer.echo(json.dumps([_shown(row) for row in rows]))
        return
    for row in rows:
        used = "never" if row.last_used_at is None else f"{row.last_used_at:%Y-%m-%d %H:%M}"
        made = f"made {row.created_at:%Y-%m-%d %H:%M} UTC, last used {used}"
        typer.echo(f"{row.name}: {row.role}, {made}, {_standing(row)}")


@app.command("renew-token")
def renew(
    name: Annotated[str, typer.Argument(help="Whose token.")], expires: Days = DEFAULT_DAYS
) -> None:
    """Let a token be worth something for so many days from now; one that expired counts again."""
    until = _now() + timedelta(days=expires)
    asyncio.run(_renew(name, until))
    typer.echo(f"the token of {name} is valid until {until:%Y-%m-%d %H:%M} UTC")


@app.command("revoke-token")
def revoke(
    name: Annotated[str, typer.Argument(help="Whose token.")],
) -> None:
    """Make a token worthless, within seconds and for good; its name is not used again."""
    asyncio.run(_revoke(name))
    typer.echo(f"the token of {name} is revoked")


@app.command()
def quarantine(
    *,
    account: Annotated[str, typer.Option("--account", help="Whose write it is.")] = "",
    settle: Annotated[str, typer.Option("--settle", help="The write that it is.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List writes that the record could not hold; with --settle, say that one was dealt with."""
    if settle:
        asyncio.run(_settle(account, settle))
        typer.echo(f"{settle} is settled")
        return
    rows = asyncio.run(_quarantined())
    if as_json:
        typer.echo(json.dumps([row.model_dump(mode="json") for row in rows]))
        return
    for row in rows:
        typer.echo(f"{row.account_id} {row.write_id} {row.step} at {row.at}: {row.reason}")


async def _quarantined() -> list[QuarantinedWriteRow]:
    async with database_of(Settings(), APPLICATION) as database:
        return await PostgresQuarantine(database).standing()


async def _settle(account: str, write: str) -> None:
    async with database_of(Settings(), APPLICATION, Role.ADMIN) as database:
        if not await PostgresQuarantine(database).settle(account, write, _machine_user(), _now()):
            raise ConfigurationError(f"no write {write} of {account or 'no account'} stands")


async def _make_token(name: str, life: timedelta) -> str:
    async with database_of(Settings(), APPLICATION, Role.ADMIN) as database:
        try:
            made = await create_token(
                database, name, ADMINISTRATOR, _now(), by=_machine_user(), life=life
            )
        except TokenNameError as error:
            raise ConfigurationError(str(error)) from None
    if made is None:
        raise ConfigurationError(f"there is or was a token of {name}: choose another name")
    return made


async def _renew(name: str, until: datetime) -> None:
    async with database_of(Settings(), APPLICATION, Role.ADMIN) as database:
        if not await renew_token(database, name, until, by=_machine_user()):
            raise ConfigurationError(f"there is no token of {name} to renew: aether admin tokens")


async def _tokens() -> list[ApiTokenRow]:
    async with database_of(Settings(), APPLICATION, Role.ADMIN) as database:
        return await list_tokens(database)


async def _revoke(name: str) -> None:
    async with database_of(Settings(), APPLICATION, Role.ADMIN) as database:
        rows = [row for row in await list_tokens(database) if row.revoked_at is None]
        valid = {row.name for row in rows if row.expires_at > _now()}
        known = {row.name for row in rows}
        if name not in known:
            raise ConfigurationError(f"there is no valid token of {name}: aether admin tokens")
        if valid == {name}:
            raise StateError(f"the token of {name} is the last one: make another one first")
        await revoke_token(database, name, _now(), by=_machine_user())


def _standing(row: ApiTokenRow) -> str:
    if row.revoked_at is not None:
        return f"revoked {row.revoked_at:%Y-%m-%d %H:%M}"
    word = "expired" if row.expires_at <= _now() else "valid until"
    return f"{word} {row.expires_at:%Y-%m-%d %H:%M}"


def _shown(row: ApiTokenRow) -> dict[str, str | None]:
    times = ("created_at", "expires_at", "last_used_at", "revoked_at")
    shown = {name: getattr(row, name) for name in times}
    return {"name": row.name, "role": row.role} | {
        name: None if at is None else at.isoformat() for name, at in shown.items()
    }


def _machine_user() -> str:
    # Who works on the machine is known to the machine only; the slash keeps it apart from tokens.
    return f"machine/{getpass.getuser()}"


def _now() -> datetime:
    return datetime.now(UTC)
