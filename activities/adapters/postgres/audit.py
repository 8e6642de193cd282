"""The audit log: appending to a chain, and verifying that nobody rewrote it."""

from dataclasses import dataclass

from sqlalchemy import text

from activities.adapters.postgres.acting import REQUEST_ID, TOKEN_HASH
from activities.adapters.postgres.record.rows import ROW_FIELDS, recorded_row
from infra.runtime.database.connections import Database, SqlSession
from models.tables.governance.governance import PLATFORM
from models.trading.governance.record.rows import FIRST_HASH, RecordedRow

_APPEND = text(
    """SELECT append_audit(:account, :actor, :action, CAST(:names AS text[]),
              CAST(:values AS text[]), :correlation, :once, :token)"""
)
_REQUEST = text("SELECT set_config('aether.request', :request, true)")
_ROWS = text(
    f"""SELECT {ROW_FIELDS} FROM audit_log a WHERE account_id = :account AND sequence > :after
        ORDER BY sequence LIMIT 5000"""  # noqa: S608
)
_HEAD = text("SELECT sequence, hash FROM audit_heads WHERE account_id = :account")


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What verifying one chain found; ``broken_at`` is the first row that does not hold."""

    account: str
    rows: int
    broken_at: int | None = None
    reason: str = ""

    @property
    def intact(self) -> bool:
        """Tell whether every row holds."""
        return self.broken_at is None


async def append(
    session: SqlSession,
    account: str,
    actor: str,
    action: str,
    details: dict[str, str],
    correlation: str = "",
    *,
    once: bool = False,
) -> None:
    """Append to the chain of the account whose scope the session is in, in its transaction.

    With ``once`` a row that the chain already holds is not added again: what a retried step wrote
    before its answer was lost. Details or correlation must then tell real repetitions apart.

    The database checks the actor against the connection's role and, for the API, against the token
    that the request has shown: another one is refused with SQLSTATE ``AE003``.
    """
    values = {
        "account": account,
        "actor": actor,
        "action": action,
        "names": list(details.keys()),
        "values": list(details.values()),
        "correlation": correlation,
        "once": once,
        "token": TOKEN_HASH.get(),
    }
    if request := REQUEST_ID.get():
        await session.sql(_REQUEST, {"request": request})
    await session.sql(_APPEND, values)


async def verify_chain(database: Database, account: str) -> ChainReport:
    """Recompute an account's chain (or ``platform``'s) and name the first broken row.

    The hashes are computed here, from the documented text, not by the database's own functions.
    """
    sequence, previous = 0, FIRST_HASH
    async with database.account_scope(account) as session:
        # The head first: rows appended meanwhile may follow it, none before it may be missing.
        head = (await session.sql(_HEAD, {"account": account})).first()
        while True:
            page = await session.sql(_ROWS, {"account": account, "after": sequence})
            rows = [recorded_row(row) for row in page.all()]
            for row in rows:
                reason = _fault(sequence + 1, previous, row)
                if reason:
                    return ChainReport(account, sequence, sequence + 1, reason)
                sequence, previous = sequence + 1, row.hash
                if head is not None and sequence == head.sequence and previous != head.hash:
                    return ChainReport(account, sequence, sequence, "differs from the chain's head")
            if not rows:
                break
    if head is None and sequence:
        return ChainReport(account, sequence, sequence, "the chain's head is missing")
    if head is not None and sequence < head.sequence:
        return ChainReport(account, sequence, sequence + 1, "rows are missing at the end")
    return ChainReport(account, sequence)


async def verify_chains(database: Database) -> list[ChainReport]:
    """Verify the platform's chain and every account's."""
    return [await verify_chain(database, chain) for chain in [PLATFORM, *await database.accounts()]]


def _fault(expected: int, previous: str, row: RecordedRow) -> str:
    if row.sequence != expected:
        return "a row is missing"
    if row.previous_hash != previous:
        return "does not follow the row before it"
    return "" if row.chain_hash() == row.hash else "its content was changed"
