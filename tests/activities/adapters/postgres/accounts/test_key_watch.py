"""The watch over keys in use: taken up, validated, reminded of, each in the record."""

from datetime import UTC, datetime, timedelta

from activities.adapters.postgres.accounts.exchange_keys import PostgresExchangeKeys
from activities.metrics import KEY_FAULT
from models.trading.risk.limits import Mode
from tests.activities.adapters.kraken.test_key_rotation import directory, issue, simulator, store
from workers.keys.watch import KeyWatch

__all__ = ["directory", "simulator", "store"]


async def test_the_watch_records_use_validation_and_age(store, directory, database):
    await directory.exchange("company")
    now = datetime.now(UTC)
    record = PostgresExchangeKeys(database)

    async def nothing():
        pass

    rights = frozenset({"query_funds"})
    await record.store("company", Mode.SIMULATED, store.key.key, rights, "x", now, nothing)
    clock = [now]
    watch = KeyWatch(directory, record, lambda: clock[0])
    await watch.look("company")
    (kept,) = await record.keys("company")
    assert kept.trading_since == now
    assert kept.permissions == rights
    clock[0] = now + timedelta(minutes=11)
    await watch.look("company")
    (kept,) = await record.keys("company")
    assert kept.validation == "ok"
    assert "modify_orders" in kept.permissions
    assert kept.validated_at == clock[0]
    for days in (91, 92, 99):
        clock[0] = now + timedelta(days=days)
        await watch.look("company")
    (kept,) = await record.keys("company")
    assert kept.reminded_at == clock[0]
    assert kept.stored_at == now


async def test_a_key_that_the_record_does_not_know_is_told(store, directory, database):
    await directory.exchange("director-1")
    now = datetime.now(UTC)
    record = PostgresExchangeKeys(database)

    async def nothing():
        pass

    key = "another key than the one in the store"
    await record.store("director-1", Mode.SIMULATED, key, frozenset(), "x", now, nothing)
    await KeyWatch(directory, record, lambda: now).look("director-1")
    assert KEY_FAULT.labels("director-1")._value.get() == 1.0
    (kept,) = await record.keys("director-1")
    assert kept.trading_since is None


async def test_a_key_that_reached_the_store_and_not_the_record_is_not_traded_with(
    simulator, store, directory, database
):
    await directory.exchange("director-1")
    now, before = datetime.now(UTC), store.key
    record = PostgresExchangeKeys(database)

    async def nothing():
        pass

    await record.store("director-1", Mode.SIMULATED, before.key, frozenset(), "x", now, nothing)
    store.key = await issue(simulator)
    watch = KeyWatch(directory, record, lambda: now)
    await watch.look("director-1")
    assert directory.key_in_use("director-1") == (Mode.SIMULATED, before.key)
    assert KEY_FAULT.labels("director-1")._value.get() == 1.0
    await record.store("director-1", Mode.SIMULATED, store.key.key, frozenset(), "x", now, nothing)
    await watch.look("director-1")
    assert directory.key_in_use("director-1") == (Mode.SIMULATED, store.key.key)
    assert KEY_FAULT.labels("director-1")._value.get() == 0.0
