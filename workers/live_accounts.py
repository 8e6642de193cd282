"""Which accounts trade live, as the simulator asks before its control endpoint changes anything."""

from collections.abc import Awaitable, Callable

import psycopg

from infra.runtime.settings import Settings

CONNECT_SECONDS = 2
STATEMENT = "SELECT live_account_ids()"


def live_accounts_of(settings: Settings) -> Callable[[], Awaitable[list[str]]] | None:
    """Return what asks the record, None where no account can trade live: off Kraken's own market.

    The record is asked each time, over a connection of its own: control is used by hand and seldom.
    """
    if settings.market != "kraken":
        return None
    # Loaded only where it is needed: the simulator's start is on everybody's way.
    from infra.runtime.database.connections import Role, database_url

    return asking(database_url(settings, Role.EXCHANGE))


def asking(url: str) -> Callable[[], Awaitable[list[str]]]:
    """Return what asks the record at an address for the accounts that trade live.

    It raises ConnectionError when the record does not answer.
    """

    async def ask() -> list[str]:
        try:
            async with await psycopg.AsyncConnection.connect(
                url,
                connect_timeout=CONNECT_SECONDS,
                options="-c statement_timeout=2s -c lock_timeout=1s",
            ) as connection:
                rows = await (await connection.execute(STATEMENT)).fetchall()
        except psycopg.Error as error:
            raise ConnectionError(str(error)) from error
        return [row[0] for row in rows]

    return ask
