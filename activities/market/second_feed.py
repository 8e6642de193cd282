"""Hold the market's own prices against a second source, again and again."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

import structlog
from prometheus_client import Gauge

from activities.ports.market_data import QualityRecord, SecondFeed
from models.trading.watches.second_feed import (
    QualityKind,
    SecondFeedRules,
    SourcesSeen,
    apart_for_long,
    compare_sources,
    still_apart,
)

log = structlog.get_logger(__name__)

LOOK_SECONDS = 60.0
"""CoinGecko's free plan allows few calls, and its prices change about once a minute."""
FINDINGS = Gauge(
    "aether_market_quality_findings_count",
    "Faults that a second source of prices finds with a symbol, by kind",
    ["symbol", "kind"],
)
TELL_SECONDS = 1.0
"""How soon an engine that has begun anew hears what stood before it."""
APART = Gauge(
    "aether_second_feed_divergence_share",
    "How far the market's own price is from that of the second source",
    ["symbol"],
)


class SecondFeedWatch:
    """Compare prices, keep what is found, and tell it as figures."""

    def __init__(
        self,
        feed: SecondFeed,
        own: Callable[[], Mapping[str, Decimal | None]],
        record: QualityRecord,
        clock: Callable[[], datetime],
        rules: SecondFeedRules | None = None,
        tell: Callable[[str, Decimal | None], None] = lambda _symbol, _share: None,
    ) -> None:
        """Prepare; ``own`` returns every followed symbol with its fresh price, or None.

        ``tell`` is given how far apart prices have lain for some looks, for whoever decides.
        """
        self._tell = tell
        self._feed = feed
        self._own = own
        self._record = record
        self._rules = rules or SecondFeedRules()
        self._clock = clock
        self._seen: dict[str, SourcesSeen] = {}

    async def run(self, seconds: float = LOOK_SECONDS) -> None:
        """Look again and again; whatever fails, of whatever kind, is told and tried again."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                await self.look()
            except Exception:  # a watch that ends leaves its last word standing for ever
                log.warning("the second feed's findings wait", exc_info=True)
            until = loop.time() + seconds
            while (left := until - loop.time()) > 0:
                self.tell_again()
                await asyncio.sleep(min(left, TELL_SECONDS))

    def tell_again(self) -> None:
        """Tell what is known of every symbol once more: who listened may have begun anew."""
        for symbol, seen in self._seen.items():
            self._tell(symbol, apart_for_long(seen, self._rules))

    async def look(self) -> None:
        """Compare once; OSError when the record does not answer."""
        own = self._own()
        if not own:
            return
        theirs = await self._ask(sorted(own))
        now, known = self._clock(), set(await self._record.standing())
        for symbol, price in sorted(own.items()):
            before = self._seen.get(symbol) or self._first(symbol, known)
            after = compare_sources(before, price, theirs.get(symbol), now, self._rules)
            await self._keep(symbol, after, known, now)
            self._seen[symbol] = after
            self._tell(symbol, apart_for_long(after, self._rules))
            if after.shares and after.shares != before.shares:
                APART.labels(symbol).set(float(after.shares[-1]))

    def _first(self, symbol: str, known: set[tuple[str, str]]) -> SourcesSeen:
        """Return what is known before the first look: only agreement ends a doubt that stands."""
        stands = (symbol, QualityKind.DIVERGED.value) in known
        return still_apart(self._rules) if stands else SourcesSeen()

    async def _ask(self, symbols: list[str]) -> dict[str, Decimal]:
        try:
            return await self._feed.prices(symbols)
        except Exception as error:  # noqa: BLE001 - a source may fail in any way; silence is told
            log.warning("the second feed does not answer", error=str(error))
            return {}

    async def _keep(
        self, symbol: str, after: SourcesSeen, known: set[tuple[str, str]], now: datetime
    ) -> None:
        for kind in QualityKind:
            stands, stood = kind in after.standing, (symbol, kind.value) in known
            FINDINGS.labels(symbol, kind.value).set(stands)
            if stands and not stood:
                detail = after.standing[kind]
                log.warning("market data is in doubt", symbol=symbol, kind=kind, detail=detail)
                await self._record.begin(symbol, kind.value, detail, now)
            elif stood and not stands:
                await self._record.end(symbol, kind.value, now)
