import asyncio
import json
import subprocess
import sys
import threading

import aiohttp
import pytest

from tests.support.exchange_server import REPOSITORY, Process, keys_file, running

LOCKSTEP = ("--speed", "lockstep", "--warmup-bars", "2", "--bar-minutes", "15")


@pytest.fixture
def process(tmp_path):
    exchange = Process(tmp_path / "state", *LOCKSTEP)
    yield exchange
    exchange.kill()


async def test_killed_exchange_forgets_no_acknowledged_order(process):
    process.start()
    async with process.client() as exchange:
        await exchange.buy("0.1", **{"close[ordertype]": "stop-loss", "close[price]": "9000"})
        resting = await exchange.rest_order(cl_ord_id="mine-1")
        await exchange.steps(20)
        withdrawn = await exchange.rest_order(cl_ord_id="mine-2")
        await exchange.result("CancelOrder", txid=withdrawn)
        match = {"account": "company", "pair": "BTC/USD"}
        await exchange.fault("fill_after_cancel", match)
        await exchange.result("CancelAllOrdersAfter", timeout="3600")
        await exchange.price("64000.0")
        token = await exchange.token()
        before = [await exchange.record(name) for name in exchange.keys]
        state = (await exchange.control("state"))[1]
        books = await exchange.public("Depth", pair="XBTUSD")
        candles = await exchange.public("OHLC", pair="XBTUSD")
    process.kill()
    process.start()
    async with process.client() as exchange:
        assert [await exchange.record(name) for name in exchange.keys] == before
        assert (await exchange.control("state"))[1] == state
        assert (await exchange.public("Depth", pair="XBTUSD"))["result"] == books["result"]
        assert (await exchange.public("OHLC", pair="XBTUSD"))["result"] == candles["result"]
        assert await exchange.error("Balance", nonce=1) == ["EAPI:Invalid nonce"]
        assert await exchange.result("CancelOrder", txid=resting) == {"count": 1}
        await exchange.control("clock", {"offset_seconds": 3601})
        async with asyncio.timeout(5):
            await exchange.executions(snap_orders=False).__aenter__()
        async with exchange.socket() as socket:
            await socket.send("subscribe", 1, channel="balances", token=token)
            assert not (await socket.answer("subscribe", 1))["success"]


async def test_killed_at_any_moment_the_orders_are_those_acknowledged(process):
    """Kill while orders are pouring in: each acknowledged one is there, at most one more."""
    for round_number in range(3):
        process.start()
        acknowledged = []
        async with process.client() as exchange:
            known = {order["order_id"] for order in (await exchange.record())["orders"]}
            killer = threading.Timer(0.15 + 0.05 * round_number, process.process.kill)
            killer.start()
            try:
                while True:
                    pair = ("XBTUSD", "ETHUSD", "SOLUSD")[len(acknowledged) % 3]
                    placed = await exchange.private(
                        "AddOrder", pair=pair, type="buy", ordertype="market", volume="0.1"
                    )
                    acknowledged += placed.get("result", {}).get("txid", [])
            except (aiohttp.ClientError, OSError):
                killer.join()
        process.kill()
        process.start()
        async with process.client() as exchange:
            found = {order["order_id"] for order in (await exchange.record())["orders"]} - known
        assert set(acknowledged) <= found
        assert len(found) - len(acknowledged) <= 1
        process.kill()


async def test_identical_input_in_lockstep_gives_the_identical_record(tmp_path):
    async def session(name, directory):
        directory.mkdir()
        async with running(directory, seed=7) as exchange:
            for number in range(12):
                await exchange.steps(5)
                side = "buy" if number % 3 else "sell"
                await exchange.private(
                    "AddOrder", pair="ETHUSD", type=side, ordertype="market", volume="0.5"
                )
            await exchange.buy(
                "0.1", **{"close[ordertype]": "trailing-stop", "close[price]": "+1%"}
            )
            await exchange.steps(100)
            return await exchange.record()

    first = await session("first", tmp_path / "first")
    second = await session("second", tmp_path / "second")
    assert first["fills"]
    assert first == second


async def test_restart_in_lockstep_changes_nothing_of_what_follows(tmp_path):
    records = []
    for restarts in (False, True):
        process = Process(tmp_path / f"state-{restarts}", *LOCKSTEP)
        process.start()
        try:
            for part in range(3):
                async with process.client() as exchange:
                    await exchange.buy("0.01")
                    await exchange.steps(30)
                    record = await exchange.record()
                if restarts and part < 2:
                    process.kill()
                    process.start()
            records.append(record)
        finally:
            process.kill()
    assert records[0] == records[1]


async def test_killed_while_snapshots_are_written_it_starts_again_at_once(tmp_path):
    fast = ("--speed", "100000", "--warmup-bars", "2")
    process = Process(tmp_path / "state", *fast)
    process.start()
    port = process.described["rest"].rpartition(":")[2]
    process.arguments = (*fast, "--port", port)
    try:
        for _ in range(2):
            async with process.client() as exchange:
                orders = [await exchange.rest_order()]
                async with asyncio.timeout(20):
                    before = process.generation()
                    while process.generation() < before + 2:
                        state = (await exchange.control("state"))[1]
                orders.append(await exchange.rest_order())
            process.kill()
            process.start()
            async with process.client() as exchange:
                again = (await exchange.control("state"))[1]
                assert again["step"] >= state["step"]
                assert set(orders) <= set((await exchange.result("OpenOrders"))["open"])
    finally:
        process.kill()


async def test_orderly_stop_writes_everything_into_one_snapshot(process):
    process.start()
    async with process.client() as exchange:
        await exchange.rest_order()
        record = await exchange.record()
    process.terminate()
    assert process.process.returncode == 0
    journals = list(process.state.glob("journal-*.jsonl"))
    assert [journal.read_bytes() for journal in journals] == [b""]
    process.start()
    async with process.client() as exchange:
        assert await exchange.record() == record


def refused(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "workers.exchange", *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_damaged_state_is_one_clear_line_and_code_2(process):
    process.start()
    process.terminate()
    snapshot = next(process.state.glob("snapshot-*.json"))
    content = bytearray(snapshot.read_bytes())
    content[50] ^= 1
    snapshot.write_bytes(content)
    assert "Move the directory away" in refused("--state", process.state, *LOCKSTEP)


def test_state_of_another_market_or_another_server_is_refused(process, tmp_path):
    process.start()
    assert "another exchange is running" in refused("--state", process.state, *LOCKSTEP)
    process.terminate()
    others = keys_file(tmp_path)
    rows = [{**row, "account": f"x-{row['account']}"} for row in json.loads(others.read_text())]
    others.write_text(json.dumps(rows))
    options = ("--state", process.state, *LOCKSTEP)
    assert "belongs to accounts" in refused(*options, "--accounts", others)
    assert "does not fit" in refused(*options, "--seed", "9")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--market", "moon"), "is unknown"),
        (("--market", "replay:missing.parquet"), "cannot be replayed"),
        (("--speed", "fast"), "choose a number above zero, or lockstep"),
        (("--speed", "-1"), "choose a number above zero, or lockstep"),
        (("--accounts", "nowhere.json"), "cannot be read"),
    ],
)
def test_bad_start_is_one_clear_line_and_code_2(tmp_path, arguments, words):
    assert words in refused("--state", tmp_path / "state", *arguments)
