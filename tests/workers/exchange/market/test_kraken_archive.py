"""Kraken's OHLCVT archives are read as they are, and refused by file and line."""

import zipfile
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from infra.runtime.settings import Settings
from infra.stack.replay_files import absolute_market, is_there, replay_files
from models.simulation.markets.instruments import UNIVERSE
from models.simulation.markets.replay import ReplayMarket
from workers.exchange.market.recordings import RecordingError, load_recordings

ROWS = (
    "1711929600,69000.1,69100.0,68900.5,69050.2,12.34567890,321\n"
    "1711930500,69050.2,69200.0,69000.0,69150.9,8.10000000,120\n"
    "1711932300,69150.9,69180.0,69100.0,69120.3,0.50000000,4\n"
)


def test_archive_gives_its_candles_exactly_and_leaves_missing_bars_out(tmp_path):
    file = tmp_path / "XBTUSD_15.csv"
    file.write_text(ROWS)
    candles = load_recordings([file], UNIVERSE)["BTC/USD"]
    assert [candle.start for candle in candles] == [
        datetime(2024, 4, 1, 0, 0, tzinfo=UTC),
        datetime(2024, 4, 1, 0, 15, tzinfo=UTC),
        datetime(2024, 4, 1, 0, 45, tzinfo=UTC),
    ]
    first = candles[0]
    assert (first.open, first.high, first.low, first.close, first.volume, first.trades) == (
        Decimal("69000.1"),
        Decimal("69100.0"),
        Decimal("68900.5"),
        Decimal("69050.2"),
        Decimal("12.34567890"),
        321,
    )
    market = ReplayMarket(UNIVERSE.only(["BTC/USD"]), {"BTC/USD": candles}, seed=1)
    assert (market.start_time(), market.bar_minutes) == (first.start, 15)


@pytest.mark.parametrize("folder", ["", "Kraken_OHLCVT/"])
def test_member_of_the_quarterly_zip_is_named_behind_it(tmp_path, folder):
    archive = tmp_path / "Kraken_OHLCVT_Q1_2024.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr(f"{folder}XBTUSD_15.csv", ROWS)
        zipped.writestr(f"{folder}XDGUSD_15.csv", ROWS)
    found = load_recordings(
        [archive / f"{folder}XBTUSD_15.csv", archive / f"{folder}XDGUSD_15.csv"], UNIVERSE
    )
    assert sorted(found) == ["BTC/USD", "DOGE/USD"]
    with pytest.raises(RecordingError, match=r"there is no ETHUSD_15\.csv in Kraken_OHLCVT_Q1"):
        load_recordings([archive / "ETHUSD_15.csv"], UNIVERSE)
    with pytest.raises(RecordingError, match="name the file inside"):
        load_recordings([archive], UNIVERSE)


def test_stack_finds_a_file_inside_a_zip_and_makes_its_path_absolute(tmp_path, monkeypatch):
    (tmp_path / "a.zip").touch()
    (tmp_path / "b.zip").mkdir()
    monkeypatch.chdir(tmp_path)
    found = absolute_market("replay:a.zip/XBTUSD_15.csv,b.zip/XBTUSD_15.csv,none.csv")
    assert [is_there(path) for path in replay_files(found)] == [True, False, False]
    assert replay_files(found)[0] == tmp_path / "a.zip/XBTUSD_15.csv"


def test_file_that_is_no_zip_is_refused_by_name(tmp_path):
    archive = tmp_path / "broken.zip"
    archive.write_bytes(b"no zip at all")
    with pytest.raises(RecordingError, match=r"broken\.zip/XBTUSD_15\.csv: not a readable zip"):
        load_recordings([archive / "XBTUSD_15.csv"], UNIVERSE)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("time,open,high,low,close,volume,trades", "time was 'time', not a whole number"),
        ("1711933200,1,1,1,1,1", "6 columns, must be 7"),
        ("1711933200,1,1,1,1,1,1,1", "8 columns, must be 7"),
        ("1711933201,1,1,1,1,1,1", "time 1711933201 is not the start of a bar"),
        ("1711933200000,1,1,1,1,1,1", "is not in seconds since 1970"),
        ("-900,1,1,1,1,1,1", "time was '-900', not a whole number"),
        ("1711933200,x,1,1,1,1,1", "open was 'x', not a number"),
        ("1711933200,,1,1,1,1,1", "open was '', not a number"),
        ("1711933200,NaN,1,1,1,1,1", "a figure is not a number"),
        ("1711933200,1,1,Infinity,1,1,1", "a figure is not a number"),
        ("1711933200,2,1,1,1,1,1", "high 1 is below open 2"),
        ("1711933200,1,1,0,1,1,1", "low was 0, must be positive"),
        ("1711933200,1,1,1,1,-1,1", "volume was -1"),
        ("1711933200,1,1,1,1,1,few", "trades was 'few', not a whole number"),
        ("1711932300,1,1,1,1,1,1", "inside or before the bar of"),
    ],
)
def test_bad_row_is_refused_with_file_and_line(tmp_path, row, reason):
    file = tmp_path / "XBTUSD_15.csv"
    file.write_text(ROWS + row + "\n" + ROWS)
    with pytest.raises(RecordingError) as refused:
        load_recordings([file], UNIVERSE)
    assert str(refused.value).startswith(f"{file}, line 4: ")
    assert reason in refused.value.reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("bitcoin.csv", "the name must be like XBTUSD_15.csv"),
        ("XBTUSD_0.csv", "the name must be like XBTUSD_15.csv"),
        ("NOSUCHUSD_15.csv", "the exchange does not list NOSUCHUSD"),
        ("XBTUSD_15.csv", "there are no rows"),
        ("ETHUSD_15.csv", "not a readable CSV file"),
        ("XDGUSD_15.csv", "there is no such file"),
    ],
)
def test_file_that_cannot_be_used_is_refused_by_name(tmp_path, name, reason):
    (tmp_path / "XBTUSD_15.csv").write_text("")
    (tmp_path / "ETHUSD_15.csv").write_bytes(b"1711929600,\xff\xfe\n")
    for made in ("bitcoin.csv", "XBTUSD_0.csv", "NOSUCHUSD_15.csv"):
        (tmp_path / made).write_text(ROWS)
    with pytest.raises(RecordingError, match=reason):
        load_recordings([tmp_path / name], UNIVERSE)


@pytest.mark.parametrize(
    ("market", "minutes"),
    [
        ("replay:/a/XBTUSD_1440.csv", 1440),
        ("replay:/a/b.zip/c/XBTUSD_5.csv,/a/b.zip/c/ETHUSD_5.csv", 5),
        ("replay:XBTUSD_60.csv", 60),
    ],
)
def test_strategies_bars_are_those_of_the_archive(market, minutes):
    assert Settings(market=market).market_bar_minutes == minutes
