"""Days of directories: daily files first, finer bars where those are absent, months together."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from activities.adapters.candle_files.snapshots import read_snapshot
from activities.ports.learning.snapshots import SnapshotError
from cli import learning_report
from tests.honesty.__main__ import main as honesty
from tests.honesty.markets import recorded
from tests.support.learning.training import write_market

SHARED = Path(__file__).parents[5] / "shared" / "data"
HOURS = SHARED / "kraken" / "BTC-USD_1h_20131006-20211231.parquet"
DAYS = SHARED / "kraken" / "BTC-USD_1d_20131006-20211231.parquet"
ETHER = SHARED / "kraken" / "ETH-USD_1d_20150807-20211231.parquet"


def piece(file: Path, directory: Path, first: str, last: str) -> Path:
    """Write what a file has from one day up to and without another, as such files are named."""
    table = parquet.read_table(file)
    stamps = table["ts"].to_numpy().astype("datetime64[us]")
    inside = (stamps >= np.datetime64(first)) & (stamps < np.datetime64(last))
    kept = table.filter(pa.array(inside))
    pair, interval, _ = file.name.split("_")
    (directory / "kraken").mkdir(parents=True, exist_ok=True)
    name = f"{pair}_{interval}_{first.replace('-', '')}-{last.replace('-', '')}.parquet"
    parquet.write_table(kept, directory / "kraken" / name)
    return directory


def known(bars) -> int:
    return int(np.isfinite(bars.close).sum())


def test_days_are_made_of_hours_where_there_are_no_daily_files(tmp_path):
    made = read_snapshot(piece(HOURS, tmp_path / "h", "2018-01-01", "2021-01-01"))
    daily = read_snapshot(piece(DAYS, tmp_path / "d", "2018-01-01", "2021-01-01"))
    one, other = made.histories["BTC/USD"], daily.histories["BTC/USD"]
    assert np.array_equal(one.time, other.time)
    assert known(one) == known(other) > 1_000
    for name in ("open", "high", "low", "close"):
        # The hours are on the pair's tick, 0.1 USD.
        assert np.nanmax(np.abs(one.column(name) - other.column(name))) < 0.06, name
    assert np.allclose(one.volume, other.volume, equal_nan=True)
    assert np.array_equal(one.reference, one.close, equal_nan=True)


def test_day_of_a_daily_file_counts_and_finer_bars_only_add(tmp_path):
    piece(DAYS, tmp_path, "2018-01-01", "2020-06-01")
    daily = read_snapshot(tmp_path).histories["BTC/USD"]
    both = read_snapshot(piece(HOURS, tmp_path, "2019-01-01", "2021-01-01")).histories["BTC/USD"]
    assert np.array_equal(both.close[: len(daily)], daily.close, equal_nan=True)
    assert known(both) > known(daily) + 200


def test_directories_of_earlier_and_later_months_are_one_recording(tmp_path):
    earlier = piece(DAYS, tmp_path / "a", "2018-01-01", "2019-07-01")
    later = piece(DAYS, tmp_path / "b", "2019-07-01", "2021-01-01")
    for alone in (earlier, later):
        with pytest.raises(SnapshotError, match="at least 730 are needed"):
            read_snapshot(alone)
    whole = read_snapshot(piece(DAYS, tmp_path / "c", "2018-01-01", "2021-01-01"))
    together = read_snapshot(earlier, later)
    assert np.array_equal(
        together.histories["BTC/USD"].close, whole.histories["BTC/USD"].close, equal_nan=True
    )
    assert together.hash != whole.hash
    assert read_snapshot(earlier, later).hash == together.hash


def test_too_little_says_how_much_there_is(tmp_path):
    piece(DAYS, tmp_path, "2020-01-01", "2020-07-01")
    piece(ETHER, tmp_path, "2018-01-01", "2021-01-01")
    with pytest.raises(SnapshotError) as error:
        read_snapshot(tmp_path)
    assert "182 daily candles of BTC-USD" in str(error.value)
    assert "ETH/USD 1095" in str(error.value)


def test_file_that_cannot_be_read_is_named(tmp_path):
    piece(DAYS, tmp_path, "2018-01-01", "2021-01-01")
    broken = tmp_path / "kraken" / "ETH-USD_1h_20180101-20210101.parquet"
    broken.write_bytes(b"no parquet")
    with pytest.raises(SnapshotError, match="ETH-USD_1h"):
        read_snapshot(tmp_path)
    with pytest.raises(SnapshotError, match="is not a directory"):
        read_snapshot(tmp_path / "nowhere")


def test_honesty_asks_about_any_directory(tmp_path):
    (bars,) = recorded(write_market(tmp_path))
    assert known(bars) == 1_600
    pieces = [piece(HOURS, tmp_path / name, *span) for name, span in {
        "a": ("2014-01-01", "2016-01-01"), "b": ("2017-01-01", "2021-01-01"),
    }.items()]  # fmt: skip
    # A gap of a year ends a recording: the longest is asked about.
    (longest,) = recorded(*pieces)
    assert known(longest) == len(longest) == 1_461


@pytest.mark.parametrize("command", [honesty, learning_report.main])
def test_commands_say_in_one_line_that_there_is_too_little(tmp_path, monkeypatch, capsys, command):
    monkeypatch.setattr("sys.argv", ["x", "--data", str(tmp_path), "--data", str(tmp_path)])
    assert command() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "0 daily candles of BTC-USD, at least 730 are needed" in line
