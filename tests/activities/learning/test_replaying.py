"""What a decision saw online equals what the record gives offline, on recorded days."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from activities.adapters.candle_files.snapshots import read_snapshot
from activities.learning.deciding import bars_until, newest_vector
from activities.learning.replaying import difference_of, replay_vectors
from activities.ports.learning.models import LoggedPrediction
from models.learning.features.catalogue import daily_features
from models.learning.training.daily import upper_half
from models.trading.market import Candle, MarketSnapshot
from models.trading.strategies.upper_half import UpperHalf
from tests.support.fakes import BITCOIN
from tests.support.learning.champions import days

RECORDED = Path(__file__).parents[4] / "shared" / "data"
FEATURES = daily_features()
INSTALLATION = "04d308de-35e9-4ff4-915f-1a4d4d26a682"


def market_at(bar: Candle) -> MarketSnapshot:
    return MarketSnapshot(bar.symbol, bar.close, bar.close, bar.close, bar.start)


def logged(market, reference, step=1):
    """Decide online at the end of days, each time from the last days alone."""
    found = []
    for number in range(150, len(market), step):
        start = market[number].start
        own, other = market[number - 149 : number + 1], [b for b in reference if b.start <= start]
        table = bars_until(start, FEATURES.lookback, own, other[-150:])
        vector = newest_vector(FEATURES, table)
        seen = tuple(float(v) if np.isfinite(v) else None for v in vector)
        found.append(
            LoggedPrediction(f"{number}", 1, FEATURES.fingerprint, market[0].symbol, start, seen)
        )
    return found


def test_online_is_offline_and_a_planted_difference_is_named():
    btc, eth = days("BTC/USD", 260), days("ETH/USD", 260, seed=2)
    online = logged(eth, btc)
    found = replay_vectors(FEATURES, online, {"BTC/USD": btc, "ETH/USD": eth})
    assert (found.compared, found.unavailable, found.differing) == (110, 0, ())
    assert found.worst <= 1e-9
    spoilt = list(online[7].vector)
    spoilt[3] *= 1 + 1e-8
    planted = [*online[:7], replace(online[7], vector=tuple(spoilt)), *online[8:]]
    found = replay_vectors(FEATURES, planted, {"BTC/USD": btc, "ETH/USD": eth})
    assert found.differing == (online[7].idea_id,)


def test_what_cannot_be_compared_is_counted_and_not_confirmed():
    btc, eth = days("BTC/USD", 260), days("ETH/USD", 260, seed=2)
    online = logged(eth, btc)[:2]
    other = [replace(online[0], feature_hash="other"), online[1]]
    found = replay_vectors(FEATURES, other, {"BTC/USD": btc, "ETH/USD": eth})
    assert (found.compared, found.unavailable) == (1, 1)
    assert replay_vectors(FEATURES, online, {}).unavailable == 2


def test_unknown_against_known_differs():
    assert difference_of((None, 1.0), np.array([np.nan, 1.0])) == 0
    assert difference_of((None, 1.0), np.array([0.0, 1.0])) == 1
    assert difference_of((1.0,), np.array([1.0, 1.0])) == 1


@pytest.mark.recordings
@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not beside the checkout")
def test_online_is_offline_on_recorded_days():
    histories = read_snapshot(RECORDED).histories

    def candles(pair):
        bars, made = histories[pair], []
        for row in np.flatnonzero(np.isfinite(bars.close)):
            prices = [
                Decimal(repr(float(bars.column(name)[row])))
                for name in ("open", "high", "low", "close", "volume")
            ]
            start = datetime.fromtimestamp(int(bars.time[row]), UTC)
            made.append(Candle(pair, 1440, start, *prices, 1))
        return made

    btc, eth = candles("BTC/USD")[-700:], candles("ETH/USD")[-700:]
    first = max(btc[0].start, eth[0].start)
    btc, eth = ([bar for bar in one if bar.start >= first] for one in (btc, eth))
    online = logged(eth, btc, step=10)
    found = replay_vectors(FEATURES, online, {"BTC/USD": btc, "ETH/USD": eth})
    assert found.compared > 20
    assert (found.differing, found.unavailable) == ((), 0)


def test_primary_as_a_strategy_enters_where_it_did_in_training():
    market = days("BTC/USD", 200)
    # A day that is missing begins the channel anew, here as there.
    market = [bar for number, bar in enumerate(market) if number != 90]
    table = bars_until(market[-1].start, 200, market, market)
    expected = upper_half(table)
    strategy = UpperHalf()
    state, entered = strategy.start(), {}
    for bar in market:
        state = strategy.update(state, bar)
        idea = strategy.propose(
            state, market_at(bar), BITCOIN, "04d308de-35e9-4ff4-915f-1a4d4d26a682"
        )
        entered[bar.start] = idea is not None
        if idea is not None:
            assert idea.hold_maximum == timedelta(days=15)
    for row, when in enumerate(table.time):
        start = datetime.fromtimestamp(int(when), UTC)
        if start in entered:
            assert entered[start] == bool(expected[row]), start
    assert 0 < sum(entered.values()) < len(entered)
