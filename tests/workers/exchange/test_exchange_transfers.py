"""Deposits and withdrawals at the simulated exchange: booked once, within what is available."""

import pytest

from tests.support.exchange_server import Process


async def transfer(exchange, amount, reference="t-1", **changes):
    body = {"account": "company", "reference": reference, "asset": "USD", "amount": amount}
    return await exchange.control("transfers", {**body, **changes})


async def test_transfers_are_in_balance_ledger_and_stream(exchange):
    token = await exchange.token()
    async with exchange.socket() as socket:
        await socket.send("subscribe", 1, channel="balances", token=token)
        assert (await socket.answer("subscribe", 1))["success"]
        status, answer = await transfer(exchange, "2500.5")
        assert status == 200
        frame = await socket.channel("balances")
        (told,) = frame["data"]
        assert (told["type"], told["ledger_id"]) == ("deposit", answer["entry"]["ledger_id"])
    assert (await transfer(exchange, "-500", "t-2"))[1]["entry"]["kind"] == "withdrawal"
    assert (await exchange.result("Balance"))["ZUSD"] == "102000.5000"
    ledger = (await exchange.result("Ledgers", type="deposit"))["ledger"]
    assert ledger[answer["entry"]["ledger_id"]]["amount"] == "2500.5000"
    assert len((await exchange.result("Ledgers", type="withdrawal"))["ledger"]) == 1


async def test_repeated_reference_books_nothing_twice(exchange):
    first = await transfer(exchange, "100")
    assert await transfer(exchange, "100") == first
    status, answer = await transfer(exchange, "200")
    assert (status, "Reference" in answer["error"]) == (400, True)
    assert (await exchange.result("Balance"))["ZUSD"] == "100100.0000"
    other = await transfer(exchange, "100", account="director-1")
    assert other[1]["entry"]["ledger_id"] != first[1]["entry"]["ledger_id"]


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "0"},
        {"amount": "NaN"},
        {"amount": "much"},
        {"amount": "-100000.01"},
        {"asset": "NOTHING"},
        {"account": "nobody"},
        {"reference": ""},
    ],
)
async def test_transfer_that_does_not_fit_changes_nothing(exchange, changes):
    before = await exchange.record()
    body = {"account": "company", "reference": "t", "asset": "USD", "amount": "1", **changes}
    assert (await exchange.control("transfers", body))[0] == 400
    assert await exchange.record() == before


async def test_what_is_held_for_orders_cannot_be_withdrawn(exchange):
    await exchange.rest_order(price="20000.0", volume="4")
    assert (await transfer(exchange, "-50000"))[0] == 400
    assert (await transfer(exchange, "-15000"))[0] == 200


async def test_transfer_survives_a_kill(tmp_path):
    process = Process(tmp_path / "state", "--speed", "lockstep", "--warmup-bars", "2")
    try:
        process.start()
        async with process.client() as exchange:
            booked = await transfer(exchange, "77")
        process.kill()
        process.start()
        async with process.client() as exchange:
            assert await transfer(exchange, "77") == booked
            assert (await exchange.record())["balances"]["USD"]["total"] == "100077"
    finally:
        process.kill()
