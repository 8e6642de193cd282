"""`aether data` on a real record: import, status, and what it says where none runs."""

import json
import time

import pytest
from typer.testing import CliRunner

from activities.adapters.coingecko.history import UnknownCoinError
from cli.commands.data.command import app
from infra.runtime.database.connections import Role
from infra.runtime.errors import ConfigurationError, NotRunningError
from infra.runtime.secrets import installation_secrets
from infra.runtime.settings import Settings
from tests.activities.adapters.postgres.history.conftest import archive

RUNNER = CliRunner()


@pytest.fixture
def record(postgres, database_name, monkeypatch, tmp_path):
    monkeypatch.setenv("AETHER_DATABASE_URL", postgres.url(Role.MARKET, database_name))
    monkeypatch.setenv("AETHER_HOME", str(tmp_path / "home"))
    # The process of the tests keeps its place.
    monkeypatch.setattr("cli.commands.data.record.NICE", 0)


def said(*words, code=0):
    result = RUNNER.invoke(app, list(words))
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def test_import_and_status_tell_what_is_held_absent_and_in_quarantine(record, tmp_path):
    assert "no history is held" in said("status")
    good = archive(tmp_path / "XBTUSD_60.csv", 300, 60, absent={5, 6})
    assert "298 new, 0 known; 1 gaps, 2 bars absent" in said("import", str(good))
    assert "imported before" in said("import", str(good))
    bad = archive(tmp_path / "ETHUSD_60.csv", 50, 60)
    bad.write_text(bad.read_text().replace("40000.1", "-1", 1))
    output = said("import", str(bad), code=1)
    assert "1 batches (50 rows) are in quarantine" in output
    assert "open: not above 0" in output
    told = said("status")
    assert "kraken BTC/USD 60m" in told
    assert "2 bars absent between 2024-01-01 04:00 and 2024-01-01 07:00" in told
    assert "quarantined: ETHUSD_60.csv, rows 0 to 49" in told
    assert "second feed: off" in told
    assert "hindsight" not in told
    said("import", str(good), "--venue", "coingecko")
    assert "coingecko: its coins were chosen with hindsight (survivorship)" in said("status")
    found = json.loads(said("status", "--json", "--pair", "BTC/USD"))
    assert [one["rows"] for one in found["series"]] == [298, 298]
    assert json.loads(said("import", str(good), "--json"))[0]["already_complete"] is True


def test_pair_that_coingecko_does_not_know_is_skipped_by_name(record, monkeypatch):
    def unknown(*_):
        raise UnknownCoinError("WIF/USD: 3 coins")

    monkeypatch.setattr("activities.adapters.coingecko.history.CoinGeckoHistory.coin", unknown)
    monkeypatch.setenv("AETHER_HISTORY_COINGECKO", "http://127.0.0.1:9/")
    asked = ("backfill", "WIF/USD", "--kind", "coingecko", "--interval", "1440")
    told = json.loads(said(*asked, "--json", code=1))
    assert (told["new_rows"], told["skipped"]) == (0, "WIF/USD: 3 coins")
    assert "skipped WIF/USD: 3 coins" in said(*asked, code=1)


def test_key_of_coingecko_is_the_stored_secret_or_a_reason(record, monkeypatch):
    sent = []
    installation_secrets(Settings()).create()
    monkeypatch.setattr(
        "activities.adapters.coingecko.history.CoinGeckoHistory.__init__",
        lambda _self, _address, _sleep, key="": sent.append(key),
    )
    monkeypatch.setenv("AETHER_HISTORY_COINGECKO", "https://api.coingecko.example/api/v3/")
    asked = ["backfill", "BTC/USD", "--kind", "coingecko", "--interval", "1440"]
    RUNNER.invoke(app, asked)
    monkeypatch.setenv("AETHER_HISTORY_COINGECKO_PLAN", "demo")
    missing = RUNNER.invoke(app, asked).exception
    assert isinstance(missing, ConfigurationError)
    assert "no secret coingecko-key: aether data key" in str(missing)
    stored = RUNNER.invoke(app, ["key"], input="CG-secret\n")
    assert stored.output.strip() == "coingecko-key is stored"
    RUNNER.invoke(app, asked)
    assert sent == ["", "CG-secret"]
    monkeypatch.setenv("AETHER_HISTORY_COINGECKO", "http://api.coingecko.example/api/v3/")
    assert "sends a key" in str(RUNNER.invoke(app, asked).exception)


def test_where_no_stack_runs_that_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("AETHER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AETHER_DATABASE_URL", raising=False)
    path = archive(tmp_path / "XBTUSD_60.csv", 3, 60)
    for words in (["import", str(path)], ["status"], ["backfill", "BTC/USD"]):
        error = RUNNER.invoke(app, words).exception
        assert isinstance(error, NotRunningError), (words, error)
        assert "no stack of" in str(error)
        assert "aether up" in str(error)


class Simulator:
    """A market ten times faster than the clock: its newest closed bar ends tomorrow."""

    def __init__(self):
        first = int(time.time()) // 3600 * 3600
        figures = ("1.0", "1.2", "0.9", "1.1", "5", "3")
        self.bars = [(first + 3600 * hour, figures) for hour in range(20, 24)]

    def candles(self, _pair, _interval):
        return self.bars

    def close(self):
        pass


@pytest.mark.parametrize(("venue", "code"), [("simulator", 0), ("kraken", 1)])
def test_only_a_simulated_market_may_be_ahead_of_the_clock(record, monkeypatch, venue, code):
    place = "cli.commands.data.backfill.exchange_history"
    monkeypatch.setattr(place, lambda _settings: (venue, Simulator()))
    output = said("backfill", "DOGE/USD", code=code)
    assert ("new_rows 4" in output) == (venue == "simulator"), output
    assert ("the bar has not ended" in output) == (venue == "kraken"), output


def test_length_of_a_bar_that_cannot_be_told_is_asked_for(record, tmp_path):
    path = tmp_path / "bitcoin_ohlc.json"
    path.write_text("[[1704067200000, 1, 2, 1, 1.5]]")
    error = RUNNER.invoke(app, ["import", str(path)]).exception
    assert isinstance(error, ConfigurationError)
    assert "--interval" in str(error)
    assert "1 new" in said("import", str(path), "--interval", "1440")


def test_only_what_is_large_gives_way_to_everything_else(record, monkeypatch, tmp_path):
    """Who looks at what is held would wait for minutes on a busy machine."""
    gave_way = []
    place = "cli.commands.data.record.give_way"
    monkeypatch.setattr(place, lambda *_: gave_way.append("gave way"))
    said("status")
    assert gave_way == []
    said("import", str(archive(tmp_path / "XBTUSD_60.csv", 3_000, 60)), "--batch-rows", "1000")
    assert gave_way == ["gave way"]
