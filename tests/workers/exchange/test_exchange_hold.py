"""A market in lockstep can be held at a market time, for whoever scripts a day."""

from datetime import datetime, timedelta


async def test_a_held_market_answers_steps_and_does_not_move(exchange):
    _, state = await exchange.control("step", {"steps": 1})
    at = datetime.fromisoformat(state["market_time"]) + timedelta(minutes=5)
    status, held = await exchange.control("hold", {"at": at.isoformat()})
    assert (status, held["held_at"], held["held_steps"]) == (200, at.isoformat(), 0)
    await exchange.control("step", {"steps": 1_000})
    _, first = await exchange.control("step", {"steps": 1_000})
    _, second = await exchange.control("step", {"steps": 1})
    assert datetime.fromisoformat(first["market_time"]) < at
    assert (second["step"], second["market_time"]) == (first["step"], first["market_time"])
    assert second["held_steps"] == first["held_steps"] + 1 > 1
    _, freed = await exchange.control("hold", {"at": None})
    assert (freed["held_at"], freed["held_steps"]) == (None, 0)
    _, moved = await exchange.control("step", {"steps": 1})
    assert moved["step"] == second["step"] + 1
    assert datetime.fromisoformat(moved["market_time"]) >= at


async def test_a_hold_needs_a_time_with_its_zone(exchange):
    for at in ("2024-08-05T00:00:00", "tomorrow", 5):
        status, body = await exchange.control("hold", {"at": at})
        assert status == 400
        assert "market time with its zone" in body["error"]
