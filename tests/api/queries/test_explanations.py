"""What a model saw of a trade: its features by name, or why they have none."""

import json
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import text

from infra.runtime.database.connections import Role
from models.learning.features.catalogue import daily_features, feature_set

NOW = datetime(2026, 3, 1, tzinfo=UTC)
_IDEA = text(
    """INSERT INTO ideas (account_id, idea_id, strategy, strategy_version, symbol, bar_start,
           expires_at, stop_price, reasons, allowed, verdict, trade, decided_at)
       VALUES (:account, :idea, 'learned', '1', 'BTC/USD', :at, :at, 90, '[]', true,
           '{"checks": []}', :trade, :at)"""
)
_PREDICTION = """INSERT INTO champion_predictions (idea_id, version, feature_hash, symbol,
        bar_start, vector, probability, stake, taken, refusal, hard, microseconds, contributions,
        regime, decided_at)
    VALUES (%s, 1, %s, 'BTC/USD', %s, %s, 0.6, 0.1, true, '', false, 5, '{}', 'rising', %s)"""


@pytest.fixture
async def explained(without_engine, postgres, database_name):
    account = await without_engine.add_account()

    async def explain(trade, fingerprint, vector):
        idea = f"{account}-{trade}"
        async with without_engine.workers.account_scope(account) as session:
            values = {"account": account, "idea": idea, "trade": trade, "at": NOW}
            await session.sql(_IDEA, values)
        with psycopg.connect(postgres.url(Role.MARKET, database_name)) as connection:
            values = (idea, fingerprint, NOW, json.dumps(vector), NOW)
            connection.execute(_PREDICTION, values)
        place = f"/api/v1/accounts/{account}/trades/{trade}/explanation"
        answer = await without_engine.caller.get(place)
        assert answer.status_code == 200, answer.text
        return answer.json()["features"]

    return explain


async def test_features_are_told_by_name_with_what_was_not_known(explained):
    features = daily_features()
    vector = [None, *(n / 8 for n in range(1, len(features.features)))]
    found = await explained(1, features.fingerprint, vector)
    assert [one["name"] for one in found] == list(features.names)
    assert [one["value"] for one in found] == vector
    assert found[0]["unit"] == features.features[0].unit


async def test_features_of_another_release_are_not_named(explained):
    assert await explained(2, "f" * 64, [0.5]) is None
    assert await explained(3, daily_features().fingerprint, [0.5]) is None


def test_sets_are_found_by_their_fingerprints():
    assert feature_set(daily_features().fingerprint).name == "daily"
    assert feature_set("") is None
