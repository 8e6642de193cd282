"""What is known of the pairs follows the exchange, whatever way a change becomes known."""

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.kraken.pair_rules import (
    LONGEST_PAUSE_SECONDS,
    REFRESH_SECONDS,
    PairRules,
    smells_of_stale_rules,
)
from activities.adapters.kraken.rest import orders as wire
from activities.ports.exchange_errors import ExchangeUnavailableError
from models.trading.instruments import InstrumentStatus
from models.trading.orders import Side
from tests.support.kraken_rows import ASSETS, PAIRS


class Kraken:
    """Answers AssetPairs and Assets; its pairs can be changed, its clock set."""

    def __init__(self):
        self.pairs = {name: dict(row) for name, row in PAIRS.items()}
        self.asked = 0
        self.is_down = False
        self.now = 0.0

    async def ask(self, method):
        self.asked += method == "AssetPairs"
        if self.is_down:
            raise ExchangeUnavailableError("down")
        return (
            {name: dict(row) for name, row in self.pairs.items()} if "Pairs" in method else ASSETS
        )

    def set_tick(self, tick, decimals):
        self.pairs["XXBTZUSD"] |= {"tick_size": tick, "pair_decimals": decimals}


@pytest.fixture
async def kraken():
    return Kraken()


@pytest.fixture
async def rules(kraken):
    rules = PairRules(kraken.ask, lambda: kraken.now)
    await rules.settle()
    yield rules
    await rules.close()


async def test_refusal_that_smells_of_stale_rules_has_them_read_again(kraken, rules):
    kraken.set_tick("1", 0)
    await rules.settle()
    assert rules.instruments["BTC/USD"].price_increment == Decimal("0.1")
    rules.suspect("EOrder:Tick size check failed")
    await rules.settle()
    assert rules.instruments["BTC/USD"].price_increment == 1
    assert rules.doubt is None


async def test_channel_tells_a_change_at_once_and_missing_fields_stay(rules):
    before, version = rules.instruments["BTC/USD"], rules.version
    row = {"symbol": "BTC/USD", "status": "online", "price_precision": 2, "price_increment": 0.01}
    rules.learn_rows([row])
    now = rules.instruments["BTC/USD"]
    assert (now.price_precision, now.price_increment) == (2, Decimal("0.01"))
    assert now.quantity_minimum == before.quantity_minimum
    assert rules.version == version + 1
    rules.learn_rows([row])
    assert rules.version == version + 1


async def test_channel_is_believed_against_an_answer_that_is_older(kraken, rules):
    row = {"symbol": "BTC/USD", "status": "cancel_only", "price_precision": 2}
    rules.learn_rows([row])
    await rules.read()
    assert rules.instruments["BTC/USD"].status is InstrumentStatus.CANCEL_ONLY
    kraken.now += 1000
    await rules.read()
    assert rules.instruments["BTC/USD"].status is InstrumentStatus.ONLINE


async def test_old_rules_are_read_again_in_the_background(kraken, rules):
    kraken.set_tick("1", 0)
    kraken.now += REFRESH_SECONDS
    await rules.settle()
    await rules.read()
    assert kraken.asked == 2
    assert rules.instruments["BTC/USD"].price_increment == 1


async def test_delisted_pair_stays_known_with_its_spellings(kraken, rules):
    row = kraken.pairs.pop("XXBTZUSD")
    await rules.read()
    assert rules.instruments["BTC/USD"].status is InstrumentStatus.DELISTED
    assert "BTC/USD" not in rules.listed
    assert (await rules.table()).symbol(row["altname"]) == "BTC/USD"
    kraken.pairs["XXBTZUSD"] = row
    await rules.read()
    assert rules.instruments["BTC/USD"].status is InstrumentStatus.ONLINE


async def test_pair_that_cannot_be_read_is_unknown_and_not_gone(kraken, rules):
    kraken.pairs["XXBTZUSD"]["pair_decimals"] = "some"
    await rules.read()
    assert rules.instruments["BTC/USD"].status is InstrumentStatus.UNKNOWN


