"""Backtests over the API: real record, real workflows, and the real process that tries them."""

import asyncio
import math
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
import pytest_asyncio

from activities.adapters.postgres.learning.backtests import PostgresBacktests
from activities.learning.backtests import BacktestActivities
from infra.runtime.database.connections import Database, Role
from models.contracts.backtests import WAITING_MAXIMUM
from tests.support.learning.training import write_market
from tests.support.platform import a_key
from tests.support.temporal import eventually
from workers.research.assembly import BACKTEST_COMMAND as COMMAND
from workers.research.process import research_worker

PATH = "/api/v1/backtests"
ASKED = {"strategies": ["donchian_ensemble"], "venue": "kraken", "pairs": ["BTC/USD"]}
ENDLESS = (sys.executable, "-c", "import sys; sys.stdin.read()")
DYING = (sys.executable, "-c", "import sys; sys.exit('out of luck')")


@pytest_asyncio.fixture
async def research(platform, postgres, api_database, tmp_path, monkeypatch) -> AsyncIterator:
    """Return what runs the research process's worker, by its command."""
    database = Database(postgres.url(Role.LEARNING, api_database))
    monkeypatch.setattr(platform.services.settings, "learning_data", write_market(tmp_path))
    monkeypatch.setenv("AETHER_LEARNING_DATA", str(tmp_path))
    monkeypatch.setenv("AETHER_DATABASE_URL", postgres.url(Role.LEARNING, api_database))

    def worker(command=COMMAND):
        steps = BacktestActivities(PostgresBacktests(database), command, lambda: datetime.now(UTC))
        return research_worker(platform.services.client, steps)

    yield worker
    await database.close()


async def start(platform, **changed) -> str:
    answer = await platform.caller.post(PATH, json=ASKED | changed, headers=a_key())
    assert answer.status_code == 202, answer.text
    return answer.json()["run_id"]


async def view(platform, run_id):
    return (await platform.caller.get(f"{PATH}/{run_id}")).json()


async def ended(platform, run_id):
    async def over():
        return (await view(platform, run_id))["state"] not in ("queued", "running")

    await eventually(over, f"{run_id} ends", seconds=180)
    return await view(platform, run_id)


async def test_backtest_is_run_kept_compared_and_downloaded(platform, research):
    async with research():
        first = await start(platform)
        second = await start(platform, strategies=["volatility_managed"], slippage=0.001)
        one, other = [await ended(platform, run_id) for run_id in (first, second)]
    assert [one["state"], other["state"]] == ["finished", "finished"], (one, other)
    [result] = one["results"]
    assert Decimal(result["figures"]["total"]) != 0
    assert result["trades_total"] == len(result["trades"]) > 0
    assert result["curve"][-1]["equity"] != result["curve"][0]["equity"]
    page = await platform.caller.get(f"{PATH}/{first}/page")
    assert page.headers["content-disposition"].startswith("attachment")
    assert "<svg" in page.text
    compared = await platform.caller.get(
        f"{PATH}/comparison", params={"first": first, "second": second}
    )
    rows = {row["name"]: row for row in compared.json()["figures"]}
    total = rows["total"]
    assert Decimal(total["difference"]) == Decimal(total["second"]) - Decimal(total["first"])
    assert compared.json()["obstacles"] == ["slippage: 0.0005 and 0.001"]
    listed = (await platform.caller.get(PATH)).json()
    assert {row["run_id"] for row in listed} >= {first, second}


async def test_sweep_walk_forward_and_engine_are_carried_out_and_told(platform, research):
    sweep = {"sweep": ["volatility_target=0.2,0.4"], "walk_forward": True}
    async with research():
        swept, referred, never = [
            await ended(platform, await start(platform, **changed))
            for changed in (
                sweep,
                {"engine": "reference"},
                {"engine": "reference", "strategies": ["cross_sectional_momentum"]},
            )
        ]
    assert swept["state"] == "finished", swept["reason"]
    assert swept["asked"]["sweep"] == sweep["sweep"]
    names = [f"donchian_ensemble[volatility_target={value}]" for value in ("0.2", "0.4")]
    assert [result["strategy"] for result in swept["results"]] == names
    walks = [result["walk_forward"] for result in swept["results"]]
    assert walks[0] == walks[1]
    assert set(walks[0]["chosen"]) <= set(names)
    assert (walks[0]["reason"] == "") == (walks[0]["total"] is not None)
    assert all(one["notes"][-1].startswith("No evidence: its par") for one in swept["results"])
    page = await platform.caller.get(f"{PATH}/{swept['run_id']}/page")
    assert "<h2>Walk-forward</h2>" in page.text
    assert referred["state"] == "finished", referred["reason"]
    [result] = referred["results"]
    assert "the fast engine differs on" in result["notes"][0]
    assert result["walk_forward"] is None
    assert never["state"] == "refused"
    assert "the fast engine runs it" in never["reason"]


