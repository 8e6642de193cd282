"""The record of exchange keys in PostgreSQL."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from activities.adapters.postgres import audit
from activities.adapters.postgres.accounts.key_custody import KeyTakenError
from activities.ports.secrets import KeptKey, NotApprovedError, key_fingerprint
from infra.runtime.database.connections import Database, RecordSession
from models.tables.governance.exchange_keys import ExchangeKeyRow
from models.trading.governance.exchange_keys import IN_USE, REMOVED, REPLACED, VALID
from models.trading.risk.limits import Mode

SHOWN = 4
_CLAIM = text("SELECT claim_exchange_key(:account, :fingerprint)")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('aether.exchange_keys.' || :account))")


class PostgresExchangeKeys:
    """Needs a Database of the role ``aether_api`` or ``aether_app``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keys(self, account: str) -> list[KeptKey]:
        """Return all keys of an account, newest first."""
        query = select(ExchangeKeyRow).order_by(
            col(ExchangeKeyRow.mode), col(ExchangeKeyRow.number).desc()
        )
        async with self._database.account_scope(account) as session:
            return [_kept(row) for row in (await session.exec(query)).all()]

    async def store(
        self,
        account: str,
        mode: Mode,
        key: str,
        permissions: frozenset[str],
        by: str,
        at: datetime,
        put: Callable[[], Awaitable[None]],
        approval: str | None = None,
    ) -> KeptKey:
        """Write that a key is in use from now on, audited; ``put`` is done before it counts."""
        fingerprint = key_fingerprint(key)
        async with self._database.account_scope(account) as session:
            await session.sql(_LOCK, {"account": account})
            claim = {"account": account, "fingerprint": fingerprint}
            if not (await session.sql(_CLAIM, claim)).scalar_one():
                raise KeyTakenError("this key belongs, or belonged, to another account")
            rows = await _of_mode(session, mode)
            before = next((row for row in rows if row.state == IN_USE), None)
            if before is not None:
                before.state, before.ended_at = REPLACED, at
                await session.flush()
            row = ExchangeKeyRow(
                account_id=account,
                mode=mode.value,
                number=1 + max((row.number for row in rows), default=0),
                fingerprint=fingerprint,
                ending=key[-SHOWN:],
                state=IN_USE,
                stored_at=at,
                stored_by=by,
                permissions=sorted(permissions),
                validated_at=at,
                validation=VALID,
                approval_id=approval,
            )
            session.add(row)
            await _approved(session)
            details = {"mode": mode.value, "key": f"…{row.ending}", "number": str(row.number)}
            if before is not None:
                details |= {"replaces": f"…{before.ending}"}
            if approval is not None:
                details |= {"approval": approval}
            action = "exchange_key_stored" if before is None else "exchange_key_rotated"
            await audit.append(session, account, by, action, details)
            await put()
            return _kept(row)

    async def end(
        self, account: str, mode: Mode, by: str, at: datetime, put: Callable[[], Awaitable[None]]
    ) -> KeptKey | None:
        """Write that the key in use is removed, audited; None when there is none."""
        async with self._database.account_scope(account) as session:
            await session.sql(_LOCK, {"account": account})
            rows = await _of_mode(session, mode)
            row = next((row for row in rows if row.state == IN_USE), None)
            if row is None:
                return None
            row.state, row.ended_at = REMOVED, at
            await session.flush()
            details = {"mode": mode.value, "key": f"…{row.ending}", "number": str(row.number)}
            await audit.append(session, account, by, "exchange_key_removed", details)
            await put()
            return _kept(row)

    async def validated(
        self,
        key: KeptKey,
        permissions: frozenset[str] | None,
        validation: str,
        by: str,
        at: datetime,
    ) -> KeptKey:
        """Write what a validation found; audited where it found something else than before."""
        async with self._database.account_scope(key.account) as session:
            row = await _row(session, key)
            found = row.permissions if permissions is None else sorted(permissions)
            if (row.validation, row.permissions) != (validation, found):
                details = {
                    "mode": key.mode.value,
                    "key": f"…{key.ending}",
                    "found": validation,
                    "before": row.validation,
                    "rights": ", ".join(found),
                }
                await audit.append(session, key.account, by, "exchange_key_validated", details)
            row.permissions, row.validation, row.validated_at = found, validation, at
            await session.flush()
            return _kept(row)

    async def taken_up(self, key: KeptKey, at: datetime) -> None:
        """Write, audited, that the trading process uses a key from now on."""
        async with self._database.account_scope(key.account) as session:
            row = await _row(session, key)
            details = {"mode": key.mode.value, "key": f"…{key.ending}", "number": str(key.number)}
            await audit.append(session, key.account, "aether", "exchange_key_taken_up", details)
            row.trading_since = at

    async def reminded(self, key: KeptKey, days: int, at: datetime) -> None:
        """Write, audited, that people were reminded of an old key."""
        async with self._database.account_scope(key.account) as session:
            row = await _row(session, key)
            details = {"mode": key.mode.value, "key": f"…{key.ending}", "days": str(days)}
            await audit.append(session, key.account, "aether", "exchange_key_old", details)
            row.reminded_at = at


async def _approved(session: RecordSession) -> None:
    """Write a key; the database refuses one that nobody has approved, or whose approval is used."""
    try:
        await session.flush()
    except DBAPIError as error:
        cause = error.orig
        used = isinstance(cause, psycopg.errors.UniqueViolation) and (
            cause.diag.constraint_name == "one_key_for_an_approval"
        )
        if used:
            raise NotApprovedError("the approval was for one key, which has been stored") from None
        if getattr(cause, "sqlstate", None) == "AE003":
            raise NotApprovedError("nobody else has approved this key") from None
        raise


async def _of_mode(session: RecordSession, mode: Mode) -> list[ExchangeKeyRow]:
    query = select(ExchangeKeyRow).where(ExchangeKeyRow.mode == mode.value)
    return list((await session.exec(query)).all())


async def _row(session: RecordSession, key: KeptKey) -> ExchangeKeyRow:
    place = (key.account, key.mode.value, key.number)
    return await session.get_one(ExchangeKeyRow, place)


def _kept(row: ExchangeKeyRow) -> KeptKey:
    return KeptKey(
        row.account_id,
        Mode(row.mode),
        row.number,
        row.fingerprint,
        row.ending,
        row.state,
        row.stored_at,
        row.stored_by,
        row.ended_at,
        frozenset(row.permissions),
        row.validated_at,
        row.validation,
        row.trading_since,
        row.reminded_at,
    )
