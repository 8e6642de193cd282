"""How long answered requests are remembered."""

from datetime import datetime

from sqlalchemy import text

from infra.runtime.database.connections import Database

BATCH = 2_000
_PRUNE = text("SELECT prune_requests(:before, :limit)")


async def prune_requests(database: Database, before: datetime) -> int:
    """Forget the requests from before a time in batches; return how many are gone.

    The database keeps what is younger than thirty days, whatever it is asked.
    """
    gone = 0
    while True:
        rows = await database.call(_PRUNE, {"before": before, "limit": BATCH})
        deleted = int(rows[0][0])
        gone += deleted
        if deleted < BATCH:
            return gone
