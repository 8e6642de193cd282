"""Setting up an installation: its own id, its accounts and the tokens of its API."""

import hashlib
import re
import secrets  # noqa: TID251 - made once for an installation
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4  # noqa: TID251 - made once for an installation

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from activities.adapters.postgres import audit
from infra.runtime.database.connections import Database
from models.tables import PLATFORM, AccountRow, ApiTokenRow, InstallationRow
from models.tables.documents import halts_document, limits_document
from models.trading.account.state import AccountState
from models.trading.governance.subjects import DRIFT, SCHEDULE

INSTALLATION = "installation"
TOKEN_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
"""What a token may be called: its name is the actor in the audit and a part of request ids."""
RESERVED_NAMES = frozenset({"aether", PLATFORM, SCHEDULE, DRIFT})
"""The authors of what the platform does by itself; the database refuses them too."""

TOKEN_LIFE = timedelta(days=90)
LONGEST_TOKEN_DAYS = 365

_CREATE = text("SELECT create_token(:name, :role, :hash, :at, :expires_at, :by)")
_TOKEN_OF = text("SELECT name, role, expires_at FROM token_of(:hash)")
_LIST = text("SELECT * FROM list_tokens()")
_RENEW = text("SELECT renew_token(:name, :expires_at, :by)")
_REVOKE = text("SELECT revoke_token(:name, :at, :by)")


class TokenNameError(ValueError):
    """A token may not have this name."""


async def installation_id(database: Database) -> str:
    """Return the installation's random id, fixed the first time it is asked for."""
    candidate = insert(InstallationRow).values(name=INSTALLATION, value=str(uuid4()))
    async with database.no_scope() as session:
        await session.exec(candidate.on_conflict_do_nothing())
        return (await session.get_one(InstallationRow, INSTALLATION)).value


async def create_account(database: Database, state: AccountState, kind: str, at: datetime) -> bool:
    """Set an account up, audited; False when it exists (it stays as it is).

    Args:
        database: connected as ``aether_admin``.
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
    life: timedelta = TOKEN_LIFE,
) -> str | None:
    """Make a bearer token and return it, the only time it is ever seen; None when the name exists.

    The token has 256 random bits, so its plain SHA-256 cannot be guessed back. One that a secret
    store has made with as many bits may be given. It is worth something for its life. The database
    is connected as ``aether_admin``, as for all that changes tokens.

    Raises:
        TokenNameError: the name could not be told apart in the audit.
    """
    if not TOKEN_NAME.fullmatch(name) or name in RESERVED_NAMES:
        raise TokenNameError(
            f"{name!r} is no name for a token: up to 63 small letters, digits, '.', '_' and '-', "
            f"beginning with a letter or digit, and not {' or '.join(sorted(RESERVED_NAMES))}"
        )
    token = token or secrets.token_urlsafe(32)
    values = {"name": name, "role": role, "hash": token_hash(token), "by": by}
    made = await database.call(_CREATE, values | {"at": at, "expires_at": at + life})
    return token if made[0][0] else None


def token_hash(token: str) -> str:
    """Return the SHA-256 under which a token is stored: its 256 random bits need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Whom a token belongs to, and until when it is worth something."""

    name: str
    role: str
    expires_at: datetime


async def find_token(database: Database, hashed: str) -> TokenHolder | None:
    """Return the holder of the token with this hash; None when unknown or revoked.

    One that has expired is returned too, so that its holder can be told.
    """
    rows = await database.call(_TOKEN_OF, {"hash": hashed})
    return TokenHolder(*rows[0]) if rows else None


async def list_tokens(database: Database) -> list[ApiTokenRow]:
    """Return every token that was ever made, oldest first; of the tokens themselves, hashes."""
    rows = await database.call(_LIST)
    return [ApiTokenRow(**row._asdict()) for row in rows]


async def renew_token(
    database: Database, name: str, expires_at: datetime, *, by: str = "aether"
) -> bool:
    """Let a token be worth something until another time, audited.

    Returns False when there is no such token or it was revoked, which lasts.
    """
    values = {"name": name, "expires_at": expires_at, "by": by}
    return bool((await database.call(_RENEW, values))[0][0])


async def revoke_token(database: Database, name: str, at: datetime, *, by: str = "aether") -> bool:
    """Make a token worthless, audited; its name may not be used again.

    Returns False when there is no such token or it was revoked before.
    """
    rows = await database.call(_REVOKE, {"name": name, "at": at, "by": by})
    return bool(rows[0][0])
