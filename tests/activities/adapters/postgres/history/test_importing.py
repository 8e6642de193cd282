"""Files of three forms become the same rows, each once, whatever interrupts it."""

import os
import random
import signal
import time
import zipfile
from decimal import Decimal
from multiprocessing import get_context

import pytest

from activities.adapters.history_files.sources import HistoryFileError, find_sources
from activities.adapters.postgres.history.candle_load import ImportInUseError, PostgresHistory
from activities.adapters.postgres.history.standing import history_standing
from activities.history.importing import import_source
from tests.activities.adapters.postgres.history.conftest import (
    NOW,
    START,
    a_day,
    archive,
    clock,
    ohlc_answer,
    parquet_file,
)


def bring(history, path, accepted="", batch_rows=100, **words):
    (source,) = find_sources(path, **words)
    return import_source(source, history, lambda: NOW, accepted=accepted, batch_rows=batch_rows)


def rows_of(history, columns="*", where="true"):
    found = history.reading.execute(
        f"SELECT {columns} FROM known_candles() WHERE {where} ORDER BY venue, symbol, start"
    )
    return found.fetchall()


PRICES = "symbol, interval_minutes, start, open, high, low, close, available_at"


def test_three_forms_give_the_same_rows(history, tmp_path):
    rows = 250
    bring(history, archive(tmp_path / "XBTUSD_1440.csv", rows), venue="one")
    bring(history, parquet_file(tmp_path / "two" / "BTC-USD_1d_20240101-20240907.parquet", rows))
    bring(history, ohlc_answer(tmp_path / "bitcoin_ohlc.json", rows))
    by_venue = [
        rows_of(history, PRICES, f"venue = '{venue}'") for venue in ("one", "two", "coingecko")
    ]
    assert len(by_venue[0]) == rows
    assert by_venue[0] == by_venue[1]
    assert by_venue[0][3][3:7] == tuple(Decimal(text) for text in a_day(3)[:4])
    # CoinGecko tells no volume, and shows a finished day 35 minutes later.
    assert [row[:7] for row in by_venue[2]] == [row[:7] for row in by_venue[0]]
    assert {
        (ours[7] - theirs[7]).seconds for ours, theirs in zip(by_venue[2], by_venue[0], strict=True)
    } == {35 * 60}
    volumes = [
        rows_of(history, "start, volume", f"venue = '{venue}'")
        for venue in ("one", "two", "coingecko")
    ]
    assert volumes[0] == volumes[1]
    assert {volume for _, volume in volumes[2]} == {None}


def test_zip_is_read_like_its_members(history, tmp_path):
    plain = archive(tmp_path / "XBTUSD_1440.csv", 30)
    with zipfile.ZipFile(tmp_path / "Kraken_OHLCVT.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.write(plain, "some/XBTUSD_1440.csv")
        zipped.writestr("readme.txt", "no candles")
    done = bring(history, tmp_path / "Kraken_OHLCVT.zip")
    assert (done.new_rows, done.quarantined_batches) == (30, 0)
    assert len(rows_of(history)) == 30


def test_the_same_again_changes_nothing_and_overlaps_are_known(history, tmp_path):
    path = archive(tmp_path / "XBTUSD_60.csv", 250, 60)
    assert bring(history, path).new_rows == 250
    again = bring(history, path)
    assert again.already_complete
    assert again.resumed_rows == 250
    longer = bring(history, archive(tmp_path / "more" / "XBTUSD_60.csv", 400, 60))
    assert (longer.new_rows, longer.known_rows) == (150, 250)
    assert len(rows_of(history)) == 400


def test_absent_bars_are_told_and_never_filled(history, tmp_path):
    absent = {10, 11, 12, 150, 199, 200}
    done = bring(history, archive(tmp_path / "XBTUSD_60.csv", 300, 60, absent))
    assert (done.gaps, done.absent_bars, done.new_rows) == (3, 6, 294)
    (series,) = history_standing(history.reading).series
    assert (series.rows, series.gaps, series.absent_bars, series.longest_gap_bars) == (294, 3, 6, 3)
    longest, *_ = history_standing(history.reading).gaps
    assert longest.before == START.replace(hour=9)
    assert longest.absent_bars == 3


def spoilt(path, line, change):
    lines = path.read_text().splitlines()
    lines[line] = change(lines[line])
    path.write_text("\n".join(lines) + "\n")
    return path


def replaced(column, text):
    def change(line):
        parts = line.split(",")
        parts[column] = text
        return ",".join(parts)

    return change


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (replaced(2, "1"), "range", "high is not the highest"),
        (replaced(3, "99999999"), "range", "low is not the lowest"),
        (replaced(4, "-5"), "range", "not above 0"),
        (replaced(4, "nan"), "schema", "not a number"),
        (replaced(1, "abc"), "schema", "not a number"),
        (replaced(1, ""), "schema", "not a number"),
        (replaced(5, "-0.1"), "range", "below 0"),
        (replaced(5, "inf"), "range", "above"),
        (replaced(6, "3.5"), "schema", "trades"),
        (replaced(0, "1704070800.5"), "schema", "not unix seconds"),
        (replaced(0, "1704070801"), "schema", "not a bar's start"),
        (replaced(0, "1704070800000"), "range", "not ended"),
        (replaced(0, str(int(START.timestamp()) + 3600 * 149)), "duplicate", "same start"),
        (replaced(0, str(int(START.timestamp()) + 3600 * 20)), "order", "earlier"),
        (lambda _: "1704070800,1,2", "schema", "3 columns"),
        (lambda line: line + ",8,9", "schema", "9 columns"),
        (lambda line: '"' + line, "schema", "not unix seconds"),
    ],
)
def test_bad_batch_is_quarantined_whole_with_its_reason(history, tmp_path, change, kind, words):
    path = spoilt(archive(tmp_path / "XBTUSD_60.csv", 300, 60), 150, change)
    done = bring(history, path)
    assert done.quarantined_batches == 1
    (bad,) = history_standing(history.reading).quarantined
    assert bad.first_row == 100
    assert kind in {finding["kind"] for finding in bad.findings}
    assert any(words in text for finding in bad.findings for text in finding["sample"])
    # The other batches are whole, and the rows of this one are absent: nothing stands for them.
    assert len(rows_of(history)) == len(path.read_text().splitlines()) - len_of(bad, done)
    assert not any(START.replace(day=6) < row[3] < START.replace(day=8) for row in rows_of(history))


