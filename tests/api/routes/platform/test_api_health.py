"""Health is open, says what is lacking, and names every degraded mode."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from activities.adapters.postgres.record.protection import Protection
from api import degraded
from api.app import reach_temporal, watch_market_worker
from api.degraded import UNREACHED, UNREAD
from infra.runtime.state_directory import StateDirectory
from infra.runtime.temporal.access import LIFETIME, credentials_directory, ensure_credentials
from tests.support.temporal import eventually


async def test_what_could_not_be_read_in_time_is_said_and_not_left_out(platform, monkeypatch):
    monkeypatch.setattr(degraded, "READ_SECONDS", -1)
    ready = await platform.stranger.get("/readyz")
    assert ready.json()["degraded_modes"].count(UNREAD) == 1


async def test_ready_with_its_degraded_modes(platform):
    answer = await platform.stranger.get("/readyz")
    assert answer.status_code == 200
    found = answer.json()
    # What else there is to tell depends on which tests share the platform.
    expected = [
        "a degraded mode",
        "record: no checkpoint of the record was cosigned yet",
        UNREACHED,
    ]
    found["degraded_modes"] = [form for form in found["degraded_modes"] if form in expected]
    assert found == {
        "status": "ready",
        "checks": {
            "database": "ok",
            "workflow_engine": "ok",
            "workflows": "ok",
            "disk": "ok",
            "secrets": "ok",
        },
        "degraded_modes": expected,
    }
    assert (await platform.stranger.get("/healthz")).json() == {"status": "alive"}
    figures = (await platform.stranger.get("/metrics")).text
    assert "python_info" in figures
    assert "aether_audit_unprotected_rows_count" in figures
    assert "aether_audit_checkpoint_age_seconds" not in figures


async def test_not_ready_without_the_engine(without_engine):
    answer = await without_engine.stranger.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "ok"
    assert answer.json()["checks"]["workflow_engine"] != "ok"


async def test_not_ready_without_the_database_and_requests_say_so(without_engine, postgres):
    # Nobody can connect to the database any more, and the pool's connections are cut.
    name = without_engine.services.database.url.database
    administer(postgres, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    cut = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    administer(postgres, cut)
    try:
        ready = await without_engine.stranger.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["checks"]["database"] != "ok"
        answer = await without_engine.caller.get("/api/v1/accounts")
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:aether:problem:database-unavailable"
    finally:
        administer(postgres, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert (await without_engine.caller.get("/api/v1/accounts")).status_code == 200


def administer(postgres, statement):
    with psycopg.connect(postgres.cluster.url(), autocommit=True) as connection:
        connection.execute(statement)


async def test_status_shows_accounts_market_and_what_does_not_answer(platform, account):
    answer = (await platform.caller.get("/api/v1/status")).json()
    line = next(a for a in answer["accounts"] if a["account"] == account)
    assert line["state"] == "trading"
    assert Decimal(line["cash"]) > 0
    assert answer["market"]["speed"] == "10"
    assert [s["symbol"] for s in answer["market"]["symbols"]] == ["BTC/USD"]
    assert answer["degraded_modes"][0] == "a degraded mode"
    ready = {p["name"]: p["ready"] for p in answer["processes"]}
    assert ready == {
        "api": True,
        "exchange": False,
        "trading worker": False,
        "market worker": False,
    }


async def test_engine_is_reached_as_soon_as_it_answers(without_engine):
    attempts = []

    async def connect():
        attempts.append(1)
        if len(attempts) < 2:
            raise RuntimeError("not yet")
        return "a client"

    services = without_engine.services
    await reach_temporal(services, connect)
    assert services.client == "a client"
    assert services.engagements_due.is_set()
    services.client = None


async def test_market_worker_that_does_not_answer_makes_prices_stale(without_engine):
    services = without_engine.services
    watching = asyncio.create_task(watch_market_worker(services))
    await eventually(lambda: not services.market_followed, "its absence is noticed")
    watching.cancel()


async def test_certificates_are_told_until_their_end_and_unknown_is_no_number(
    platform, tmp_path, monkeypatch
):
    monkeypatch.setattr(platform.services.settings, "home", tmp_path)
    monkeypatch.setattr(platform.services.settings, "temporal_address", None)
    directory = credentials_directory(StateDirectory(tmp_path))
    ensure_credentials(directory)
    (directory / "client.pem").unlink()
    told = dict(
        line.rsplit(" ", 1)
        for line in (await platform.stranger.get("/metrics")).text.splitlines()
        if line.startswith("aether_certificate_remaining_seconds")
    )
    name = 'aether_certificate_remaining_seconds{{certificate="{}"}}'.format
    assert set(told) == {name("authority"), name("client"), name("server")}
    assert told[name("client")] == "NaN"
    assert LIFETIME.total_seconds() - 600 < float(told[name("server")]) < LIFETIME.total_seconds()


@pytest.mark.parametrize(
    ("ago", "told"), [(timedelta(minutes=7), 420), (-timedelta(minutes=7), None)]
)
async def test_a_checkpoint_of_the_future_is_not_a_young_one(platform, monkeypatch, ago, told):
    async def read(*_):
        return Protection(datetime.now(UTC) - ago, 5, 0)

    monkeypatch.setattr("api.queries.record_metrics.read_protection", read)
    figures = (await platform.stranger.get("/metrics")).text
    found = re.findall(r"^aether_audit_checkpoint_age_seconds (.*)$", figures, re.MULTILINE)
    assert [round(float(one), -1) for one in found] == ([] if told is None else [told])
