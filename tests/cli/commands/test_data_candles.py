"""`aether data candles` beside a served platform: bars of the record, or that it has none."""

import json
from datetime import UTC, datetime, timedelta

import psycopg

from infra.runtime.database.connections import Role

BEGIN = datetime(2025, 3, 1, tzinfo=UTC)


async def test_bars_of_a_span_are_listed_and_none_are_no_empty_table(
    served, aether, postgres, api_database
):
    rows = [
        ("ATOM/USD", 60, BEGIN + timedelta(hours=n), 10 + n, 13 + n, 9 + n, 11 + n, "5.5", n)
        for n in range(5)
    ]
    with psycopg.connect(postgres.url(Role.MARKET, api_database)) as connection:
        connection.cursor().executemany(
            "INSERT INTO candles VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)", rows
        )
    asked = ("data", "candles", "ATOM/USD", "--from", "2025-03-01T01:00:00")
    found = json.loads(await aether(*asked, "--limit", "2", "--json"))
    assert [row["trades"] for row in found] == [4, 3]
    assert found[0]["close"] == "15"
    shown = await aether(*asked, "--to", "2025-03-01T03:00:00")
    lines = [line for line in shown.splitlines() if line.startswith("2025")]
    assert [line.split()[:3] for line in lines] == [
        ["2025-03-01", "02:00", "12"], ["2025-03-01", "01:00", "11"],
    ]  # fmt: skip
    assert "has no bars of 1440 minutes" in await aether(*asked, "--interval", "1440")
    assert "symbol" in await aether("data", "candles", "nonsense", status=2)