def len_of(bad, done):
    return bad.rows + ("columns" in str(bad.findings))


def test_last_row_that_cannot_be_read_is_no_silence(history, tmp_path):
    path = archive(tmp_path / "XBTUSD_60.csv", 200, 60)
    path.write_text(path.read_text() + "1,2\n")
    assert bring(history, path).quarantined_batches == 1
    assert len(rows_of(history)) == 200


def test_mended_file_takes_the_place_of_the_quarantined_rows(history, tmp_path):
    bring(history, spoilt(archive(tmp_path / "XBTUSD_60.csv", 300, 60), 150, replaced(4, "-5")))
    done = bring(history, archive(tmp_path / "mended" / "XBTUSD_60.csv", 300, 60))
    assert (done.new_rows, done.known_rows) == (100, 200)


def test_rows_that_differ_from_held_ones_replace_nothing(history, tmp_path):
    bring(history, archive(tmp_path / "XBTUSD_60.csv", 300, 60))
    other = spoilt(archive(tmp_path / "o" / "XBTUSD_60.csv", 300, 60), 150, replaced(5, "77"))
    done = bring(history, other)
    assert done.quarantined_batches == 1
    assert "differs" in done.findings[0]
    assert Decimal(77) not in {row[0] for row in rows_of(history, "volume")}


def test_outlier_against_another_venue_waits_for_people(history, tmp_path):
    bring(history, archive(tmp_path / "XBTUSD_60.csv", 300, 60))
    odd = archive(tmp_path / "o" / "XBTUSD_60.csv", 300, 60)
    odd = spoilt(spoilt(odd, 150, replaced(4, "60000")), 150, replaced(2, "60001"))
    done = bring(history, odd, venue="coinbase")
    assert done.quarantined_batches == 1
    assert "close differs from kraken by more than 10%" in done.findings[0]
    # The same file is judged anew; only what waits is looked at.
    assert bring(history, odd, venue="coinbase").rows == 100
    taken = bring(history, odd, venue="coinbase", accepted="seen on the venue's own page")
    assert (taken.new_rows, taken.quarantined_batches) == (100, 0)
    assert history_standing(history.reading).quarantined == []


def test_two_processes_never_import_one_file_at_once(history, market_url, tmp_path):
    path = archive(tmp_path / "XBTUSD_60.csv", 300, 60)
    (source,) = find_sources(path)
    history.begin("kraken", "BTC/USD", 60, source.digest(), "x", 100)
    other = PostgresHistory.connect(market_url, clock)
    with pytest.raises(ImportInUseError):
        import_source(source, other, lambda: NOW)
    other.close()


def test_what_is_no_history_is_said(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(HistoryFileError, match="holds no history"):
        find_sources(tmp_path)
    with pytest.raises(HistoryFileError, match="no such file"):
        find_sources(tmp_path / "absent.csv")
    (tmp_path / "x.zip").write_text("no zip")
    with pytest.raises(HistoryFileError, match="zip"):
        find_sources(tmp_path / "x.zip")


@pytest.mark.parametrize("name", ["XBTUSD_60.csv", "BTC-USD_1h_20240101-20240102.parquet"])
def test_empty_file_is_said(history, tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(HistoryFileError, match=name):
        bring(history, tmp_path / name)


def run_import(url, path, told):
    """Import in this process, which was forked for it, and tell of every batch."""
    history = PostgresHistory.connect(url, clock)
    (source,) = find_sources(path)
    import_source(source, history, lambda: NOW, lambda _: os.write(told, b"."), batch_rows=500)
    os.write(told, b"!")


def test_killed_import_goes_on_without_a_double_row(history, market_url, tmp_path):
    path = archive(tmp_path / "XBTUSD_1.csv", 20_000, 1, absent={7, 10_000})
    dice, kills, sign = random.Random(19), 0, b""
    while sign != b"!":
        wait_until_alone(history)
        reading, told = os.pipe()
        importer = get_context("fork").Process(target=run_import, args=(market_url, path, told))
        importer.start()
        os.close(told)
        for _ in range(dice.randint(1, 12)):
            sign = os.read(reading, 1)
            assert sign, "the importer ended by itself"
            if sign == b"!":
                break
        else:
            # A part of a batch later, wherever that is.
            time.sleep(dice.uniform(0, 0.02))
            os.kill(importer.pid, signal.SIGKILL)
            kills += 1
        importer.join()
        os.close(reading)
    starts = [row[3] for row in rows_of(history)]
    assert kills > 0
    assert len(starts) == len(set(starts)) == 19_998
    sums = history.reading.execute(
        "SELECT sum(new_rows), sum(rows), sum(absent_bars) FROM history_batches"
    )
    assert tuple(map(int, sums.fetchone())) == (19_998, 19_998, 2)
    assert history_standing(history.reading).unfinished == []


def wait_until_alone(history):
    """Wait until the server has noticed that the killed one is gone: its locks go with it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 47071"
        if not history.reading.execute(held).fetchone()[0]:
            return
        time.sleep(0.01)
    raise AssertionError("a killed importer holds its lock")
