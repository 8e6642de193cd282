"""`aether admin`: what is done to an installation as a whole."""

import asyncio
import base64
import getpass
import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from activities.adapters.postgres.installation import (
    TokenNameError,
    create_token,
    list_tokens,
    revoke_token,
)
from activities.adapters.postgres.journal import PostgresJournal
from cli.records import database_of
from infra.runtime.errors import ConfigurationError, StateError
from infra.runtime.secrets import ExchangeKey, LocalSecretStore
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.runtime.supervision import Supervisor
from infra.runtime.temporal_access import (
    credentials_directory,
    rotate_credentials,
    ui_password,
)
from models.tables.access import ApiTokenRow
from models.trading.limits import Mode

ADMINISTRATOR = "administrator"
APPLICATION = "aether-admin"
SECRET_BYTES = 64

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
def token(
    *,
    name: Annotated[
        str | None, typer.Option("--name", help="Make another token, with this name.")
    ] = None,
) -> None:
    """Print the administrator's token for the API, or make one for a second person.

    A second token is printed this once; only its hash is kept. It is made here and not by the API,
    so that whoever has one token cannot give itself another and agree with itself.
    """
    if name is None:
        store = LocalSecretStore(StateDirectory(Settings().home).secrets)
        typer.echo(store.administrator_token())
        return
    typer.echo(asyncio.run(_make_token(name)))


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


@app.command("live-key")
def live_key(account: Annotated[str, typer.Argument(help="Whose key.")]) -> None:
    """Store an account's key for trading live, asked for so that it is in no command line.

    What the key may do is asked of Kraken when the account wants to go live.
    """
    store = LocalSecretStore(StateDirectory(Settings().home).secrets)
    if account not in asyncio.run(_accounts()):
        raise ConfigurationError(f"there is no account {account}")
    key = typer.prompt("API key", hide_input=True, err=True).strip()
    secret = typer.prompt("Private key", hide_input=True, err=True).strip()
    if not key or not _is_secret(secret):
        raise ConfigurationError("a key is not empty, and its private key is base64 of 64 bytes")
    try:
        store.put_exchange_key(account, Mode.LIVE, ExchangeKey(key, secret))
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    asyncio.run(_record_key(account, key))
    typer.echo(f"the live key of {account} is stored: aether mode conditions {account}")


@app.command()
def tokens(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the tokens that were made, by name; the tokens themselves are not kept."""
    rows = asyncio.run(_tokens())
    if as_json:
        typer.echo(json.dumps([_shown(row) for row in rows]))
        return
    for row in rows:
        state = "valid" if row.revoked_at is None else f"revoked {row.revoked_at:%Y-%m-%d %H:%M}"
        typer.echo(f"{row.name}: {row.role}, made {row.created_at:%Y-%m-%d %H:%M} UTC, {state}")


@app.command("revoke-token")
def revoke(
    name: Annotated[str, typer.Argument(help="Whose token.")],
) -> None:
    """Make a token worthless, within seconds and for good; its name is not used again."""
    asyncio.run(_revoke(name))
    typer.echo(f"the token of {name} is revoked")


async def _make_token(name: str) -> str:
    async with database_of(Settings(), APPLICATION) as database:
        try:
            made = await create_token(database, name, ADMINISTRATOR, _now(), by=_machine_user())
        except TokenNameError as error:
            raise ConfigurationError(str(error)) from None
    if made is None:
        raise ConfigurationError(f"there is or was a token of {name}: choose another name")
    return made


async def _tokens() -> list[ApiTokenRow]:
    async with database_of(Settings(), APPLICATION) as database:
        return await list_tokens(database)


async def _revoke(name: str) -> None:
    async with database_of(Settings(), APPLICATION) as database:
        valid = {row.name for row in await list_tokens(database) if row.revoked_at is None}
        if name not in valid:
            raise ConfigurationError(f"there is no valid token of {name}: aether admin tokens")
        if valid == {name}:
            raise StateError(f"the token of {name} is the last one: make another one first")
        await revoke_token(database, name, _now(), by=_machine_user())


async def _accounts() -> list[str]:
    async with database_of(Settings(), APPLICATION) as database:
        return await database.accounts()


async def _record_key(account: str, key: str) -> None:
    async with database_of(Settings(), APPLICATION) as database:
        details = {"mode": Mode.LIVE.value, "key": f"…{key[-4:]}"}
        journal = PostgresJournal(database)
        await journal.audit(account, _machine_user(), "exchange_key_stored", details, "")


def _is_secret(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == SECRET_BYTES
    except ValueError:
        return False


def _shown(row: ApiTokenRow) -> dict[str, str | None]:
    revoked = None if row.revoked_at is None else row.revoked_at.isoformat()
    made = row.created_at.isoformat()
    return {"name": row.name, "role": row.role, "created_at": made, "revoked_at": revoked}


def _machine_user() -> str:
    # Who works on the machine is known to the machine only; the slash keeps it apart from tokens.
    return f"machine/{getpass.getuser()}"


def _now() -> datetime:
    return datetime.now(UTC)
