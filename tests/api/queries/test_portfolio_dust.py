"""What settled trades left and nobody can sell is shown beside what is held."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest_asyncio

from activities.adapters.postgres.installation import create_account, installation_id
from activities.adapters.postgres.journal import PostgresJournal
from api.queries.capital import portfolios
from cli.commands.trading.portfolio import _holdings
from infra.runtime.database.connections import Database, Role
from models.trading.account.state import AccountState

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest_asyncio.fixture
async def database(postgres, database_name):
    database = Database(postgres.url(Role.APP, database_name))
    yield database
    await database.close()


async def test_dust_is_shown_beside_what_is_held(database, capsys):
    installation = await installation_id(database)
    for name in ("company", "director-1"):
        state = AccountState(
            account=name,
            installation=installation,
            strategies=(),
            balances={"USD": Decimal(10), "BTC": Decimal("0.5")},
            dust={"BTC": Decimal("0.00003")},
        )
        await create_account(database, state, "director", SINCE)
        journal = PostgresJournal(database)
        await journal.save_account(state, None, "aether", {}, SINCE)
        await journal.save_balances(name, state.balances, SINCE)
    found = await portfolios(database, ["company", "director-1"], {}, SINCE)
    held = {one.asset: one.dust for one in found.accounts["company"].holdings}
    assert held == {"BTC": Decimal("0.00003"), "USD": 0}
    assert {one.asset: one.dust for one in found.total.holdings}["BTC"] == Decimal("0.00006")
    _holdings(found.accounts["company"].model_dump(mode="json")).show()
    assert "0.00003" in capsys.readouterr().out
