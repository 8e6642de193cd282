"""Trades that the public stream skipped, asked for by REST beside the stream.

The question may be throttled, lost or refused: that costs the stream nothing, and the trades are
asked for until the exchange has shown what lies in the gap.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from activities.adapters.kraken.errors import reading
from activities.adapters.kraken.feed.rows import TradeGap, missed_ticks, newest_trade_id
from activities.pauses import GrowingPause
from activities.ports.exchange_errors import ExchangeError, OrderRejectedError, RateLimitedError
from activities.ports.market import Tick

_log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
PAGES = 10
"""A thousand trades each; a longer gap is left to the candles."""
GAPS_KEPT = 1000
"""Of one symbol; older ones are left to the candles as well."""

Ask = Callable[[str, Mapping[str, str]], Awaitable[Any]]


class MissedTrades:
    """The gaps that are open, and the trades found for them by ``run``."""

    def __init__(self, ask: Ask, found: Callable[[], None] = lambda: None) -> None:
        """``ask`` sends a public REST method; ``found`` is called when there are trades to take."""
        self._ask = ask
        self._notify = found
        self._open: dict[str, list[TradeGap]] = {}
        self._found: list[Tick] = []
        self._added = asyncio.Event()

    @property
    def is_complete(self) -> bool:
        """Tell whether no gap is open and everything found was taken."""
        return not self._open and not self._found

    def add(self, gaps: Iterable[TradeGap]) -> None:
        """Take up gaps; each is forgotten only when the exchange has shown what lies in it."""
        for gap in gaps:
            mine = self._open.setdefault(gap.symbol, [])
            mine.append(gap)
            if len(mine) > GAPS_KEPT:
                _log.warning("too many gaps: the trades of %s are left to the candles", mine.pop(0))
            self._added.set()

    def take_found(self) -> list[Tick]:
        """Return the trades found since the last call, oldest first within a symbol."""
        taken, self._found = self._found, []
        return taken

    async def run(self) -> None:
        """Ask for what is missing, one symbol after the other, until cancelled."""
        pause = GrowingPause(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        while True:
            await self._added.wait()
            if not self._open:
                self._added.clear()
                continue
            symbol = next(iter(self._open))
            try:
                is_whole = await self._fill(symbol)
            except OrderRejectedError as refusal:
                # Of a pair that is not there any more nothing can be asked.
                _log.warning("the missed trades of %s cannot be had: %s", symbol, refusal)
                del self._open[symbol]
                continue
            except ExchangeError as failure:
                _log.info("the missed trades of %s have to wait: %s", symbol, failure)
                await self._wait(symbol, pause, failure)
                continue
            if is_whole:
                pause.reset()
            else:
                await self._wait(symbol, pause, None)

    async def _wait(self, symbol: str, pause: GrowingPause, failure: Exception | None) -> None:
        """Let the other symbols go first, after a pause."""
        self._open[symbol] = self._open.pop(symbol)
        least = failure.retry_after_seconds if isinstance(failure, RateLimitedError) else 0.0
        await asyncio.sleep(max(least, pause.next()))

    async def _fill(self, symbol: str) -> bool:
        """Ask for all gaps of a symbol; False when the exchange does not show their end yet."""
        gaps = list(self._open[symbol])
        since, until = gaps[0].since_nanoseconds, max(gap.before_id for gap in gaps)
        missed: dict[int, Tick] = {}
        is_whole = False
        for _ in range(PAGES):
            answer = await self._ask("Trades", {"pair": symbol, "since": since})
            with reading("Trades"):
                for gap in gaps:
                    missed |= {tick.trade_id: tick for tick in missed_ticks(answer, gap)}
                newest, last = newest_trade_id(answer), str(answer["last"])
            is_whole = newest >= until - 1
            if is_whole or last == since or not newest:
                break
            since = last
        else:
            _log.warning("the gap of %s is too long: the rest is left to the candles", symbol)
            is_whole = True
        self._found += [missed[trade_id] for trade_id in sorted(missed)]
        if is_whole:
            self._forget(symbol, gaps)
        elif missed:
            self._open[symbol] = [_shortened(gap, missed) for gap in self._open[symbol]]
        if missed:
            self._notify()
        return is_whole

    def _forget(self, symbol: str, gaps: list[TradeGap]) -> None:
        left = [gap for gap in self._open[symbol] if gap not in gaps]
        if left:
            self._open[symbol] = left
        else:
            del self._open[symbol]


def _shortened(gap: TradeGap, found: Mapping[int, Tick]) -> TradeGap:
    """Return what is left of a gap after its first trades were found: they are not told twice."""
    newest = max((one for one in found if gap.after_id < one < gap.before_id), default=None)
    if newest is None:
        return gap
    return TradeGap(gap.symbol, newest, found[newest].exchange_time, gap.before_id)
