"""Setting up an installation: its own id, its accounts and the tokens of its API."""

import hashlib
import re
import secrets
from datetime import datetime
from uuid import uuid4

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from activities.adapters.postgres import audit
from infra.runtime.database import Database
from models.tables import PLATFORM, AccountRow, ApiTokenRow, PlatformSettingRow
from models.tables.documents import halts_document, limits_document
from models.trading.account_state import AccountState

INSTALLATION = "installation"
TOKEN_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
"""What a token may be called: its name is the actor in the audit and a part of request ids."""
RESERVED_NAMES = frozenset({"aether", PLATFORM})
"""The actors of what the platform does by itself."""


class TokenNameError(ValueError):
    """A token may not have this name."""


async def installation_id(database: Database) -> str:
    """Return the installation's random id, fixed the first time it is asked for."""
    candidate = insert(PlatformSettingRow).values(name=INSTALLATION, value=str(uuid4()))
    async with database.no_scope() as session:
        await session.exec(candidate.on_conflict_do_nothing())
        return (await session.get_one(PlatformSettingRow, INSTALLATION)).value


async def create_account(database: Database, state: AccountState, kind: str, at: datetime) -> bool:
    """Set an account up, audited; False when it exists (it stays as it is).

    Args:
        database: connected as ``aether_app``.
        state: the account's name, installation, mode, protection, limits and strategies.
        kind: ``company`` or ``director``.
        at: protocol time.
    """
    values = {
        "account_id": state.account,
        "kind": kind,
        "installation": state.installation,
        "mode": state.mode.value,
        "protection": state.protection.value,
        "strategies": list(state.strategies),
        "limits": limits_document(state.limits),
        "halts": halts_document(state.halts),
        "next_trade": state.next_trade,
        "closed_trades": state.closed_trades,
        "created_at": at,
        "updated_at": at,
    }
    new = insert(AccountRow).values(values).on_conflict_do_nothing()
    async with database.account_scope(state.account) as session:
        created = await session.exec(new.returning(col(AccountRow.account_id)))
        if created.first() is None:
            return False
        details = {"kind": kind, "mode": state.mode.value}
        await audit.append(session, state.account, "aether", "account_created", details)
        return True


async def create_token(
    database: Database,
    name: str,
    role: str,
    at: datetime,
    token: str | None = None,
    *,
    by: str = "aether",
) -> str | None:
    """Make a bearer token and return it, the only time it is ever seen; None when the name exists.

    The token has 256 random bits, so its plain SHA-256 cannot be guessed back. One that a secret
    store has made with as many bits may be given.

    Raises:
        TokenNameError: the name could not be told apart in the audit.
    """
    if not TOKEN_NAME.fullmatch(name) or name in RESERVED_NAMES:
        raise TokenNameError(
            f"{name!r} is no name for a token: up to 63 small letters, digits, '.', '_' and '-', "
            f"beginning with a letter or digit, and not {' or '.join(sorted(RESERVED_NAMES))}"
        )
    token = token or secrets.token_urlsafe(32)
    values = {"name": name, "role": role, "token_hash": token_hash(token), "created_at": at}
    new = insert(ApiTokenRow).values(values).on_conflict_do_nothing()
    async with database.platform_scope() as session:
        if (await session.exec(new.returning(col(ApiTokenRow.name)))).first() is None:
            return None
        details = {"name": name, "role": role}
        await audit.append(session, PLATFORM, by, "token_created", details)
    return token


def token_hash(token: str) -> str:
    """Return the SHA-256 under which a token is stored: its 256 random bits need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


async def find_token(database: Database, hashed: str) -> ApiTokenRow | None:
    """Return name and role of the token with this hash; None when unknown or revoked."""
    query = select(ApiTokenRow).where(
        ApiTokenRow.token_hash == hashed, col(ApiTokenRow.revoked_at).is_(None)
    )
    async with database.no_scope() as session:
        return (await session.exec(query)).first()


async def list_tokens(database: Database) -> list[ApiTokenRow]:
    """Return every token that was ever made, oldest first; of the tokens themselves, hashes."""
    query = select(ApiTokenRow).order_by(col(ApiTokenRow.created_at), col(ApiTokenRow.name))
    async with database.no_scope() as session:
        return list((await session.exec(query)).all())


async def revoke_token(database: Database, name: str, at: datetime, *, by: str = "aether") -> bool:
    """Make a token worthless, audited; its name may not be used again.

    Returns False when there is no such token or it was revoked before.
    """
    async with database.platform_scope() as session:
        row = await session.get(ApiTokenRow, name, with_for_update=True)
        if row is None or row.revoked_at is not None:
            return False
        row.revoked_at = at
        await audit.append(session, PLATFORM, by, "token_revoked", {"name": name})
        return True
