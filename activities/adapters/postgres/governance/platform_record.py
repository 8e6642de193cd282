"""The record of the platform's workflow: settings and universe together."""

from datetime import datetime

from sqlalchemy import text

from activities.adapters.postgres.governance.platform_settings import PostgresPlatformSettings
from activities.adapters.postgres.governance.standing import GovernanceStanding
from activities.adapters.postgres.governance.universe_changes import PostgresUniverseChanges
from activities.adapters.postgres.market.rules_record import PostgresMarketRules
from infra.runtime.database.connections import Database


class PostgresPlatform(PostgresPlatformSettings, PostgresUniverseChanges):
    """Implement ``ports.PlatformRecord``; needs a Database of the role ``aether_app``."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._rules = PostgresMarketRules(database)
        self._standing = GovernanceStanding(database)

    async def trades_live(self) -> bool:
        """Tell whether any account trades live."""
        return bool(await self._database.call(text("SELECT live_account_ids()")))

    async def was_authenticated(
        self, account: str, approval: str, by: str, content: str = ""
    ) -> bool:
        """Tell whether who approves was signed in, had the right and has confirmed it."""
        return await self._standing.was_authenticated(account, approval, by, content)

    async def held_by_freeze(self, request: str, at: datetime) -> str:
        """Return why changes are frozen, "" where they are not or the request broke the glass."""
        return await self._standing.held_by_freeze(request, at)

    async def held_symbols(self) -> frozenset[str]:
        """Return the pairs of which any account holds something or has a trade open."""
        return await self._rules.held_symbols()
