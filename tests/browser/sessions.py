"""Let a person's sessions end soon: ``python -m tests.browser.sessions NAME SECONDS``.

Twelve hours cannot be waited for; the record is told that they began so long ago.
"""

import asyncio
import sys

from sqlalchemy import text

from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.settings import Settings
from models.trading.governance.sessions import ABSOLUTE

_BEGAN = text(
    """UPDATE person_sessions s SET opened_at = now() + make_interval(secs => :left)
              - make_interval(secs => :whole)
       FROM people p WHERE p.user_id = s.user_id AND p.name = :name AND s.revoked_at IS NULL
       RETURNING s.session_id"""
)


async def end_in(settings: Settings, name: str, seconds: float) -> int:
    """Let every session of a person end in so many seconds; return how many there are."""
    database = Database(database_url(settings, Role.OWNER))
    try:
        async with database.no_scope() as session:
            values = {"left": seconds, "whole": ABSOLUTE.total_seconds(), "name": name}
            ending = list((await session.execute(_BEGAN, values)).all())
            await session.commit()
    finally:
        await database.close()
    return len(ending)


if __name__ == "__main__":
    ENDING = asyncio.run(end_in(Settings(), sys.argv[1], float(sys.argv[2])))
    sys.exit(0 if ENDING else f"{sys.argv[1]} has no session")
