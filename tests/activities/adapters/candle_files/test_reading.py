"""Parquet and Kraken's CSV give the same bars; what is wrong with a file is said with its name."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from activities.adapters.candle_files.reading import (
    CandleFileError,
    describe,
    find_files,
    read_file,
)

START = datetime(2024, 1, 1, tzinfo=UTC)
ROWS = [(100.0, 110.0, 90.5, 105.0, 3.5), (105.0, 106.0, 104.0, 104.5, 1.25)]


def write(path, rows=ROWS, **columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        lines = [
            f"{int((START + timedelta(hours=n)).timestamp())},{','.join(map(str, row))},7"
            for n, row in enumerate(rows)
        ]
        path.write_text("\n".join(lines) + "\n")
        return path
    table = {
        "ts": pa.array(
            [START + timedelta(hours=n) for n in range(len(rows))], pa.timestamp("us", "UTC")
        )
    }
    for place, name in enumerate(("open", "high", "low", "close", "volume")):
        table[name] = [row[place] for row in rows]
    parquet.write_table(pa.table({**table, **columns}), path)
    return path


def test_both_forms_give_the_same_bars(tmp_path):
    one = read_file(describe(write(tmp_path / "kraken" / "BTC-USD_1h_20240101-20240101.parquet")))
    other = read_file(describe(write(tmp_path / "kraken" / "XBTUSD_60.csv")))
    assert (one.symbol, one.interval_minutes) == (other.symbol, other.interval_minutes)
    for column in ("minutes", "open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(getattr(one, column), getattr(other, column))
    assert not one.assumed
    assert one.open.tolist() == [1000, 1050]


def test_files_are_found_by_name_and_others_left_alone(tmp_path):
    write(tmp_path / "coinbase" / "ETH-USD_15m_20240101-20240101.parquet")
    write(tmp_path / "coinbase" / "daily_panel.parquet")
    (tmp_path / "README.md").write_text("words")
    (found,) = find_files(tmp_path)
    assert (found.venue, found.symbol, found.interval_minutes) == ("coinbase", "ETH/USD", 15)
    with pytest.raises(CandleFileError, match="not a directory"):
        find_files(tmp_path / "nowhere")


def test_faults_name_the_file(tmp_path):
    name = "BTC-USD_1h_20240101-20240101.parquet"
    high_inside = write(tmp_path / "a" / name, [(100.0, 90.0, 80.0, 95.0, 1.0)])
    with pytest.raises(CandleFileError, match=f"a/{name}: BTC/USD, row 0"):
        read_file(describe(high_inside))
    broken = tmp_path / "b" / name
    broken.parent.mkdir()
    broken.write_bytes(b"no parquet")
    with pytest.raises(CandleFileError, match="not a readable Parquet file"):
        read_file(describe(broken))
    empty = write(tmp_path / "c" / name, [])
    with pytest.raises(CandleFileError, match="no rows"):
        read_file(describe(empty))


def test_a_pair_that_is_not_listed_has_assumed_figures(tmp_path):
    path = write(
        tmp_path / "kraken" / "BONK-USD_1h_20240101-20240101.parquet",
        [(0.00001, 0.000012, 0.00001, 0.000011, 5e9)],
    )
    bars = read_file(describe(path))
    assert bars.assumed
    assert bars.instrument.price_precision == 6
