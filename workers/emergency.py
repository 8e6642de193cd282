"""The emergency stop where orders are sent: it hears the order, stops, withdraws, records later."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.orders.quarantine import never_succeeds
from activities.execution.emergency_stop import EmergencyStop
from activities.execution.orders import CANCEL_BATCH
from activities.ports.exchange import Exchange
from activities.ports.exchange_errors import ExchangeError
from infra.runtime.emergency import (
    ORDER_BYTES,
    REASON_LENGTH,
    SOCKET_NAME,
    StopFile,
    StopOrder,
    read_order,
    widened,
)
from models.trading.orders import Leg, Side

log = structlog.get_logger(__name__)

HEAR_SECONDS = 2.0
WITHDRAW_SECONDS = 3.0
TRY_SECONDS = 1.0
CALLERS_MAXIMUM = 20
REFUSALS_MAXIMUM = 3
"""Tries of a stop that the record refuses, as of other writes that can never succeed."""


class EmergencyDesk:
    """Takes orders to stop on a socket of its own; ``accounts`` are known without any question.

    ``opened`` gives the exchanges in use: nothing is opened, asked or written for a stop.
    ``entries`` reads from the record which entries of an account rest, by the exchange's ids: where
    the record can be read, nothing is withdrawn but what the platform placed.
    """

    def __init__(
        self,
        directory: Path,
        kept: StopFile,
        stop: EmergencyStop,
        opened: Callable[[], Mapping[str, Exchange]],
        entries: Callable[[str], Awaitable[list[str]]],
    ) -> None:
        self._path = directory / SOCKET_NAME
        self._kept = kept
        self._stop = stop
        self._opened = opened
        self._entries = entries
        self._callers = 0
        self._refusals: dict[StopOrder, int] = {}
        self.failing: dict[StopOrder, str] = {}
        self.due = asyncio.Event()

    async def open(self) -> asyncio.Server:
        """Take up what was kept before, then listen."""
        self._kept.reserve()
        kept = self._kept.kept()
        if kept is not None:
            log.error("an emergency stop stands from before", reason=kept.reason, by=kept.by)
            self._stop.engage(kept)
            self.due.set()
        self._path.unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            return await asyncio.start_unix_server(self._hear, self._path, limit=ORDER_BYTES)
        finally:
            os.umask(mask)

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._callers += 1
        try:
            if self._callers > CALLERS_MAXIMUM:
                return
            async with asyncio.timeout(HEAR_SECONDS):
                line = await reader.readline()
            answer = await self.engage(read_order(line))
            writer.write(json.dumps(answer).encode() + b"\n")
            async with asyncio.timeout(HEAR_SECONDS):
                await writer.drain()
        except (OSError, ValueError, TimeoutError) as error:
            log.warning("an order to stop was not understood", error=str(error))
        finally:
            self._callers -= 1
            writer.close()

    async def engage(self, order: StopOrder) -> dict[str, Any]:
        """Stop in memory first; then keep it if possible, and withdraw the entries that rest."""
        if order.recorded:
            return await self._engage_recorded(order)
        self._stop.engage(order)
        self.due.set()
        log.error("emergency stop", reason=order.reason, by=order.by, accounts=order.accounts)
        durable = self._kept.keep(widened(self._stop.standing))
        accounts = await self._withdraw(order)
        return _answer(order, accounts, durable=durable)

    async def _engage_recorded(self, order: StopOrder) -> dict[str, Any]:
        """Withdraw at once what a kill switch of the record stops; the accounts do it again.

        Entries that passed the flag before it stood are stopped in memory, as long as they are
        being withdrawn: whatever is sent later has read the flag.
        """
        log.warning("kill switch", reason=order.reason, by=order.by, accounts=order.accounts)
        self._stop.engage(order)
        try:
            exchanges = {n: e for n, e in self._opened().items() if order.concerns(n)}
            done = await asyncio.gather(
                *(self._withdraw_recorded(name, one) for name, one in exchanges.items())
            )
        finally:
            self._stop.hand_over(order)
        return _answer(order, dict(zip(exchanges, done, strict=True)), durable=True)

    async def _withdraw_recorded(self, account: str, exchange: Exchange) -> str:
        try:
            async with asyncio.timeout(WITHDRAW_SECONDS):
                resting = await self._entries(account)
                await _cancel(exchange.hurried(), resting)
        except (ExchangeError, OSError, SQLAlchemyError, TimeoutError) as error:
            log.warning("entries were not withdrawn at once", account=account, error=str(error))
            return f"sends no entry; its workflow withdraws what rests: {error or 'no answer'}"
        return f"sends no entry; {len(resting)} withdrawn"

    async def _withdraw(self, order: StopOrder) -> dict[str, str]:
        exchanges = {n: e for n, e in self._opened().items() if order.concerns(n)}
        done = await asyncio.gather(*(_withdraw(one) for one in exchanges.values()))
        return dict(zip(exchanges, done, strict=True))

    async def record_when_possible(
        self,
        journal: PostgresJournal,
        accounts: Callable[[], Awaitable[list[str]]],
        start: Callable[[], Awaitable[None]],
    ) -> None:
        """Turn every stop into a kill switch of the record as soon as that can be written.

        One that cannot be recorded keeps no other from it. While the record is away all wait; what
        the record refuses for what it holds is given up after a few tries and named in ``failing``:
        it stands in memory, and in the file, for as long as no person has dealt with it.
        """
        while True:
            await self.due.wait()
            for order in self._to_record():
                try:
                    await _record(journal, order, order.accounts or tuple(await accounts()))
                    await start()
                except Exception as error:  # noqa: BLE001 - nothing ends the recording of the others
                    self._note_failure(order, error)
                else:
                    self._hand_over(order)
            waiting = self._to_record()
            if not waiting:
                self.due.clear()
                if not self._stop.standing:
                    self._kept.clear()
                continue
            await asyncio.sleep(TRY_SECONDS)
            for order in waiting:
                # What was on its way when the order came may rest by now.
                await self._withdraw(order)

    def _to_record(self) -> list[StopOrder]:
        return [one for one in self._stop.standing if self._refusals.get(one, 0) < REFUSALS_MAXIMUM]

    def _note_failure(self, order: StopOrder, error: Exception) -> None:
        if not _passes(error):
            self._refusals[order] = self._refusals.get(order, 0) + 1
        words = f"{type(error).__name__}: {error}"[:REASON_LENGTH]
        given_up = self._refusals.get(order, 0) >= REFUSALS_MAXIMUM
        if given_up:
            self.failing[order] = words
        log.error("the emergency stop is not recorded", error=words, given_up=given_up)

    def _hand_over(self, order: StopOrder) -> None:
        self._stop.hand_over(order)
        self._refusals.pop(order, None)
        if self._stop.standing:
            self._kept.keep(widened(self._stop.standing))

    def not_recorded(self) -> str | None:
        """Say which stops stand without being in the record, None: there is none."""
        if not self._stop.standing:
            return None
        given_up = [
            f"{one.reason} ({self.failing[one]})"
            for one in self._stop.standing
            if one in self.failing
        ]
        words = "stands and is not recorded yet"
        return f"{words}; the record refuses: {', '.join(given_up)}" if given_up else words


def _passes(error: Exception) -> bool:
    """Tell whether the record was only away, so that the same may succeed later."""
    return isinstance(error, OSError | SQLAlchemyError | psycopg.Error) and not never_succeeds(
        error
    )


def _answer(order: StopOrder, accounts: dict[str, str], *, durable: bool) -> dict[str, Any]:
    silent = [name for name in order.accounts if name not in accounts]
    told = accounts | dict.fromkeys(silent, "its exchange is not in use")
    return {"stopped": True, "durable": durable, "accounts": told}


async def resting_entries(journal: PostgresJournal, account: str) -> list[str]:
    """Return the exchange's ids of an account's entries that rest, by the record."""
    orders = await journal.orders(account, only_open=True)
    return [o.order_id for o in orders if o.spec.leg is Leg.ENTRY and o.order_id is not None]


async def _withdraw(exchange: Exchange) -> str:
    """Cancel what would buy; stops and exits stay. Return what came of it, in words."""
    try:
        async with asyncio.timeout(WITHDRAW_SECONDS):
            hurried = exchange.hurried()
            buying = [o.order_id for o in await hurried.open_orders() if o.side is Side.BUY]
            await _cancel(hurried, buying)
    except (ExchangeError, OSError, TimeoutError) as error:
        return f"sends no entry; entries that rest were not withdrawn: {error or 'no answer'}"
    return f"sends no entry; {len(buying)} withdrawn"


async def _cancel(exchange: Exchange, order_ids: list[str]) -> None:
    for begin in range(0, len(order_ids), CANCEL_BATCH):
        await exchange.cancel_many(order_ids[begin : begin + CANCEL_BATCH])


async def _record(journal: PostgresJournal, order: StopOrder, accounts: Iterable[str]) -> None:
    at = datetime.fromisoformat(order.at)
    for row in await journal.kill_switches(only_engaged=False):
        if (row.engaged_at, row.engaged_by, row.reason) == (at, order.by, order.reason):
            return  # recorded before this process was ended
    number = await journal.next_kill_switch_number()
    await journal.engage_kill_switch(
        number, list(accounts), flatten=order.flatten, reason=order.reason, by=order.by, at=at
    )
    log.error("the emergency stop is a kill switch of the record now", number=number)


async def close_desk(server: asyncio.Server) -> None:
    """Listen no more."""
    server.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(HEAR_SECONDS):
            await server.wait_closed()
