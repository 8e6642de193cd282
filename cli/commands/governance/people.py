"""People from the machine: the first link, leaked tokens, recovery, and people from an export."""

import asyncio
import getpass
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from activities.adapters.people.passwords import (
    HashFormatError,
    Passwords,
    check_format,
    password_problem,
)
from activities.adapters.postgres.governance.people import PostgresPeople
from activities.adapters.postgres.governance.sessions import moment
from cli.output.records import database_of
from infra.runtime.database.connections import Role
from infra.runtime.errors import ConfigurationError, StateError
from infra.runtime.settings import Settings
from models.trading.governance.names import display_name_problem, name_problem
from models.trading.governance.passwords import context_words
from models.trading.governance.rights import ALL_ACCOUNTS, Grant
from models.trading.governance.rights import Role as PersonRole
from models.trading.governance.tokens import PATTERN, tokens_in

APPLICATION = "aether-admin"
IMPORT_LIMIT = 1_000_000
"""Bytes of an export: some thousand people."""


def set_up_link() -> None:
    """Print the link by which the first director is set up, once and within 15 minutes."""
    link = asyncio.run(_first_link())
    if link is None:
        raise StateError("there is a director: people are invited by directors")
    typer.echo(set_up_address(Settings(), link))


def revoke_leaked(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files in which tokens were found; - reads them.")
    ] = None,
    *,
    pattern: Annotated[
        bool, typer.Option("--pattern", help="Print the pattern for secret scanners.")
    ] = False,
) -> None:
    """Make every token that stands in a text worthless, whosoever it is."""
    if pattern:
        typer.echo(PATTERN)
        return
    texts = [sys.stdin.read() if str(p) == "-" else _read(p) for p in files or [Path("-")]]
    found = [token for text in texts for token in tokens_in(text)]
    # Tokens of the machine have no form to be found by: each word may be one.
    found += [word for text in texts for word in text.split() if 40 <= len(word) <= 60]
    revoked = asyncio.run(_revoke(list(dict.fromkeys(found)))) if found else []
    for name in revoked:
        typer.echo(f"revoked: {name}")
    if not revoked:
        typer.echo("no token that counts was found")


def recover(
    name: Annotated[str, typer.Argument(help="The director's name.")],
) -> None:
    """Let a director in again who has lost every factor, and whom no other director can help.

    With an account that trades live it takes 24 hours, in which every session can cancel it and no
    entry is made. The same command prints the link when the time has come.
    """
    asked, link = asyncio.run(_recover(name))
    if asked is None:
        raise ConfigurationError(f"{name} is no director of all accounts")
    if link is not None:
        typer.echo(set_up_address(Settings(), link))
        return
    when = moment(asked["effective_at"])
    typer.echo(
        f"{name} can be let in again from {when:%Y-%m-%d %H:%M} UTC on, unless somebody who has "
        f"signed in cancels it: aether admin recover {name}"
    )


def import_people(
    file: Annotated[Path, typer.Argument(help="JSON: a list of people, or one under people.")],
) -> None:
    """Bring administrators from an export: name, password (plain or hashed), roles.

    It may be repeated: who is known by name stays as they are. Each sets up a second factor when
    they sign in for the first time.
    """
    people = _people_in(_read(file))
    brought, known = asyncio.run(_import(people))
    typer.echo(f"{len(brought)} brought, {len(known)} known already")


def set_up_address(settings: Settings, link: str) -> str:
    """Return the address of a link; its secret is in the fragment, which no server is sent."""
    return f"http://localhost:{settings.api_port}/set-up#{link}"


async def _first_link() -> str | None:
    async with database_of(Settings(), APPLICATION, Role.ADMIN) as database:
        return await PostgresPeople(database).first_link(_now(), _machine_user())


async def _revoke(tokens: list[str]) -> list[str]:
    async with database_of(Settings(), APPLICATION, Role.ADMIN) as database:
        return await PostgresPeople(database).revoke_leaked(tokens, _now(), _machine_user())


async def _recover(name: str) -> tuple[dict[str, Any] | None, str | None]:
    async with database_of(Settings(), APPLICATION, Role.ADMIN) as database:
        people = PostgresPeople(database)
        asked = await people.ask_recovery(name, _now(), _machine_user())
        if asked is None:
            return None, None
        link = await people.take_recovery(asked["recovery_id"], _now(), _machine_user())
        return asked, link


async def _import(people: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    brought: list[str] = []
    known: list[str] = []
    passwords = Passwords()
    ready = [(one, await _hash(passwords, one)) for one in people]
    async with database_of(Settings(), APPLICATION, Role.ADMIN) as database:
        for one, hashed in ready:
            new = await PostgresPeople(database).bring(
                one["name"],
                one["display_name"],
                hashed,
                one["grants"],
                _now(),
                _machine_user(),
            )
            (brought if new else known).append(one["name"])
    return brought, known


async def _hash(passwords: Passwords, person: Mapping[str, Any]) -> str:
    if person["hash"] is not None:
        return str(person["hash"])
    words = context_words(person["name"], person["display_name"])
    problem = await password_problem(person["password"], words)
    if problem is not None:
        raise ConfigurationError(f"{person['name']}: {problem}")
    return await passwords.hash(person["password"])


def _people_in(text: str) -> list[dict[str, Any]]:
    """Read an export as a whole, so that a bad person brings nobody."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"the export is no JSON: {error}") from None
    rows = content.get("people") if isinstance(content, dict) else content
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigurationError("the export is a list of people, or an object with people")
    return [_person(number, row) for number, row in enumerate(rows, 1)]


def _person(number: int, row: dict[str, Any]) -> dict[str, Any]:
    where = f"person {number}"
    name = row.get("name") or row.get("username") or row.get("email")
    checked = str(name or "").lower()
    display = str(row.get("display_name") or checked)
    problem = name_problem(checked) or display_name_problem(display)
    if problem is not None:
        raise ConfigurationError(f"{where}: {problem}")
    hashed, plain = row.get("password_hash"), row.get("password")
    if (hashed is None) == (plain is None) or not isinstance(hashed or plain, str):
        raise ConfigurationError(f"{where}: either password or password_hash, as text")
    if hashed is not None:
        try:
            check_format(hashed)
        except HashFormatError as error:
            raise ConfigurationError(f"{where}: {error}") from None
    roles = row.get("roles", ["director"])
    accounts = row.get("accounts", [ALL_ACCOUNTS])
    try:
        grants = [Grant(PersonRole(role), str(a)) for role in roles for a in accounts]
    except (ValueError, TypeError):
        raise ConfigurationError(f"{where}: roles are {', '.join(PersonRole)}") from None
    return {
        "name": checked,
        "display_name": display,
        "hash": hashed,
        "password": plain,
        "grants": grants,
    }


def _read(path: Path) -> str:
    try:
        with path.open() as file:
            text = file.read(IMPORT_LIMIT + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
    if len(text) > IMPORT_LIMIT:
        raise ConfigurationError(f"{path} is larger than {IMPORT_LIMIT} bytes")
    return text


def _machine_user() -> str:
    return f"machine/{getpass.getuser()}"


def _now() -> datetime:
    return datetime.now(UTC)
