"""Positions of all accounts that no stop covers yet, as the record shows them."""

from collections.abc import Sequence

from sqlalchemy import text

from infra.runtime.database.connections import Database
from models.trading.risk.protection_backlog import WaitingPosition

_WAITING = text("SELECT account_id, trade, seconds FROM positions_waiting_for_protection()")


async def read_waiting(database: Database) -> Sequence[WaitingPosition]:
    """Return every uncovered position with the seconds since its first entry fill was recorded.

    Raises:
        DatabaseUnavailableError: the record does not answer.
    """
    rows = await database.call(_WAITING)
    return [WaitingPosition(row.account_id, row.trade, float(row.seconds)) for row in rows]