async def test_missing_data_refuses_with_a_reason(platform, research):
    async with research():
        for changed, reason in (
            ({"pairs": ["ETH/USD"]}, "the venue kraken holds no candles of 1440 minutes"),
            ({"venue": "record", "pairs": ["XMR/USD"]}, "the venue record holds no candles"),
            ({"strategies": ["hearsay"]}, "no strategy is named 'hearsay'"),
            ({"fees": "2001-01-01"}, "no schedule took effect on 2001-01-01"),
        ):
            found = await ended(platform, await start(platform, **changed))
            assert found["state"] == "refused"
            assert reason in found["reason"]
            assert found["results"] == []


async def test_own_candles_of_the_record_are_tried(platform, research, postgres, api_database):
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    rows = [
        ("BTC/USD", 1440, begin + timedelta(days=n), 100 + n, 103 + n, 99 + n, 101 + n, 50, 9)
        for n in range(300)
    ]
    with psycopg.connect(postgres.url(Role.MARKET, api_database)) as connection:
        connection.cursor().executemany(
            "INSERT INTO candles VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            rows,
        )
    async with research():
        run_id = await start(platform, venue="record", begin="2025-08-01T00:00:00Z")
        found = await ended(platform, run_id)
    assert found["state"] == "finished", found["reason"]
    [result] = found["results"]
    assert Decimal(result["figures"]["total"]) != 0
    assert result["sources"] == ["record/BTC/USD"]
    assert result["curve"][0]["at"].startswith("2025-08-0")
    choices = (await platform.caller.get(f"{PATH}/choices")).json()
    assert "record" in {row["venue"] for row in choices["recordings"]}


async def test_trades_after_the_version_was_fixed_become_its_evidence_once(
    platform, research, postgres, api_database
):
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    levels = [1000 + 400 * math.sin(n / 25) for n in range(900)]
    rows = [
        ("LTC/USD", 1440, begin + timedelta(days=n), level, level + 5, level - 5, level, 90000, 9)
        for n, level in enumerate(levels)
    ]
    with psycopg.connect(postgres.url(Role.MARKET, api_database)) as connection:
        connection.cursor().executemany(
            "INSERT INTO candles VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            rows,
        )
    async with research():
        for changed in ({}, {}, {"fees": "0/0"}):
            run_id = await start(platform, venue="record", pairs=["LTC/USD"], **changed)
            found = await ended(platform, run_id)
            assert found["state"] == "finished", found["reason"]
            note = found["results"][0]["notes"][-1]
            assert note.startswith("No evidence: its fees" if changed else "Evidence: ")
    counted = await platform.audited("platform", "backtest_counted")
    again, first = (row["details"]["counted"] for row in counted)
    assert again == "0"
    with psycopg.connect(postgres.url(Role.APP, api_database)) as connection:
        connection.execute("SELECT set_config('aether.account_id', 'platform', false)")
        results = connection.execute(
            "SELECT strategy, strategy_version, source, symbol, closed_at FROM strategy_results"
        ).fetchall()
    assert str(len(results)) == first
    assert len(results) > 2
    assert {row[:4] for row in results} == {("donchian_ensemble", "1", "backtest", "LTC/USD")}
    assert min(row[4] for row in results) > datetime(2026, 11, 30, tzinfo=UTC)


async def test_cancelled_backtest_ends_at_once_and_stays_cancelled(platform, research):
    async with research(ENDLESS):
        running, waiting = await start(platform), await start(platform)

        async def runs():
            return (await view(platform, running))["state"] == "running"

        await eventually(runs, "the first runs")
        for run_id in (waiting, running):
            answer = await platform.caller.post(f"{PATH}/{run_id}/cancel", headers=a_key())
            assert answer.status_code == 200
            assert (await ended(platform, run_id))["state"] == "cancelled"
    again = await platform.caller.post(f"{PATH}/{running}/cancel", headers=a_key())
    assert again.json()["state"] == "cancelled"
    assert len(await platform.audited("platform", "backtest_cancelled")) >= 2


async def test_process_that_dies_again_and_again_is_a_refusal(platform, research, monkeypatch):
    async with research(DYING):
        found = await ended(platform, await start(platform))
    assert found["state"] == "refused"
    assert "out of luck" in found["reason"]


async def test_same_key_is_one_backtest(platform, research):
    key = a_key()
    answers = await asyncio.gather(
        *(platform.caller.post(PATH, json=ASKED, headers=key) for _ in range(3))
    )
    ids = {answer.json()["run_id"] for answer in answers}
    assert len(ids) == 1
    await platform.caller.post(f"{PATH}/{ids.pop()}/cancel", headers=a_key())


