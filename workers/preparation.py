"""Bring an installation's database up to date before the workers start: ``python -m …``.

Waits for PostgreSQL, makes roles and tables, sets the first accounts up and issues the bootstrap
administrator's token. Repeating it changes nothing that is there.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime

import psycopg

from activities.adapters.postgres.installation import (
    create_account,
    create_token,
    installation_id,
)
from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.database.setup import create_database, migrate
from infra.runtime.errors import PlatformError, StateError
from infra.runtime.logs import configure_logs
from infra.runtime.secrets import installation_secrets
from infra.runtime.settings import Settings
from infra.stack.own_token import NAME, renew_own_token
from infra.stack.postgres_binaries import embedded_cluster
from models.contracts.learning import LEARNED_STRATEGY
from models.trading.account.state import AccountState
from models.trading.strategies import StrategyRegistry, StrategyStanding, known

DEMONSTRATED_ON = ("generated", "replay")
"""Markets that are not Kraken's own: what trades there shows the platform at work."""
WAIT_SECONDS = 60.0


def prepare(settings: Settings) -> None:
    """Wait for the database, migrate it, and set up what a first start needs."""
    if settings.database_url is None:
        superuser = embedded_cluster(settings.home).url()
        _wait_for(superuser)
        create_database(superuser)
    owner = database_url(settings, Role.OWNER)
    _wait_for(owner)
    migrate(owner)
    asyncio.run(_set_up(settings))
    renew_own_token(database_url(settings, Role.ADMIN))


def _wait_for(url: str) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if time.monotonic() > until:
                raise StateError(f"PostgreSQL does not answer: {error}") from None
            time.sleep(0.05)
        else:
            return


def first_strategies(settings: Settings, registry: StrategyRegistry) -> tuple[str, ...]:
    """Return what a new account follows: what is shipped, and off Kraken the demonstration.

    First accounts are simulated, all of them. Shipped strategies decide once a day, so that a
    market which is only shown would see no trade for hours.
    """
    shown = settings.market.partition(":")[0] in DEMONSTRATED_ON
    standings = [StrategyStanding.SHIPPED, *([StrategyStanding.DEMONSTRATION] if shown else [])]
    # A champion's ideas come by the name of the learned strategy: none while no trade is champion.
    return (*(s.name for s in registry if s.standing in standings), LEARNED_STRATEGY)


async def _set_up(settings: Settings) -> None:
    store = installation_secrets(settings)
    database = Database(database_url(settings, Role.ADMIN), application="aether-preparation")
    try:
        installation = await installation_id(database)
        strategies = first_strategies(settings, known())
        for name, kind in settings.first_accounts.items():
            state = AccountState(account=name, installation=installation, strategies=strategies)
            await create_account(database, state, kind, datetime.now(UTC))
        token = store.administrator_token()
        await create_token(database, NAME, "administrator", datetime.now(UTC), token)
    finally:
        await database.close()


def main() -> int:
    """Prepare; 2 with one line on standard error when that is impossible."""
    settings = Settings()
    configure_logs("preparation", settings.log_level)
    try:
        prepare(settings)
    except (PlatformError, psycopg.Error) as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
