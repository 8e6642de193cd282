"""How far other systems have been told: what waits in the outbox, and what was lost."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from infra.runtime.database.connections import PLATFORM_SCOPE, Database

_IS_ON = text("SELECT is_on FROM event_switch")
_TOLD = text(
    "SELECT coalesce(max(head.lost), 0)::bigint AS lost,"
    " (SELECT count(*) FROM event_outbox WHERE account_id = :account) AS waiting,"
    " (SELECT min(at) FROM event_outbox WHERE account_id = :account) AS oldest"
    " FROM event_heads head WHERE head.account_id = :account"
)


@dataclass(frozen=True, slots=True)
class Told:
    """Of one account: events that wait, those lost since the first, and since when one waits."""

    waiting: int
    lost: int
    oldest: datetime | None

    def oldest_seconds(self, now: datetime) -> float:
        """Return how long the oldest has waited, 0 if none does."""
        return 0.0 if self.oldest is None else max(0.0, (now - self.oldest).total_seconds())


async def read_events(database: Database) -> dict[str, Told]:
    """Return the state of every account's events, and the platform's; empty while they are off."""
    if not (await database.call(_IS_ON))[0][0]:
        return {}
    found = {}
    for account in (*await database.accounts(), PLATFORM_SCOPE):
        async with database.light_scope(account) as session:
            row = next(iter(await session.sql(_TOLD, {"account": account})))
        found[account] = Told(row.waiting, row.lost, row.oldest)
    return found
