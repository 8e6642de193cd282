"""Scheduled reports: made from the record by their workflow, stored once, read in every form."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import pytest_asyncio

from activities.accounts.written_reports import WrittenReports
from activities.adapters.postgres.accounts.report_record import PostgresReports, document_hash
from activities.adapters.postgres.learning.backtests import PostgresBacktests
from activities.learning.backtests import BacktestActivities
from infra.runtime.database.connections import Database, Role
from models.contracts.reports import REPORTS
from tests.support.platform import a_key
from workers.research.assembly import BACKTEST_COMMAND as COMMAND
from workers.research.process import research_worker


@pytest_asyncio.fixture
async def research(platform, postgres, api_database) -> AsyncIterator:
    writing = Database(postgres.url(Role.LEARNING, api_database))
    reading = Database(postgres.url(Role.READER, api_database))
    reports = WrittenReports(PostgresReports(reading, writing), lambda: datetime.now(UTC))
    backtests = BacktestActivities(PostgresBacktests(writing), COMMAND, lambda: datetime.now(UTC))
    async with research_worker(platform.services.client, backtests, reports):
        yield
    await writing.close()
    await reading.close()


async def test_every_kind_is_made_stored_and_read_in_every_form(
    platform, research, postgres, api_database
):
    account = await platform.add_account()
    await platform.set_market()
    path = f"/api/v1/accounts/{account}/reports"
    for kind in REPORTS:
        answer = await platform.caller.post(path, json={"kind": kind}, headers=a_key())
        assert answer.status_code == 200, answer.text
        one = f"{path}/{answer.json()['number']}"
        content = (await platform.caller.get(one)).json()
        assert content["kind"] == kind
        assert content["sections"]
        page = await platform.caller.get(one, params={"format": "html"})
        assert content["title"] in page.text
        table = await platform.caller.get(one, params={"format": "csv"})
        assert table.headers["content-type"].startswith("text/csv")
    told = await platform.audited(account, "report_made")
    assert sorted(row["details"]["kind"] for row in told) == sorted(REPORTS)
    figures = {row["details"]["kind"]: row["details"]["figures"] for row in told}
    assert figures["costs"].startswith("Trades 0, Fees 0.00 USD")
    assert "Cost of turnover not known" in figures["costs"]
    assert all(figures.values())
    listed = (await platform.caller.get(path)).json()
    assert [row["kind"] for row in listed] == list(reversed(REPORTS))
    only = (await platform.caller.get(path, params={"kind": "costs"})).json()
    assert [row["kind"] for row in only] == ["costs"]
    with (
        psycopg.connect(postgres.url(Role.LEARNING, api_database)) as connection,
        pytest.raises(psycopg.Error),
    ):
        connection.execute("UPDATE reports SET kind = 'costs'")


def note_decision(connection, version: int, data: str, bar: datetime, *, shadow: bool) -> None:
    """Write down a model of some data, and one decision of it."""
    connection.execute(
        """INSERT INTO model_versions (version, run_id, trial, sha256, signature, feature_hash,
               data_hash, code_version, registered_at)
           VALUES (%s, %s, 't', 's', 'g', 'f', %s, 'c', now())""",
        (version, f"run-{version}", data),
    )
    connection.execute(
        """INSERT INTO champion_predictions (idea_id, version, feature_hash, symbol, bar_start,
               vector, taken, refusal, hard, microseconds, contributions, regime, shadow,
               decided_at)
           VALUES (%s, %s, 'f', 'BTC/USD', %s, '[]', false, 'stale', false, 1, '{}', '', %s,
               now())""",
        (f"idea-{version}", version, bar, shadow),
    )


async def test_provenance_of_a_report_is_audited(platform, research, postgres, api_database):
    account = await platform.add_account()
    await platform.set_market()
    path = f"/api/v1/accounts/{account}/reports"
    made = await platform.caller.post(path, json={"kind": "learning"}, headers=a_key())
    stored = (await platform.caller.get(f"{path}/{made.json()['number']}")).json()
    (row,) = await platform.audited(account, "report_made")
    found = row["details"]
    assert (found["models"], found["data"]) == ("none", "none")
    since, until = (datetime.fromisoformat(found[name]) for name in ("since", "until"))
    for name, moment in (("since", since), ("until", until)):
        assert datetime.fromisoformat(stored[name]) == moment.replace(microsecond=0)
    # Whoever has the record can tell whether its document is the one that was made.
    with psycopg.connect(postgres.url("postgres", api_database)) as connection:
        query = "SELECT document FROM reports WHERE account_id = %s"
        (document,) = connection.execute(query, (account,)).fetchone()
        assert found["document"] == document_hash(document)
        changed = {**document, "title": "another"}
        assert found["document"] != document_hash(changed)
        # Two models decided in the span, a third in shadow, a fourth before it.
        inside = until - timedelta(seconds=1)
        note_decision(connection, 901, "a" * 64, inside, shadow=False)
        note_decision(connection, 902, "b" * 64, inside, shadow=False)
        note_decision(connection, 903, "c" * 64, inside, shadow=True)
        note_decision(connection, 904, "d" * 64, since - timedelta(days=1), shadow=False)
        connection.commit()
    answer = await platform.caller.post(path, json={"kind": "costs"}, headers=a_key())
    assert answer.status_code == 200, answer.text
    told = await platform.audited(account, "report_made")
    (costs,) = [one["details"] for one in told if one["details"]["kind"] == "costs"]
    assert (costs["models"], costs["data"]) == ("901, 902", f"{'a' * 64}, {'b' * 64}")


async def test_report_of_the_same_moment_is_one(platform, research):
    account = await platform.add_account()
    await platform.set_market()
    path = f"/api/v1/accounts/{account}/reports"
    numbers = [
        (await platform.caller.post(path, json={"kind": "costs"}, headers=a_key())).json()["number"]
        for _ in range(2)
    ]
    assert len(set(numbers)) == 1


async def test_other_accounts_reports_are_not_found(platform, research):
    account, other = await platform.add_account(), await platform.add_account()
    await platform.set_market()
    made = await platform.caller.post(
        f"/api/v1/accounts/{account}/reports", json={"kind": "lots"}, headers=a_key()
    )
    number = made.json()["number"]
    answer = await platform.caller.get(f"/api/v1/accounts/{other}/reports/{number}")
    assert answer.status_code == 404
