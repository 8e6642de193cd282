"""Longer bars kept by TimescaleDB: one continuous aggregate for each length, 5 m to 1 d.

They need the edition under the Timescale licence; Apache's, and plain PostgreSQL, compute the same
numbers when asked (``longer_candles``). Buckets are those of ``date_bin`` from 1970: TimescaleDB
counts from Monday 2000-01-03, which is a multiple of each of these lengths away.

A back-fill of old bars shows in an aggregate once its policy has refreshed it, within the hour.
"""

from collections.abc import Iterator
from typing import Final

LENGTHS: Final[dict[str, int]] = {
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "4h": 240,
    "1d": 1440,
}
"""Minutes by name."""

# What one part does not tell, the whole does not: as ``longer_candles`` has it.
_QUERY = """SELECT series_id, time_bucket(INTERVAL '{minutes} minutes', start) AS bucket,
    first(open, start) AS open, max(high) AS high, min(low) AS low, last(close, start) AS close,
    CASE WHEN count(*) = count(volume) THEN sum(volume) END AS volume,
    CASE WHEN count(*) = count(trades) THEN sum(trades) END AS trades,
    max(available_at) AS available_at
FROM history_candles GROUP BY series_id, bucket"""

# Real-time: what is newer than the last refresh is computed when asked.
_VIEW = """CREATE MATERIALIZED VIEW {name}
    WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
{query} WITH NO DATA"""

_POLICY = """SELECT add_continuous_aggregate_policy('{name}', start_offset => NULL,
    end_offset => INTERVAL '{minutes} minutes', schedule_interval => INTERVAL '1 hour')"""

_HYPERTABLE = """SELECT create_hypertable('history_candles', by_range('start', INTERVAL '30 days'),
    migrate_data => true)"""

_ONLY_WHERE_IT_CAN = """
DO $do$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
       OR coalesce(current_setting('timescaledb.license', true), '') <> 'timescale' THEN
        RETURN;
    END IF;
    BEGIN
{statements}
    EXCEPTION WHEN OTHERS THEN
        -- The plain functions give the same numbers: nothing of the record depends on these.
        RAISE WARNING 'continuous aggregates are not kept: %', SQLERRM;
    END;
END
$do$
"""

FUNCTION: Final = """
-- The kept bars of a length where there are any, else the same numbers computed now.
CREATE FUNCTION kept_candles(
    p_venue text, p_symbol text, p_from_minutes integer, p_minutes integer)
RETURNS TABLE (start timestamptz, open numeric, high numeric, low numeric, close numeric,
    volume numeric, trades bigint, available_at timestamptz) LANGUAGE plpgsql STABLE AS $$
DECLARE
    kept text := format('history_candles_of_%s_minutes', p_minutes);
BEGIN
    IF to_regclass(kept) IS NULL THEN
        RETURN QUERY SELECT * FROM longer_candles(p_venue, p_symbol, p_from_minutes, p_minutes);
    ELSE
        RETURN QUERY EXECUTE format(
            'SELECT k.bucket, k.open, k.high, k.low, k.close, k.volume, k.trades, k.available_at
             FROM %I k JOIN history_series s USING (series_id)
             WHERE s.venue = $1 AND s.symbol = $2 AND s.interval_minutes = $3 ORDER BY 1', kept)
            USING p_venue, p_symbol, p_from_minutes;
    END IF;
END
$$;
"""


def view_name(minutes: int) -> str:
    """Return the name of the aggregate of one length."""
    return f"history_candles_of_{minutes}_minutes"


def query(minutes: int) -> str:
    """Return the query whose rows the aggregate of one length keeps."""
    return _QUERY.format(minutes=minutes)


def statements() -> Iterator[str]:
    """Yield what makes the hypertable, the aggregates, their policies, and who may read them."""
    yield _HYPERTABLE
    for minutes in LENGTHS.values():
        name = view_name(minutes)
        yield _VIEW.format(name=name, query=query(minutes))
        yield _POLICY.format(name=name, minutes=minutes)
        yield f"GRANT SELECT ON {name} TO aether_market, aether_learning"


def continuous_aggregates() -> str:
    """Return one statement that makes all of it where TimescaleDB can keep them, else nothing."""
    executed = "\n".join(f"        EXECUTE $sql${one}$sql$;" for one in statements())
    return _ONLY_WHERE_IT_CAN.format(statements=executed)
