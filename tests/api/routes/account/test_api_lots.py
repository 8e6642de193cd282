"""Lots and gains as they are exported: an unknown figure is empty, never zero."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal

from api.messages.lots import GainView
from api.routes.account.lots import ExportFormat, stream_rows
from models.reporting.lots import Gain

AT = datetime(2026, 3, 2, tzinfo=UTC)


def exported(export: ExportFormat) -> str:
    known = Gain("BTC", Decimal("0.5"), AT, "m1", AT, "m2", Decimal("60.10"), Decimal(50))
    unknown = Gain("BTC", Decimal("1E-7"), None, None, AT, "m2", Decimal(1), None)
    rows = [GainView.model_validate(gain) for gain in (known, unknown)]
    response = stream_rows(rows, GainView, export)

    async def read() -> str:
        return "".join([str(part) async for part in response.body_iterator])

    return asyncio.run(read())


def test_gains_are_exported_as_comma_separated_values() -> None:
    header, known, unknown = exported(ExportFormat.CSV).splitlines()
    assert header.startswith("asset,quantity,acquired_at")
    assert known.endswith("60.10,50,10.10")
    assert unknown.startswith("BTC,0.0000001,,,")
    assert unknown.endswith(",1,,"), "neither basis nor gain is known"


def test_gains_are_exported_a_json_object_a_line() -> None:
    lines = [json.loads(line) for line in exported(ExportFormat.NDJSON).splitlines()]
    assert [line["gain"] for line in lines] == ["10.10", None]
