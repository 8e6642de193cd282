"""How far the exchange's clock is from ours is told, once it was heard and not before."""

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from activities.adapters.kraken.exchange_clock import ExchangeClock
from activities.metrics import CLOCK_OFFSET

AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def told():
    return REGISTRY.get_sample_value("aether_exchange_clock_offset_seconds", {"source": "exchange"})


def test_the_offset_is_missing_until_it_was_heard_and_then_signed():
    CLOCK_OFFSET.clear()
    clock = ExchangeClock()
    assert told() is None
    clock.learn(AT + 10 * SECOND, AT, AT + 2 * SECOND)  # too slow an answer says too little
    assert told() is None
    clock.learn(AT + 3 * SECOND, AT, AT)
    assert told() == pytest.approx(3)
    clock.learn(AT - 3 * SECOND, AT, AT)
    assert told() == pytest.approx(-3)
