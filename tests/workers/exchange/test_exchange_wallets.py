"""Wallets of the simulated exchange: auto-earn, staking, rewards, credits; booked once."""

from decimal import Decimal

import pytest

from tests.support.exchange_server import Process


async def book(exchange, *rows, reference="b-1", account="company"):
    named = [dict(zip(("type", "subtype", "asset", "amount"), row, strict=True)) for row in rows]
    body = {"account": account, "reference": reference, "rows": named}
    return await exchange.control("bookings", body)


async def earn(exchange):
    return await exchange.control("faults", {"kind": "auto_earn", "match": {"account": "company"}})


async def test_auto_earn_moves_coins_to_the_altnames_wallet_and_the_ledger_tells(exchange):
    assert (await book(exchange, ("deposit", "", "BTC", "0.05")))[0] == 200
    assert (await earn(exchange))[0] == 200
    balances = await exchange.result("BalanceEx")
    assert Decimal(balances["XXBT"]["balance"]) == 0
    assert Decimal(balances["XBT.F"]["balance"]) == Decimal("0.05")
    rows = list((await exchange.result("Ledgers", type="earn"))["ledger"].values())
    assert [(row["asset"], row["subtype"], Decimal(row["balance"])) for row in rows] == [
        ("XBT.F", "autoallocation", Decimal("0.05")),
        ("XXBT", "autoallocation", 0),
    ]
    assert rows[0]["refid"] == rows[1]["refid"]


async def test_sale_takes_coins_out_of_the_earning_wallet_and_never_goes_below_zero(exchange):
    await book(exchange, ("deposit", "", "BTC", "0.05"))
    await earn(exchange)
    order = {"pair": "XBTUSD", "type": "sell", "ordertype": "market", "volume": "0.03"}
    await exchange.result("AddOrder", **order)
    record = await exchange.record()
    balances = {a: Decimal(b["total"]) for a, b in record["balances"].items()}
    assert (balances["BTC"], balances["BTC.F"]) == (0, Decimal("0.02"))
    assert all(Decimal(entry["balance"]) >= 0 for entry in record["ledger"])
    back = [e["amount"] for e in record["ledger"] if e["subtype"] == "autodeallocation"]
    assert sorted(Decimal(amount) for amount in back) == [Decimal("-0.03"), Decimal("0.03")]


async def test_any_type_can_be_booked_once(exchange):
    rows = (("earn", "reward", "BTC.F", "0.001"), ("credit", "", "KFEE", "50"))
    status, first = await book(exchange, *rows)
    assert (status, [entry["asset"] for entry in first["entries"]]) == (200, ["BTC.F", "KFEE"])
    assert (await book(exchange, *rows))[1] == first
    balances = await exchange.result("Balance")
    assert Decimal(balances["KFEE"]) == 50


@pytest.mark.parametrize(
    "row",
    [
        ("earn", "", "BTC", "-1"),
        ("earn", "", "BTC.F", "NaN"),
        ("earn", "", "NOTHING.F", "1"),
        ("earn", "", "BTC.", "1"),
        ("earn", "", "BTC", "0"),
        ("earn", "", "BTC", "much"),
    ],
)
async def test_rows_that_do_not_fit_change_nothing(exchange, row):
    before = await exchange.record()
    assert (await book(exchange, ("deposit", "", "USD", "1"), row))[0] == 400
    assert await exchange.record() == before


async def test_auto_earn_of_nobody_is_refused(exchange):
    body = {"kind": "auto_earn", "match": {"account": "nobody"}}
    assert (await exchange.control("faults", body))[0] == 400


async def test_wallets_survive_a_kill(tmp_path):
    process = Process(tmp_path / "state", "--speed", "lockstep", "--warmup-bars", "2")
    try:
        process.start()
        async with process.client() as exchange:
            await book(exchange, ("deposit", "", "BTC", "0.05"))
            await earn(exchange)
            before = await exchange.record()
        process.kill()
        process.start()
        async with process.client() as exchange:
            assert await exchange.record() == before
            assert Decimal((await exchange.result("Balance"))["XBT.F"]) == Decimal("0.05")
    finally:
        process.kill()
