"""Which trades of a backtest are evidence: those that the version's rules were not made from.

A version is fixed on a day: nothing recorded until then proves it, for its rules and parameters may
have been chosen by it, in whatever way a backtest is run. What was recorded afterwards, nobody had
seen. A version that is not named here has no such day, and its backtests prove nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from models.trading.strategies.evidence import EvidenceSource, StrategyResult

_FIRST_RELEASE = date(2026, 11, 29)
FIXED_ON: Mapping[tuple[str, str], date] = {
    ("volatility_managed", "1"): _FIRST_RELEASE,
    ("donchian_ensemble", "1"): _FIRST_RELEASE,
    ("cross_sectional_momentum", "1"): _FIRST_RELEASE,
    ("mean_reversion", "1"): _FIRST_RELEASE,
    ("intraday_breakout", "1"): _FIRST_RELEASE,
    ("upper_half", "1"): _FIRST_RELEASE,
}
"""Last day (UTC) of which anything can have shaped a version. Another version has its own day."""


@dataclass(frozen=True, slots=True)
class OutOfSampleTrade:
    """One closed trade of a backtest, after the day on which its version was fixed.

    ``series`` tells trades of one recording from those of another; ``move`` and ``net`` as in
    ``StrategyResult``.
    """

    strategy: str
    version: str
    series: str
    symbol: str
    opened_at: datetime
    closed_at: datetime
    move: Decimal
    net: Decimal

    def result(self, run_id: str) -> StrategyResult:
        """Return it as evidence, named after the backtest."""
        reference = f"{run_id}/{self.symbol}/{self.opened_at:%Y-%m-%dT%H:%M}"
        return StrategyResult(
            EvidenceSource.BACKTEST, reference, self.symbol, self.closed_at, self.move, self.net
        )


def out_of_sample_from(strategy: str, version: str) -> datetime | None:
    """Return from when on bars are out of sample for a version, None where none are."""
    fixed = FIXED_ON.get((strategy, version))
    return None if fixed is None else datetime.combine(fixed + timedelta(days=1), time(), UTC)


def not_yet_counted(
    trades: Sequence[OutOfSampleTrade], counted_until: Mapping[str, datetime]
) -> list[OutOfSampleTrade]:
    """Return the trades of one version in market time that no result covers yet.

    The same stretch of a pair counts once, whichever run, recording or parameters of the run show
    it: what opened before the newest counted trade of the pair closed is left out.

    Args:
        trades: of one version, each series oldest first.
        counted_until: when the newest counted trade of each pair closed.
    """
    until, found = dict(counted_until), []
    for series in _series_of(trades):
        begun = dict(until)
        for one in (trade for trade in trades if trade.series == series):
            covered = begun.get(one.symbol)
            if covered is None or one.opened_at >= covered:
                found.append(one)
                before = until.get(one.symbol)
                until[one.symbol] = one.closed_at if before is None else max(before, one.closed_at)
    return found


def _series_of(trades: Iterable[OutOfSampleTrade]) -> list[str]:
    return list(dict.fromkeys(trade.series for trade in trades))
