"""The one owner of what an exchange says of its pairs: steps, minimums, status and spellings.

Every part of a process that talks to one exchange reads it: order sending, feeds, the account's
knowledge. It is brought up to date by schedule, by the WebSocket channel ``instrument``, and by
whatever looks as if the rules known here were no longer those of the exchange.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from activities.adapters.kraken.errors import UNREADABLE, reading
from activities.adapters.kraken.instruments import (
    instrument_status,
    number,
    usd_spot_instruments,
)
from activities.adapters.kraken.symbols import SymbolTable
from activities.pauses import pause_seconds
from activities.ports.exchange_errors import ExchangeError
from models.trading.instruments import Instrument, InstrumentStatus

_log = logging.getLogger(__name__)

REFRESH_SECONDS = 300.0
"""The rules are read again when they are older than this, whatever happens."""
PATIENCE_SECONDS = 1.0
"""How long an order waits for rules that are doubted; then it goes by those that are known."""
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
"""Between two readings for doubts that change nothing: doubts must not use up public requests."""
CHANNEL_OUTRANKS_SECONDS = 120.0
"""For so long a row of the channel is believed against AssetPairs, which may be cached."""

_STALE = (
    "EOrder:Tick size check failed",
    "EOrder:Invalid price",
    "EOrder:Order minimum not met",
    "EOrder:Cost minimum not met",
    "EQuery:Unknown asset pair",
    "EQuery:Invalid asset pair",
    "EGeneral:Invalid arguments:volume",
    "EGeneral:Invalid arguments:price",
    "EGeneral:Invalid arguments:pair",
    "EGeneral:Invalid arguments:close",
    "EGeneral:Invalid arguments:ordermin",
    "EService:Market in",
    "EService:Market is",
    "Currency pair not supported",
    "Currency pair not in ISO 4217-A3 format",
)


def smells_of_stale_rules(raw: str) -> bool:
    """Tell whether a refusal in Kraken's words may come from rules that have changed (§3)."""
    return raw.startswith(_STALE)


