"""A write that the record could not hold is seen wherever people look, until it is dealt with."""

from datetime import UTC, datetime

from activities.adapters.postgres.orders.quarantine import PostgresQuarantine
from activities.ports.journal import RefusedWrite


async def test_quarantined_write_is_named_until_it_is_settled(platform):
    account = await platform.add_account()
    quarantine, now = PostgresQuarantine(platform.workers), datetime.now(UTC)
    await quarantine.keep(RefusedWrite(account, "run/1", "save_account", "nul", "{}", now))
    named = f"record: 1 writes of {account} are quarantined (aether admin quarantine)"
    figure = f'aether_record_quarantined_writes_standing_count{{account="{account}"}}'
    for path in ("/readyz", "/api/v1/status"):
        assert named in (await platform.caller.get(path)).json()["degraded_modes"]
    assert f"{figure} 1.0" in (await platform.caller.get("/metrics")).text
    assert await PostgresQuarantine(platform.admin).settle(account, "run/1", "machine/anna", now)
    assert named not in (await platform.caller.get("/readyz")).json()["degraded_modes"]
    assert f"{figure} 0.0" in (await platform.caller.get("/metrics")).text
    (settled,) = await platform.audited(account, "quarantined_write_settled")
    assert settled["actor"] == "machine/anna"
