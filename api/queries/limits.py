"""How near an account is to its limits, from the record and the last prices."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from api.queries.accounts import Snapshots
from infra.runtime.database.connections import Database
from models.tables import AccountStateRow
from models.tables.documents import account_state
from models.trading.risk.standing import LimitStanding, limits_at


async def account_limits_now(
    database: Database, account: str, market: Snapshots
) -> tuple[LimitStanding, ...]:
    """Return every limit of an account; nothing before it was written down first."""
    async with database.account_scope(account) as session:
        row = await session.get(AccountStateRow, account)
    if row is None:
        return ()
    prices = {symbol: figures.last for symbol, figures in market.items()}
    return limits_at(account_state(row.state), prices)


def nearest(limits: Sequence[LimitStanding]) -> dict[str, Any]:
    """Return the limit that is nearest to its hard level; one that is not known comes first."""
    if not limits:
        return {"nearest_limit": None, "nearest_limit_used": None}
    unknown = [limit for limit in limits if limit.used is None]
    limit = unknown[0] if unknown else max(limits, key=lambda one: one.used or Decimal(0))
    name = f"{limit.name} of {limit.subject}" if limit.subject else limit.name
    if limit.used is None:
        name += " (not known)"
    return {"nearest_limit": name, "nearest_limit_used": limit.used}
