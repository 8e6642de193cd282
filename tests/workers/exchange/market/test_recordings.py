from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from models.simulation.markets.instruments import UNIVERSE
from models.simulation.markets.replay import ReplayMarket
from tests.support.recordings import RECORDINGS, needs_recordings
from workers.exchange.market.recordings import RecordingError, load_recordings, read_name

DATA = RECORDINGS.parent / "data"
START = datetime(2024, 5, 1, tzinfo=UTC)
NAME = "BTC-USD_15m_20240501-20240502.parquet"
UTC_MICROSECONDS = pa.timestamp("us", tz="UTC")


def columns(rows=4, first=START):
    starts = [first + timedelta(minutes=15 * i) for i in range(rows)]
    return {
        "ts": pa.array(starts, UTC_MICROSECONDS),
        "open": pa.array([100.0] * rows, pa.float64()),
        "high": pa.array([110.0] * rows, pa.float64()),
        "low": pa.array([90.0] * rows, pa.float64()),
        "close": pa.array([61234.567891 / 612.34567891] * rows, pa.float64()),
        "volume": pa.array([2.5] * rows, pa.float64()),
    }


def write(path: Path, **changed):
    parquet.write_table(pa.table({**columns(), **changed}), path)
    return path


def test_recording_gives_its_candles_exactly(tmp_path):
    candles = load_recordings([write(tmp_path / NAME)], UNIVERSE)["BTC/USD"]
    assert len(candles) == 4
    assert (candles[0].symbol, candles[0].interval_minutes, candles[0].start) == (
        "BTC/USD",
        15,
        START,
    )
    assert candles[0].volume == Decimal("2.5")


def test_recording_files_of_one_symbol_join_in_time_order(tmp_path):
    later = tmp_path / "BTC-USD_15m_20240601-20240602.parquet"
    parquet.write_table(pa.table(columns(first=START + timedelta(days=31))), later)
    candles = load_recordings([later, write(tmp_path / NAME)], UNIVERSE)["BTC/USD"]
    assert [c.start for c in candles] == sorted(c.start for c in candles)
    assert len(candles) == 8


def refusal(path):
    with pytest.raises(RecordingError) as caught:
        load_recordings([path], UNIVERSE)
    assert str(path) in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("changed", "row", "reason"),
    [
        ({"open": pa.array([100.0, float("nan"), 100.0, 100.0])}, 1, "not a number"),
        ({"open": pa.array([100.0, 100.0, None, 100.0])}, 2, "open is missing"),
        ({"high": pa.array([110.0, 110.0, 110.0, 99.0])}, 3, "high"),
        ({"low": pa.array([101.0, 90.0, 90.0, 90.0])}, 0, "low"),
        ({"low": pa.array([-1.0, 90.0, 90.0, 90.0])}, 0, "positive"),
        ({"volume": pa.array([1.0, -1.0, 1.0, 1.0])}, 1, "volume"),
        ({"high": pa.array([float("inf")] + [110.0] * 3)}, 0, "not a number"),
        ({"ts": pa.array([START] * 4, UTC_MICROSECONDS)}, 1, "start"),
        (
            {
                "ts": pa.array(
                    [START + timedelta(minutes=m) for m in (0, 15, 31, 45)], UTC_MICROSECONDS
                )
            },
            2,
            "not the start of a bar",
        ),
        (
            {"ts": pa.array([datetime(2024, 5, 1)] * 4, pa.timestamp("us"))},  # noqa: DTZ001
            0,
            "time zone",
        ),
        ({"volume": pa.array(["1", "1", "1", "1"])}, None, "floating"),
        ({"ts": pa.array([1, 2, 3, 4])}, None, "timestamp"),
    ],
)
def test_recording_bad_rows_are_named(tmp_path, changed, row, reason):
    error = refusal(write(tmp_path / NAME, **changed))
    assert error.row == row
    assert reason in error.reason


def test_recording_missing_file_wrong_columns_and_no_rows_are_refused(tmp_path):
    assert "no such file" in refusal(tmp_path / NAME).reason
    few = {name: column for name, column in columns().items() if name != "low"}
    parquet.write_table(pa.table(few), tmp_path / NAME)
    assert "columns must be" in refusal(tmp_path / NAME).reason
    parquet.write_table(pa.table(columns(rows=0)), tmp_path / NAME)
    assert "no rows" in refusal(tmp_path / NAME).reason


def test_recording_truncated_or_foreign_file_is_refused(tmp_path):
    path = write(tmp_path / NAME)
    whole = path.read_bytes()
    for damaged in (b"", b"not parquet at all", whole[:-20], whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        assert "readable" in refusal(path).reason


@pytest.mark.parametrize(
    "name",
    ["BTCUSD_15m.parquet", "BTC-USD_15x_20240501-20240502.parquet",
     "BTC-USD_0m_20240501-20240502.parquet", "BTC-USD_15m_20240501-20240502.csv"],
)  # fmt: skip
def test_recording_name_must_say_symbol_and_interval(tmp_path, name):
    assert "name must be" in refusal(tmp_path / name).reason


def test_recording_of_an_unlisted_pair_is_refused(tmp_path):
    path = write(tmp_path / NAME.replace("BTC-USD", "BONK-USD"))
    assert "does not list BONK/USD" in refusal(path).reason


def test_recordings_that_overlap_or_differ_in_interval_are_refused(tmp_path):
    first = write(tmp_path / NAME)
    twin = write(tmp_path / NAME.replace("20240502", "20240503"))
    with pytest.raises(RecordingError, match="overlaps"):
        load_recordings([first, twin], UNIVERSE)
    hourly = tmp_path / "BTC-USD_1h_20240601-20240602.parquet"
    hours = [START + timedelta(days=31, hours=h) for h in range(4)]
    write(hourly, ts=pa.array(hours, UTC_MICROSECONDS))
    with pytest.raises(RecordingError, match="60 minutes"):
        load_recordings([first, hourly], UNIVERSE)


@pytest.mark.parametrize(
    ("name", "minutes"),
    [("ETH-USD_1d_20160518-20211231", 1440), ("BTC-USD_4h_20160518-20211231", 240)],
)
def test_recording_interval_is_read_from_the_name(name, minutes):
    assert read_name(Path(f"{name}.parquet")).interval_minutes == minutes


@needs_recordings
@pytest.mark.recordings
@pytest.mark.parametrize(
    "name",
    ["coinbase/BTC-USD_1h_20240418-20250630.parquet", "kraken/LTC-USD_1d_20131024-20211231.parquet",
     "kraken/SOL-USD_1d_20210617-20211231.parquet"],
)  # fmt: skip
def test_recorded_files_replay_on_tick_inside_their_bars(name):
    series = load_recordings([DATA / name], UNIVERSE)
    ((symbol, candles),) = series.items()
    instrument = UNIVERSE.by_symbol(symbol).instrument
    market = ReplayMarket(UNIVERSE, {symbol: candles[:300]}, seed=1)
    for candle in candles[:300]:
        low, high = instrument.nearest_price(candle.low), instrument.nearest_price(candle.high)
        for _ in range(8):
            step = market.next_step()
            assert (
                candle.start <= step.at < candle.start + timedelta(minutes=candle.interval_minutes)
            )
            for one in step.symbols[0].prints:
                assert low <= one.price <= high
                assert one.price == instrument.nearest_price(one.price)
    assert market.next_step() is None