async def test_what_has_ended_cannot_be_changed(platform, research, postgres, api_database):
    async with research():
        found = await ended(platform, await start(platform, pairs=["ETH/USD"]))
    with (
        psycopg.connect(postgres.url(Role.LEARNING, api_database)) as connection,
        pytest.raises(psycopg.Error, match="has ended"),
    ):
        connection.execute(
            "UPDATE backtests SET state = 'finished' WHERE run_id = %s", (found["run_id"],)
        )


@pytest.mark.parametrize(
    "changed",
    [
        {"strategies": []},
        {"venue": "../kraken"},
        {"pairs": ["'; DROP TABLE candles"]},
        {"capital": 0},
        {"capital": "NaN"},
        {"fees": "nan/1"},
        {"begin": "2025-01-02T00:00:00Z", "end": "2025-01-01T00:00:00Z"},
        {"begin": "2025-01-02T00:00:00"},
        {"sweep": {}},
        {"sweep": ["volatility_target"]},
        {"sweep": ["volatility_target=0.1,0.2", "volatility_target=0.3"]},
        {"sweep": ["volatility_target=" + ",".join(["0.1"] * 9), "band=" + ",".join(["1"] * 9)]},
        {"walk_forward": True},
        {"engine": "quick"},
    ],
)
async def test_what_makes_no_sense_is_refused(platform, changed):
    answer = await platform.caller.post(PATH, json=ASKED | changed, headers=a_key())
    assert answer.status_code == 422, answer.text


async def test_too_many_are_refused(platform, research):
    ids = []
    refused = None
    for _ in range(WAITING_MAXIMUM + 1):
        answer = await platform.caller.post(PATH, json=ASKED, headers=a_key())
        if answer.status_code == 409:
            refused = answer.json()
            break
        ids.append(answer.json()["run_id"])
    assert refused is not None
    assert refused["type"].endswith("too-many-wait")
    async with research(ENDLESS):
        for run_id in ids:
            await platform.caller.post(f"{PATH}/{run_id}/cancel", headers=a_key())
        for run_id in ids:
            await ended(platform, run_id)


def fill_history(postgres, api_database, venue, symbol, rows):
    """Keep days of history; a row is (day, prices and volume, how late it was known)."""
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    with psycopg.connect(postgres.url(Role.MARKET, api_database)) as connection:
        number = connection.execute(
            "INSERT INTO history_series (venue, symbol, interval_minutes) VALUES (%s, %s, 1440)"
            " RETURNING series_id",
            (venue, symbol),
        ).fetchone()[0]
        connection.cursor().executemany(
            "INSERT INTO history_candles VALUES (%s, %s, %s, %s, %s, %s, %s, 9, %s)",
            [
                (
                    number,
                    begin + timedelta(days=day),
                    *figures,
                    begin + timedelta(days=day + 1) + late,
                )
                for day, figures, late in rows
            ],
        )


AT_ONCE = timedelta(0)


def level(day):
    return 100 + day, 103 + day, 99 + day, 101 + day, 50_000


async def test_kept_history_is_tried_as_it_was_known(platform, research, postgres, api_database):
    rows = [(n, level(n), AT_ONCE) for n in range(300) if n not in (100, 101, 200)]
    rows[40] = (40, (*level(40)[:4], None), AT_ONCE)
    rows[50] = (50, level(50), timedelta(hours=2))
    # Of the last day nobody knew before the end of the backtest.
    rows[-1] = (299, level(299), timedelta(days=400))
    fill_history(postgres, api_database, "kraken", "BTC/USD", rows)
    fill_history(
        postgres, api_database, "coingecko", "SOL/USD",
        [(n, (None, None, None, 100 + n, None), AT_ONCE) for n in range(300)],
    )  # fmt: skip
    choices = (await platform.caller.get(f"{PATH}/choices")).json()
    offered = {row["venue"]: row for row in choices["recordings"]}
    assert offered["history.kraken"]["symbol"] == "BTC/USD"
    assert offered["history.kraken"]["first"].startswith("2025-01-01")
    async with research():
        end = "2025-11-01T00:00:00Z"
        found = await ended(platform, await start(platform, venue="history.kraken", end=end))
        closes_only = await ended(
            platform, await start(platform, venue="history.coingecko", pairs=["SOL/USD"])
        )
    assert found["state"] == "finished", found["reason"]
    [result] = found["results"]
    assert "hindsight" not in " ".join(result["notes"])
    assert result["sources"] == ["history.kraken/BTC/USD"]
    assert Decimal(result["figures"]["total"]) != 0
    assert result["curve"][-1]["at"].startswith("2025-10-2")
    noted = result["notes"][0]
    assert "1 bars left out, without all of open, high, low and volume" in noted
    assert "1 bars left out, known only after their end" in noted
    assert "5 bars of BTC/USD absent, at most 2 together, from 2025-04-11 00:00 on" in noted
    assert closes_only["state"] == "refused"
    assert "SOL/USD of 1440 minutes: 300 bars left out, without all" in closes_only["reason"]