async def test_answer_without_any_pair_delists_nothing(kraken, rules):
    kraken.pairs = {}
    with pytest.raises(ExchangeUnavailableError):
        await rules.read()
    assert rules.listed


async def test_renamed_pair_is_sent_under_its_new_id(kraken, rules):
    kraken.pairs["BTCUSD"] = {**kraken.pairs.pop("XXBTZUSD"), "altname": "BTCUSD"}
    rules.suspect("EQuery:Unknown asset pair")
    await rules.settle()
    assert rules.instruments["BTC/USD"].rest_id == "BTCUSD"
    table = await rules.table()
    assert {table.symbol(name) for name in ("BTCUSD", "XBTUSD", "XXBTZUSD")} == {"BTC/USD"}


async def test_orders_do_not_wait_for_an_exchange_that_does_not_answer(kraken, rules):
    kraken.is_down = True
    rules.suspect("EOrder:Tick size check failed")
    await rules.settle()
    assert rules.instruments["BTC/USD"].price_increment == Decimal("0.1")
    assert rules.doubt is not None
    kraken.is_down = False
    kraken.now += LONGEST_PAUSE_SECONDS
    await rules.settle()
    assert rules.doubt is None


async def test_doubts_that_change_nothing_are_asked_about_ever_more_rarely(kraken, rules):
    for _ in range(600):
        rules.suspect("EService:Market in cancel_only mode")
        await rules.settle()
        kraken.now += 0.25
    assert kraken.asked <= 12


async def test_doubt_that_comes_while_the_answer_is_on_its_way_is_kept(kraken):
    going = asyncio.Event()

    async def slow(method):
        answer = await kraken.ask(method)
        await going.wait()
        return answer

    rules = PairRules(slow, lambda: kraken.now)
    reading = asyncio.create_task(rules.read())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    kraken.now += 1
    rules.suspect("EOrder:Tick size check failed")
    going.set()
    await reading
    assert rules.doubt == "EOrder:Tick size check failed"
    await rules.close()


@pytest.mark.parametrize(
    ("raw", "smells"),
    [
        ("EOrder:Tick size check failed", True),
        ("EOrder:Invalid price:XXBTZUSD price can only be specified up to 0 decimals.", True),
        ("EOrder:Order minimum not met", True),
        ("EOrder:Cost minimum not met", True),
        ("EQuery:Unknown asset pair", True),
        ("EService:Market in cancel_only mode", True),
        ("EService:Market in post_only mode", True),
        ("EOrder:Insufficient funds", False),
        ("EAPI:Rate limit exceeded", False),
        ("", False),
    ],
)
def test_refusals_that_smell_of_stale_rules(raw, smells):
    assert smells_of_stale_rules(raw) is smells


TICKS = st.sampled_from([("0.1", 1), ("1", 0), ("0.01", 2), ("0.5", 1), ("5", 0)])
WAYS = st.sampled_from(["refusal", "channel", "schedule"])


@given(
    st.lists(st.tuples(TICKS, WAYS), min_size=1, max_size=8), st.decimals("10", "90000", places=3)
)
def test_prices_are_rounded_by_the_newest_rules_however_they_became_known(changes, price):
    async def story():
        kraken = Kraken()
        rules = PairRules(kraken.ask, lambda: kraken.now)
        await rules.settle()
        for (tick, decimals), way in changes:
            kraken.now += 500
            kraken.set_tick(tick, decimals)
            if way == "refusal":
                rules.suspect("EOrder:Tick size check failed")
                await rules.settle()
            elif way == "channel":
                row = {"symbol": "BTC/USD", "status": "online", "price_precision": decimals}
                rules.learn_rows([{**row, "price_increment": float(tick)}])
            else:
                await rules.read()
            instrument = rules.instruments["BTC/USD"]
            sent = Decimal(wire.trigger_text(price, Side.SELL, instrument))
            assert not sent % Decimal(tick)
            assert price <= sent < price + Decimal(tick)
            assert -sent.as_tuple().exponent <= decimals
        await rules.close()

    asyncio.run(story())
