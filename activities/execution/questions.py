"""Asking the exchange for an order whose sending was not answered."""

import asyncio
from contextlib import suppress
from datetime import datetime

from activities.ports.exchange import Exchange
from activities.ports.exchange_errors import ExchangeUnavailableError
from models.trading.orders import OrderReport, OrderSpec

ASK_AGAIN_SECONDS = 0.1


async def ask_until_answered(
    exchange: Exchange, order: OrderSpec, intended_at: datetime, tries: int
) -> list[OrderReport]:
    """Ask for an order, and again at once where the question itself was lost.

    Raises:
        ExchangeUnavailableError: ``tries`` questions and one more were lost.
    """
    for _ in range(tries):
        with suppress(ExchangeUnavailableError):
            return await exchange.find(order, intended_at)
        await asyncio.sleep(ASK_AGAIN_SECONDS)
    return await exchange.find(order, intended_at)
