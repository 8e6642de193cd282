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
)

log = structlog.get_logger(__name__)

LOOK_SECONDS = 60.0
"""CoinGecko's free plan allows few calls, and its prices change about once a minute."""
FINDINGS = Gauge(
    "aether_market_quality_findings_count",
    "Faults that a second source of prices finds with a symbol, by kind",
    ["symbol", "kind"],
)
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
        """Look again and again; whatever fails is told and tried again."""
        while True:
            try:
                await self.look()
            except OSError:
                log.warning("the second feed's findings wait for the record", exc_info=True)
            await asyncio.sleep(seconds)

    async def look(self) -> None:
        """Compare once; OSError when the record does not answer."""
        own = self._own()
        if not own:
            return
        theirs = await self._ask(sorted(own))
        now, known = self._clock(), set(await self._record.standing())
        for symbol, price in sorted(own.items()):
            before = self._seen.get(symbol, SourcesSeen())
            after = compare_sources(before, price, theirs.get(symbol), now, self._rules)
            await self._keep(symbol, after, known, now)
            self._seen[symbol] = after
            self._tell(symbol, apart_for_long(after, self._rules))
            if price is not None and symbol in theirs:
                APART.labels(symbol).set(float(abs(price / theirs[symbol] - 1)))

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
