"""Capital, drawdown, days and portfolios over the API, on a real record and real workflows."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from models.contracts.days import DaysClosed, DayToClose
from models.contracts.names import account_workflow_id, daily_reset_workflow_id
from models.trading.account.capital.facts import PricesMarked
from models.trading.account.state import AccountState
from models.trading.market import Candle
from tests.support.fakes import BITCOIN
from tests.support.people import signed_in
from tests.support.platform import PORT_BASE, PRICE, a_key
from tests.support.temporal import eventually

MOVE = {"kind": "deposit", "amount": "5000", "note": "a test's own"}


async def post(platform, path, body, key=None):
    answer = await platform.caller.post(
        f"/api/v1/accounts/{path}", json=body, headers=key or a_key()
    )
    return answer.status_code, answer.json()


async def get(platform, path, **parameters):
    answer = await platform.caller.get(f"/api/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def mark(platform, account, price=PRICE):
    """Tell the account a price as the market worker does, and mark it in the record."""
    now = datetime.now(UTC)
    handle = platform.services.client.get_workflow_handle(account_workflow_id(account))
    await handle.signal("prices_marked", PricesMarked({BITCOIN.symbol: Decimal(price)}, now, now))

    async def seen():
        state = await handle.query("snapshot", result_type=AccountState)
        return state.market_time is not None and state.market_time >= now

    await eventually(seen, "the price is taken in")


async def measured(platform):
    account = await platform.add_account()
    exchange = await platform.start_account(account)
    await mark(platform, account)

    async def recorded():
        answer = await platform.caller.get(f"/api/v1/accounts/{account}/drawdown")
        return answer.status_code == 200

    await eventually(recorded, "the account is measured")
    return account, exchange


async def test_deposit_is_capital_and_never_profit(platform):
    account, exchange = await measured(platform)
    key = a_key()
    for _ in range(2):
        status, answer = await post(platform, f"{account}/capital", MOVE, key)
        assert (status, answer["code"]) == (202, "accepted")

    async def counted():
        found = await get(platform, f"accounts/{account}/capital")
        return found if found["nav"] == "105000" else None

    found = await eventually(counted, "the deposit is in the balances")
    (flow,) = found["flows"]
    assert (flow["amount"], flow["value"], flow["source"]) == ("5000", "5000", "by_hand")
    assert flow["author"] != "exchange"
    assert found["contributed"] == "5000"
    assert [b["profit"] for b in found["baselines"]] == ["0"]
    assert exchange.totals["USD"] == 105000
    view = await get(platform, f"accounts/{account}")
    assert Decimal(view["day_pnl_share"]) == 0
    drawdown = await get(platform, f"accounts/{account}/drawdown")
    assert (drawdown["flows"], drawdown["daily_share"]) == ("5000", "0")
    portfolio = await get(platform, f"accounts/{account}/portfolio")
    assert (portfolio["nav"], portfolio["exposure"]) == ("105000", "0")
    assert portfolio["valued_at"] == "the bid"
    lines = (await get(platform, "status"))["accounts"]
    assert {line["account"]: line["valued_at"] for line in lines}[account] == "the bid"
    assert Decimal(portfolio["return_share"]) == 0
    together = await get(platform, "portfolio")
    assert together["modes"][account] == "simulated"
    apart = [Decimal(one["nav"]) for one in together["by_mode"].values()]
    assert sum(apart) == Decimal(together["total"]["nav"])
    simulated = [name for name, mode in together["modes"].items() if mode == "simulated"]
    navs = [Decimal(together["accounts"][name]["nav"]) for name in simulated]
    assert Decimal(together["by_mode"]["simulated"]["nav"]) == sum(navs)
    actions = {row["action"] for row in await get(platform, f"audit/{account}")}
    assert {"capital_requested", "capital_moved"} <= actions


async def test_wish_that_cannot_be_is_a_problem_and_moves_nothing(platform):
    account, exchange = await measured(platform)
    for changes, code in (
        ({"kind": "withdrawal", "amount": "100000.01"}, "insufficient-balance"),
        ({"amount": "0.00001"}, "invalid-flow"),
        ({"amount": "-5"}, "invalid-request"),
        ({"amount": "NaN"}, "invalid-request"),
        ({"asset": "XYZ"}, "unknown-pair"),
        ({"note": ""}, "invalid-request"),
    ):
        status, problem = await post(platform, f"{account}/capital", {**MOVE, **changes})
        expected = 404 if code == "unknown-pair" else 422
        assert (status, problem["type"]) == (expected, f"urn:aether:problem:{code}")
    assert exchange.totals["USD"] == 100000
    status, problem = await post(platform, "nobody/capital", MOVE)
    assert status == 404


async def test_halt_and_day_are_shown_and_closed_once(platform):
    account, _ = await measured(platform)
    handle = platform.services.client.get_workflow_handle(account_workflow_id(account))
    entry = {"symbol": "BTC/USD", "stop_price": "49500", "quantity": "0.5"}
    status, opened = await post(platform, f"{account}/trades", entry)
    assert status == 202, opened

    async def holds():
        state = await handle.query("snapshot", result_type=AccountState)
        return state.trades[1].bought > 0

    await eventually(holds, "the entry is filled")
    # Beyond the hard level of the day, and not yet of the week.
    await mark(platform, account, 39000)
    status, refused = await post(platform, f"{account}/trades", entry)
    assert (status, refused["type"]) == (409, "urn:aether:problem:daily-drawdown")
    tomorrow = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow += timedelta(days=1)
    close = Decimal(40000)
    bar = Candle("BTC/USD", 1, tomorrow - timedelta(minutes=1), *[close] * 4, Decimal(1))
    await platform.market.save_candles([bar])
    for number in range(2):
        closed = await platform.services.client.execute_workflow(
            "DailyResetWorkflow",
            DayToClose(account, tomorrow + timedelta(seconds=5)),
            id=f"{daily_reset_workflow_id(account)}/{number}",
            task_queue="trading",
            result_type=DaysClosed,
        )
        assert closed.boundaries == ((tomorrow,) if number == 0 else ())
    (day,) = await get(platform, f"accounts/{account}/days")
    # Half a bitcoin bought at 50,000 with its fee of 100, worth 20,000 at the boundary.
    figures = [Decimal(day[name]) for name in ("closing_equity", "profit", "fees")]
    assert figures == [94900, -5100, 100]
    assert day["halted"] is True
    assert (await get(platform, f"accounts/{account}"))["state"] == "trading"
    path = f"/api/v1/accounts/{account}/drawdown/lift"
    async with signed_in(platform.app, PORT_BASE, platform.admin, factors=2) as person:
        none = await person.post(path, json={"reason": "not there"}, headers=a_key())
    assert (none.status_code, none.json()["type"]) == (409, "urn:aether:problem:not-halted")
    actions = {row["action"] for row in await get(platform, f"audit/{account}")}
    assert {"drawdown_halted", "day_closed"} <= actions


async def test_portfolios_are_told_together(platform):
    account, _ = await measured(platform)
    found = await get(platform, "portfolio", since="2020-01-01T00:00:00Z")
    assert account in found["accounts"]
    navs = sum(Decimal(one["nav"]) for one in found["accounts"].values())
    assert Decimal(found["total"]["nav"]) == navs
    assert (await platform.caller.get(f"/api/v1/accounts/{uuid4()}/portfolio")).status_code == 404
