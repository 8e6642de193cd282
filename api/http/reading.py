"""Refusing what is asked about an account or a trade that does not exist."""

from http import HTTPStatus

from api.http.problems import ProblemError
from api.queries import accounts
from infra.runtime.database.connections import Database
from models.tables.trades.trades import TradeRow


async def require_account(database: Database, account: str) -> None:
    """Refuse an account that does not exist."""
    if account not in await database.accounts():
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-account", f"No account {account}.")


async def require_trade(database: Database, account: str, number: int) -> TradeRow:
    """Return a trade of an account, or refuse one that does not exist."""
    await require_account(database, account)
    row = await accounts.trade_row(database, account, number)
    if row is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-trade", f"No trade {number}.")
    return row
