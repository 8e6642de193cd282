"""The market side of the record and its deliveries in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from activities.market.delivery import Message
from activities.market.marks import AccountMark
from activities.ports.market import BarClosed, BestPrices, FeedStatus, Tick
from infra.runtime.database.connections import DatabaseUnavailableError
from models.trading.ideas import Idea, StrategyStanding
from models.trading.market import Candle, MarketSnapshot
from models.trading.strategies.evidence import Evidence
from models.trading.trade.facts import Direction, PriceWatch, WatchKind
from tests.support.fakes import BITCOIN

START = datetime(2026, 3, 1, tzinfo=UTC)
ETHER = replace(BITCOIN, symbol="ETH/USD", base="ETH", rest_id="XETHZUSD")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def a_tick(price, seconds=0, symbol="BTC/USD") -> Tick:
    return Tick(symbol, Decimal(price), Decimal(1), int(seconds), at(seconds), at(seconds))


def prices(bid, ask, seconds=0, symbol="BTC/USD") -> BestPrices:
    one = Decimal(1)
    return BestPrices(symbol, Decimal(bid), one, Decimal(ask), one, Decimal(7), at(seconds))


def healthy(symbol="BTC/USD", is_healthy=True) -> FeedStatus:
    return FeedStatus(symbol, is_healthy, "as told")


def a_candle(number, close=100, symbol="BTC/USD") -> Candle:
    price = Decimal(close)
    start = START + timedelta(minutes=number)
    return Candle(symbol, 1, start, price, price + 1, price - 1, price, Decimal(5))


def a_bar(number, close=100, symbol="BTC/USD") -> BarClosed:
    return BarClosed(a_candle(number, close, symbol))


def a_watch(
    level, trade=1, name=None, symbol="BTC/USD", direction=Direction.RISES_TO, account="company"
) -> PriceWatch:
    level = Decimal(level)
    name = name or f"{account}/{trade}/{direction}/{level}"
    return PriceWatch(name, account, trade, symbol, WatchKind.TAKE_PROFIT, direction, level)


class Eager:
    """A strategy with an idea on every bar."""

    name, version, warm_up_bars = "eager", "1", 1
    standing = StrategyStanding.SHADOW
    interval_minutes, rebalances, sees_universe = None, False, False

    def start(self):
        return None

    def update(self, state, bar):
        return bar

    def propose(self, state, market, instrument, installation):
        bar = state
        return Idea(
            idea_id=f"{installation}/{bar.symbol}/{bar.start:%H%M}",
            strategy=self.name,
            strategy_version=self.version,
            symbol=bar.symbol,
            bar_start=bar.start,
            expires_at=bar.start + timedelta(minutes=5),
            stop_price=bar.close - 10,
            take_profit_price=None,
            trailing_distance=None,
        )


@dataclass
class FakeMarketRecord:
    """Watches and what was written; ``down`` counts calls that fail.

    `tests/ports/test_market_record_conformance.py` holds it against PostgreSQL. A watch that was
    never set counts as set.
    """

    watches: list[PriceWatch] = field(default_factory=list)
    candles: list[Candle] = field(default_factory=list)
    snapshots: list[MarketSnapshot] = field(default_factory=list)
    triggered: list[tuple[str, Decimal]] = field(default_factory=list)
    marks: list[datetime] = field(default_factory=list)
    held: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    equity: list[AccountMark] = field(default_factory=list)
    changes: list[tuple[str, int, tuple[PriceWatch, ...]]] = field(default_factory=list)
    following: tuple[str, ...] = ("director-1", "company")
    down: int = 0

    def _answer(self) -> None:
        if self.down:
            self.down -= 1
            raise DatabaseUnavailableError("the record is down")

    async def save_candles(self, candles: Sequence[Candle]) -> int:
        self._answer()
        fresh = {(c.symbol, c.interval_minutes, c.start): c for c in candles}
        kept = [c for c in self.candles if (c.symbol, c.interval_minutes, c.start) not in fresh]
        self.candles = [*kept, *fresh.values()]
        return len(fresh)

    async def recent_candles(self, symbol: str, interval_minutes: int, limit: int) -> list[Candle]:
        own = [
            c for c in self.candles if (c.symbol, c.interval_minutes) == (symbol, interval_minutes)
        ]
        return sorted(own, key=lambda candle: candle.start)[-limit:]

    async def save_snapshots(self, snapshots: Sequence[MarketSnapshot]) -> None:
        self._answer()
        self.snapshots += snapshots

    async def snapshot(self, symbol: str) -> MarketSnapshot | None:
        own = [seen for seen in self.snapshots if seen.symbol == symbol]
        return max(own, key=lambda seen: seen.observed_at, default=None)

    async def active_watches(self) -> list[PriceWatch]:
        return [w for w in self.watches if w.watch_id not in {name for name, _ in self.triggered}]

    async def watch_changes(self):
        self._answer()
        while self.changes:
            yield self.changes.pop(0)

    async def mark_triggered(self, watch: PriceWatch, price: Decimal, at: datetime) -> bool:
        self._answer()
        if any(name == watch.watch_id for name, _ in self.triggered):
            return False
        self.triggered.append((watch.watch_id, price))
        return True

    async def followers(self, strategy: str) -> list[str]:
        return list(self.following)

    async def evidence(self, strategy: str, version: str) -> Evidence:
        self._answer()
        return Evidence(strategy, version)

    async def holdings(self) -> dict[str, dict[str, Decimal]]:
        self._answer()
        return self.held

    async def save_equity(self, at: datetime, marks: list[AccountMark]) -> None:
        self._answer()
        self.marks.append(at)
        self.equity += marks


@dataclass
class KeptMessages:
    """A delivery that only keeps what it was given."""

    messages: list[Message] = field(default_factory=list)

    async def deliver(self, messages: Sequence[Message]) -> None:
        self.messages += messages


@dataclass
class FakeMessenger:
    """Keeps what was told; ``down`` counts calls that fail, ``gone`` is nobody to tell."""

    told: list[tuple[str, int | None, object]] = field(default_factory=list)
    down: int = 0
    gone: bool = False
    reopened: list[tuple[object, tuple[object, ...]]] = field(default_factory=list)
    answers: list[object] = field(default_factory=list)

    async def reopen_trade(self, state, facts) -> None:
        self.reopened.append((state, tuple(facts)))

    async def _tell(self, account, trade, facts) -> bool:
        if self.down:
            self.down -= 1
            raise ConnectionError("Temporal restarts")
        if self.gone:
            return False
        self.told += [(account, trade, fact) for fact in facts]
        return True

    async def signal_trade(self, account: str, trade: int, facts: Sequence[object]) -> bool:
        return await self._tell(account, trade, facts)

    async def signal_account(self, account: str, facts: Sequence[object]) -> bool:
        return await self._tell(account, None, facts)

    async def signal_hedge(self, account: str, facts: Sequence[object]) -> bool:
        return await self._tell(account, "hedge", facts)

    async def signal_kill_switch(self, number, fact) -> bool:
        return await self._tell(f"kill-switch/{number}", None, [fact])

    async def lift_kill_switch(self, number, lift) -> bool:
        return await self._tell(f"kill-switch/{number}", None, [lift])

    async def ask_platform(self, request):
        return await self._ask("platform", None, request)

    async def ask_account(self, account: str, update: str, request_id: str, fact: object):
        return await self._ask(account, None, fact)

    async def ask_trade(self, account: str, trade: int, update: str, request_id: str, fact: object):
        return await self._ask(account, trade, fact)

    async def _ask(self, account, trade, fact):
        return self.answers.pop(0) if await self._tell(account, trade, [fact]) else None
