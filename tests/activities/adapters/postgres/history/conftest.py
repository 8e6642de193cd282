"""The record of history on a real PostgreSQL, and files of history in every form."""

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from psycopg import sql
from pyarrow import parquet

from activities.adapters.postgres.history.candle_load import PostgresHistory
from infra.runtime.database.connections import Role

START = datetime(2024, 1, 1, tzinfo=UTC)
NOW = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())


def a_day(number):
    """Return open, high, low, close, volume of day or hour `number`."""
    base = 40_000 + 13 * (number % 97)
    return f"{base}.1", f"{base + 20}.5", f"{base - 30}", f"{base + 5}.25", f"{number % 7}.12345678"


def archive(path, rows, minutes=1440, absent=()):
    """Write an archive of Kraken's form."""
    path.parent.mkdir(parents=True, exist_ok=True)
    step = timedelta(minutes=minutes)
    lines = [
        f"{int((START + n * step).timestamp())},{','.join(a_day(n))},{n % 5}"
        for n in range(rows)
        if n not in absent
    ]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def parquet_file(path, rows, minutes=1440):
    """Write a file of the layout VENUE/BASE-QUOTE_…parquet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    step = timedelta(minutes=minutes)
    figures = [[float(text) for text in a_day(n)] for n in range(rows)]
    table = {"ts": pa.array([START + n * step for n in range(rows)], pa.timestamp("us", "UTC"))}
    for place, name in enumerate(("open", "high", "low", "close", "volume")):
        table[name] = [row[place] for row in figures]
    parquet.write_table(pa.table(table), path)
    return path


def ohlc_answer(path, rows, minutes=1440):
    """Write CoinGecko's answer of `ohlc`: stamped with the close of each candle."""
    step = timedelta(minutes=minutes)
    answer = [
        [int((START + (n + 1) * step).timestamp() * 1000), *map(float, a_day(n)[:4])]
        for n in range(rows)
    ]
    path.write_text(json.dumps(answer))
    return path


def clock():
    return datetime.fromtimestamp(NOW, UTC)


@pytest.fixture
def market_url(postgres, database_name):
    return postgres.url(Role.MARKET, database_name)


@pytest.fixture
def history(market_url, postgres, database_name):
    import psycopg

    with psycopg.connect(postgres.url("postgres", database_name), autocommit=True) as connection:
        connection.execute(
            sql.SQL(
                "TRUNCATE history_series, history_candles, history_imports, history_batches, "
                "history_trades, history_cursors CASCADE"
            )
        )
    history = PostgresHistory.connect(market_url, clock)
    yield history
    history.close()
