"""What TimescaleDB would keep of the history has the numbers that plain PostgreSQL computes.

There is no TimescaleDB here: its three functions are made of PostgreSQL's own, by their documented
meaning, and the queries of the aggregates run as they are. The extension itself is not tried.
"""

import psycopg
import pytest

from activities.adapters.history_files.sources import find_sources
from activities.history.importing import import_source
from infra.migrations.history.aggregates import LENGTHS, query, statements, view_name
from tests.activities.adapters.postgres.history.conftest import NOW, archive

# time_bucket counts from Monday 2000-01-03; first and last take the value with the least time.
STAND_INS = """
CREATE FUNCTION time_bucket(width interval, at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE AS $$ SELECT date_bin(width, at, TIMESTAMPTZ '2000-01-03 UTC') $$;
CREATE FUNCTION keep_first(state numeric[], value numeric, at timestamptz) RETURNS numeric[]
    LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN state IS NULL OR extract(epoch FROM at) < state[2]
        THEN ARRAY[value, extract(epoch FROM at)] ELSE state END $$;
CREATE FUNCTION keep_last(state numeric[], value numeric, at timestamptz) RETURNS numeric[]
    LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN state IS NULL OR extract(epoch FROM at) > state[2]
        THEN ARRAY[value, extract(epoch FROM at)] ELSE state END $$;
CREATE FUNCTION kept_value(state numeric[]) RETURNS numeric
    LANGUAGE sql IMMUTABLE AS $$ SELECT state[1] $$;
CREATE AGGREGATE first(numeric, timestamptz) (
    SFUNC = keep_first, STYPE = numeric[], FINALFUNC = kept_value);
CREATE AGGREGATE last(numeric, timestamptz) (
    SFUNC = keep_last, STYPE = numeric[], FINALFUNC = kept_value);
"""
KEPT = "SELECT * FROM kept_candles('kraken', 'BTC/USD', 1, %s)"
COMPUTED = "SELECT * FROM longer_candles('kraken', 'BTC/USD', 1, %s)"


@pytest.fixture
def owner(postgres, database_name, history, tmp_path):
    """A superuser's transaction with the stand-ins, over minute bars with holes; then undone."""
    path = archive(tmp_path / "XBTUSD_1.csv", 4000, minutes=1, absent={0, 7, 8, 9, 61, 2000})
    (source,) = find_sources(path)
    assert import_source(source, history, lambda: NOW).new_rows == 3994
    with psycopg.connect(postgres.url("postgres", database_name)) as connection:
        # Of one bar no volume is known.
        connection.execute(
            "UPDATE history_candles SET volume = NULL WHERE start = (SELECT max(start) FROM "
            "history_candles)"
        )
        connection.execute(STAND_INS)
        yield connection
        connection.rollback()


@pytest.mark.parametrize("minutes", LENGTHS.values())
def test_an_aggregate_has_the_numbers_that_are_computed_without_it(owner, minutes):
    computed = owner.execute(COMPUTED, [minutes]).fetchall()
    assert computed == owner.execute(KEPT, [minutes]).fetchall()
    owner.execute(f"CREATE MATERIALIZED VIEW {view_name(minutes)} AS {query(minutes)}")
    kept = owner.execute(KEPT, [minutes]).fetchall()
    assert kept == computed
    assert len(kept) > 1
    # The whole does not tell what one of its parts does not.
    assert [row[5] is None for row in kept].count(True) == 1


def test_statements_are_postgresql_that_can_be_read(owner):
    """Each is parsed by the server; what only TimescaleDB knows is refused by name, not syntax."""
    for one in statements():
        with pytest.raises(psycopg.Error) as refused, owner.transaction():
            owner.execute(one)
        assert refused.value.sqlstate != "42601", one