class PairRules:
    """What is known of the pairs of one exchange; one object per exchange and process.

    A pair that is no longer listed stays known as ``delisted``: a trade may still hold it, its
    orders still bear its spellings, and what cannot be sold must be refused by the exchange's own
    words.
    """

    def __init__(
        self,
        ask: Callable[[str], Awaitable[Any]] | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        assets: bool = True,
    ) -> None:
        """``ask`` sends a public REST method; None: only what is told is known.

        ``assets`` tells whether the spellings of assets are wanted as well: whoever only follows
        prices does without.
        """
        self._ask = ask
        self._wants_assets = assets
        self._clock = clock
        self._pairs: dict[str, Any] = {}
        self._assets: dict[str, Any] = {}
        self._instruments: dict[str, Instrument] = {}
        self._channel_rows: dict[str, tuple[float, Instrument]] = {}
        self._table: SymbolTable | None = None
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._doubt: str | None = None
        self._doubted_at = float("-inf")
        self._vain = 0
        self.version = 0
        """Rises with every change of any pair."""

    # --- what is known --------------------------------------------------------------------------

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Return every pair ever listed by v2 symbol, as it is now."""
        return self._instruments

    @property
    def listed(self) -> dict[str, Instrument]:
        """Return the pairs that the exchange lists."""
        pairs = self._instruments.items()
        return {name: one for name, one in pairs if one.status is not InstrumentStatus.DELISTED}

    @property
    def doubt(self) -> str | None:
        """Return why the rules are doubted, None while they are not."""
        return self._doubt

    async def table(self) -> SymbolTable:
        """Return the table of spellings; read first when it is not known yet.

        Raises:
            ExchangeError: it was never read and cannot be now.
        """
        await self.settle()
        assert self._table is not None
        return self._table

    # --- keeping up -----------------------------------------------------------------------------

    async def read(self) -> None:
        """Read all pairs and assets afresh; whoever asks meanwhile waits for the same answer.

        Raises:
            ExchangeError: the exchange did not answer, or not readably.
        """
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
            # Nobody may be left who waits for it; its failure is then told by the next reading.
            self._reading.add_done_callback(_take_note)
        await asyncio.shield(self._reading)

    async def settle(self) -> None:
        """Return when the rules are as good as they get: read once, and again while doubted.

        Doubted rules are waited for a moment only: what protects must not wait for them.

        Raises:
            ExchangeError: they were never read and cannot be now.
        """
        if self._table is None:
            await self.read()
        elif self._doubt is not None and self._may_ask():
            with suppress(ExchangeError, TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self.read()
        else:
            self.refresh_if_old()

    def refresh_if_old(self) -> None:
        """Begin to read again in the background when it is time to."""
        due = self._clock() - self._read_at >= REFRESH_SECONDS
        if (due or self._doubt is not None) and self._may_ask():
            self._begin()

    def suspect(self, reason: str) -> None:
        """Take note that something does not fit the rules known; they are read again soon."""
        now = self._clock()
        if now - self._doubted_at > 2 * LONGEST_PAUSE_SECONDS:
            self._vain = 0
        self._doubt, self._doubted_at = reason, now
        _log.info("the rules of the pairs are doubted: %s", reason)
        if self._may_ask():
            self._begin()

    def learn_rows(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take rows of the channel ``instrument``; fields that are missing stay as they were.

        A status that is not told, or is none that we know, is ``unknown``.
        """
        news = dict(self._instruments)
        for row in rows:
            symbol = str(row.get("symbol"))
            known = news.get(symbol)
            if known is None:
                if symbol.endswith("/USD") and self._table is not None:
                    # Its REST spelling is told by AssetPairs only.
                    self.suspect(f"{symbol} is listed")
                continue
            try:
                news[symbol] = _told(known, row)
            except UNREADABLE:
                _log.exception("an instrument row could not be read: %.500r", row)
                news[symbol] = replace(known, status=InstrumentStatus.UNKNOWN)
            self._channel_rows[symbol] = (self._clock(), news[symbol])
        self._replace(news)

    def take(self, instruments: Mapping[str, Instrument]) -> None:
        """Take pairs as they are now; those missing are delisted."""
        gone = {
            symbol: replace(known, status=InstrumentStatus.DELISTED)
            for symbol, known in self._instruments.items()
            if symbol not in instruments
        }
        self._replace({**gone, **instruments})

    async def close(self) -> None:
        """End what is being read."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _may_ask(self) -> bool:
        """Tell whether enough time has passed since a reading that changed nothing."""
        if self._ask is None or (self._reading is not None and not self._reading.done()):
            return self._ask is not None
        pause = pause_seconds(self._vain - 1, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        return not self._vain or self._clock() - self._read_at >= pause

    def _begin(self) -> None:
        if self._reading is None or self._reading.done():
            with suppress(RuntimeError):  # no loop runs: the next one who asks reads
                self._reading = asyncio.get_running_loop().create_task(self._read())
                self._reading.add_done_callback(_take_note)

    async def _read(self) -> None:
        if self._ask is None:
            return
        began, before = self._clock(), self.version
        doubted_at = self._doubted_at if self._doubt is not None else None
        try:
            pairs = await self._ask("AssetPairs")
            assets = await self._ask("Assets") if self._wants_assets else {}
            with reading("AssetPairs"):
                self._take_answers(pairs, assets, began)
        except BaseException:
            self._vain += 1
            self._read_at = self._clock()
            raise
        self._read_at = self._clock()
        if self.version != before:
            self._vain = 0
        elif doubted_at is not None:
            self._vain += 1
        if self._doubted_at == doubted_at:
            # A doubt that came meanwhile is not answered by what was asked before it.
            self._doubt = None

    def _take_answers(self, pairs: Any, assets: Any, began: float) -> None:
        instruments = usd_spot_instruments(pairs)
        if not instruments:
            raise ValueError("no USD pair could be read")
        # One that is listed and cannot be read is not gone: nobody knows how it is traded.
        instruments |= {
            symbol: replace(known, status=InstrumentStatus.UNKNOWN)
            for symbol, known in self._instruments.items()
            if symbol not in instruments and known.rest_id in pairs
        }
        merged_pairs, merged_assets = {**self._pairs, **pairs}, {**self._assets, **assets}
        # Spellings that are gone come first: one that another pair has now is that pair's.
        old = {name: row for name, row in merged_pairs.items() if name not in pairs}
        table = _WatchedTable({**old, **pairs}, merged_assets, self.suspect)
        for symbol, (sent_at, told) in list(self._channel_rows.items()):
            if began - sent_at > CHANNEL_OUTRANKS_SECONDS:
                del self._channel_rows[symbol]
            elif symbol in instruments:
                instruments[symbol] = replace(told, rest_id=instruments[symbol].rest_id)
        self._pairs, self._assets, self._table = merged_pairs, merged_assets, table
        self.take(instruments)

    def _replace(self, news: dict[str, Instrument]) -> None:
        if news == self._instruments:
            return
        for symbol, instrument in news.items():
            before = self._instruments.get(symbol)
            if before is not None and before != instrument:
                _log.warning("the rules of %s changed: %s, before %s", symbol, instrument, before)
        self._instruments = news
        self.version += 1


class _WatchedTable(SymbolTable):
    """A table that has the rules doubted when it is asked for a spelling that it does not know."""

    def __init__(
        self,
        pairs: Mapping[str, Any],
        assets: Mapping[str, Any],
        suspect: Callable[[str], None],
    ) -> None:
        super().__init__(pairs, assets)
        self._suspect = suspect

    def symbol(self, spelling: str) -> str:
        found = super().symbol(spelling)
        if "/" not in found:
            self._suspect(f"the pair {spelling} is not known")
        return found


def _told(known: Instrument, row: Mapping[str, Any]) -> Instrument:
    """Return a pair as a row of the channel describes it (§13, ``price_increment`` is the tick)."""
    precision = int(_or(row.get("price_precision"), known.price_precision))
    tick = row.get("price_increment") or row.get("tick_size")
    if tick is None and precision != known.price_precision:
        tick = f"1e-{precision}"
    return replace(
        known,
        price_precision=precision,
        price_increment=number(_or(tick, known.price_increment)),
        quantity_precision=int(_or(row.get("qty_precision"), known.quantity_precision)),
        quantity_minimum=number(_or(row.get("qty_min"), known.quantity_minimum)),
        cost_precision=int(_or(row.get("cost_precision"), known.cost_precision)),
        cost_minimum=number(_or(row.get("cost_min"), known.cost_minimum)),
        status=instrument_status(str(row.get("status"))),
    )


def _or(value: Any, known: Any) -> Any:
    return known if value is None else value


def _take_note(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (failure := task.exception()) is not None:
        _log.info("the pairs could not be read: %s", failure)
