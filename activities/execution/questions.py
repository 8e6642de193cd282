"""Asking the exchange about orders whose sending, or withdrawal, was not answered."""

import asyncio
from contextlib import suppress
from datetime import datetime

from activities.ports.exchange import Exchange
from activities.ports.exchange_errors import (
    ExchangeUnavailableError,
    OrderGoneError,
    UnknownOutcomeError,
)
from models.trading.orders import OrderReport, OrderSpec

ASK_AGAIN_SECONDS = 0.1
HEARD_MAXIMUM = 1_000


class StillInDoubtError(Exception):
    """The order was not found, and nothing proves that it does not exist."""


class HeardSince:
    """Since which stream epoch each order in doubt would have been heard of; of one process.

    An attempt leaves it to the next one of the same order, which would have to ask else, and wait
    for the room that the lost questions before it have used up.
    """

    def __init__(self) -> None:
        self._epochs: dict[str, int] = {}

    def leave(self, client_order_id: str, epoch: int | None) -> None:
        """Leave an epoch that began before the first send in doubt, and was whole until now."""
        self._epochs.pop(client_order_id, None)
        if epoch is not None:
            self._epochs[client_order_id] = epoch
        while len(self._epochs) > HEARD_MAXIMUM:
            del self._epochs[next(iter(self._epochs))]

    def take(self, client_order_id: str) -> int | None:
        """Return what the attempt before has left, once; None where it left nothing."""
        return self._epochs.pop(client_order_id, None)


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


async def answers_cancel(exchange: Exchange, order_id: str) -> bool:
    """Ask for a cancel once; False when the answer was lost."""
    try:
        await exchange.cancel(order_id)
    except OrderGoneError:
        return True
    except UnknownOutcomeError:
        return False
    return True
