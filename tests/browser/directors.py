"""Directors who can sign in with a password and set up their second factor in the browser."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from activities.adapters.postgres.governance.people import PostgresPeople
from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.settings import Settings
from models.trading.governance.rights import Grant
from models.trading.governance.rights import Role as PersonRole
from tests.support.people import light_hash

GRANTS = (Grant(PersonRole.DIRECTOR), Grant(PersonRole.PLATFORM))


async def bring(database: Database, name: str, grants: Sequence[Grant] = GRANTS) -> None:
    """Let a person have a password; the database is connected as the administrator."""
    await PostgresPeople(database).bring(
        name, name.title(), light_hash(), list(grants), datetime.now(UTC), "aether"
    )


def bring_to(settings: Settings, *names: str) -> None:
    """Let directors have a password in a running stack."""

    async def bring_all() -> None:
        database = Database(database_url(settings, Role.ADMIN))
        try:
            for name in names:
                await bring(database, name)
        finally:
            await database.close()

    asyncio.run(bring_all())
