from datetime import UTC, datetime


async def test_record_tells_on_request_when_things_happened_by_the_wall_clock(exchange):
    begin = datetime.now(UTC)
    await exchange.buy("0.1", **{"close[ordertype]": "stop-loss", "close[price]": "9000"})
    end = datetime.now(UTC)

    _, record = await exchange.control("record?account=company&protocol_times=1")

    times = record.pop("protocol_times")
    (fill,), (entry, stop) = record["fills"], record["orders"]
    accepted = [datetime.fromisoformat(times["orders"][o["order_id"]]) for o in (entry, stop)]
    assert begin <= accepted[0] <= accepted[1] <= end
    assert datetime.fromisoformat(times["fills"][fill["execution_id"]]) == accepted[1]
    assert record == await exchange.record()
