"""Sessions and API tokens of people, known by the hash of what a request shows."""

import hashlib
import secrets  # noqa: TID251 - secrets are made here
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from activities.adapters.postgres.governance.calls import value_of
from infra.runtime.database.connections import Database
from models.trading.governance.rights import CallerKind, Grant, Rights, Role
from models.trading.governance.sessions import SessionTimes, Standing

REFERENCE_BYTES = 32
_BEFORE_ANY_USE = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PersonSession:
    """A session, whose it is, and what that person has been granted."""

    session_id: str
    user_id: str
    name: str
    display_name: str
    may_enrol: bool
    times: SessionTimes
    rights: Rights


@dataclass(frozen=True, slots=True)
class PersonToken:
    """An API token, whose it is, and what it is limited to."""

    token_id: str
    user_id: str
    name: str
    expires_at: datetime
    rights: Rights


def new_reference() -> str:
    """Return a new secret reference of 256 random bits."""
    return secrets.token_urlsafe(REFERENCE_BYTES)


def reference_hash(reference: str) -> str:
    """Return the hash under which a reference is stored; its 256 bits need no salt."""
    return hashlib.sha256(reference.encode()).hexdigest()


def new_id() -> str:
    """Return a public id that is never used again."""
    return secrets.token_hex(10)


class PostgresSessions:
    """Needs a Database of the role ``aether_api``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def session(self, hashed: str, now: datetime) -> PersonSession | None:
        """Return the session with this hash, also one that has ended; its use is noted."""
        found = await self._call("session_of(:hash, :at)", hash=hashed, at=now)
        if found is None:
            return None
        times = SessionTimes(
            Standing(found["standing"]),
            moment(found["opened_at"]),
            moment(found["used_at"]),
            optional_moment(found["revoked_at"]),
        )
        return PersonSession(
            found["session_id"],
            found["user_id"],
            found["name"],
            found["display_name"],
            found["may_enrol"],
            times,
            Rights(CallerKind.PERSON, grants_in(found["grants"])),
        )

    async def look(self, hashed: str) -> PersonSession | None:
        """Return the same without noting a use."""
        # Its use is noted as of a time that lies behind the last one only.
        return await self.session(hashed, _BEFORE_ANY_USE)

    async def token(self, hashed: str, now: datetime) -> PersonToken | None:
        """Return the API token with this hash, also one that has expired."""
        found = await self._call("access_token_of(:hash, :at)", hash=hashed, at=now)
        if found is None:
            return None
        rights = Rights(
            CallerKind.TOKEN,
            grants_in(found["grants"]),
            frozenset(found["scopes"]),
            frozenset(found["accounts"]),
        )
        expires_at = moment(found["expires_at"])
        return PersonToken(found["token_id"], found["user_id"], found["name"], expires_at, rights)

    async def open_pending(self, user_id: str, now: datetime, address: str, agent: str) -> str:
        """Open a session for whom the password was right; it waits for the second factor."""
        reference = new_reference()
        await self._call(
            "open_pending_session(:user, :hash, :id, :at, :address, :agent)",
            user=user_id,
            hash=reference_hash(reference),
            id=new_id(),
            at=now,
            address=address,
            agent=agent,
        )
        return reference

    async def replace(self, hashed: str, now: datetime, method: str) -> str | None:
        """Give a session a new reference, and full standing; None when it counts no more."""
        reference = new_reference()
        done = await self._call(
            "replace_session(:old, :new, :at, :method)",
            old=hashed,
            new=reference_hash(reference),
            at=now,
            method=method,
        )
        return reference if done else None

    async def revoke(self, hashed: str, session_id: str, now: datetime) -> bool:
        """End a session, of one's own or as a director; False when there is none."""
        return bool(
            await self._call("revoke_session(:hash, :id, :at)", hash=hashed, id=session_id, at=now)
        )

    async def sessions_of(self, hashed: str, user_id: str) -> list[dict[str, Any]]:
        """Return the sessions of a person that count now, newest first."""
        return list(await self._call("list_sessions(:hash, :user)", hash=hashed, user=user_id))

    async def prune(self, before: datetime) -> int:
        """Forget sessions and links that ended before a time; return how many sessions are gone.

        The database keeps what is younger than thirty days, whatever it is asked.
        """
        return int(await self._call("prune_sessions(:before)", before=before))

    async def set_challenge(self, hashed: str, challenge: str) -> None:
        """Keep what a passkey of this session has to sign next."""
        await self._call("set_session_challenge(:hash, :value)", hash=hashed, value=challenge)

    async def take_challenge(self, hashed: str) -> str | None:
        """Return what a passkey has to sign, once."""
        found = await self._call("take_session_challenge(:hash)", hash=hashed)
        return None if found is None else str(found)

    async def make_token(
        self,
        hashed: str,
        token: str,
        label: str,
        scopes: list[str],
        accounts: list[str],
        now: datetime,
        expires_at: datetime,
    ) -> str:
        """Store a new API token of the session's person, and return its id."""
        token_id = new_id()
        await self._call(
            "make_access_token(:hash, :id, :token, :label, CAST(:scopes AS text[]), "
            "CAST(:accounts AS text[]), :at, :expires_at)",
            hash=hashed,
            id=token_id,
            token=reference_hash(token),
            label=label,
            scopes=scopes,
            accounts=accounts,
            at=now,
            expires_at=expires_at,
        )
        return token_id

    async def tokens(self, hashed: str, *, everyone: bool = False) -> list[dict[str, Any]]:
        """Return the API tokens of the session's person, or of everybody for a director."""
        return list(await self._call("list_access_tokens(:hash, :all)", hash=hashed, all=everyone))

    async def revoke_token(self, hashed: str, token_id: str, now: datetime) -> bool:
        """Make an API token worthless; False when there is none that counts."""
        return bool(
            await self._call(
                "revoke_access_token(:hash, :id, :at)", hash=hashed, id=token_id, at=now
            )
        )

    async def _call(self, call: str, **values: Any) -> Any:
        return await value_of(self._database, call, values)


def grants_in(pairs: list[list[str]]) -> tuple[Grant, ...]:
    """Return grants from their stored form."""
    return tuple(Grant(Role(role), account) for role, account in pairs)


def moment(text: str) -> datetime:
    """Return a moment as the database writes it in a document."""
    return datetime.fromisoformat(text)


def optional_moment(text: str | None) -> datetime | None:
    """Return a moment, None where there is none."""
    return None if text is None else moment(text)
