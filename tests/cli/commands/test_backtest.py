"""`aether backtest` and `aether strategies` on directories of recorded candles."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from activities.adapters.candle_files.reading import files_of
from activities.adapters.history_files.sources import find_sources
from activities.history.importing import import_source
from activities.learning.strategy_trials import BacktestError, chosen_strategies, run_trials
from cli.commands.backtest import Engine, backtest
from cli.commands.data.record import history_record
from cli.commands.strategies import strategies
from infra.runtime.database.connections import Role
from infra.runtime.errors import NotRunningError
from infra.runtime.settings import Settings
from models.learning.backtest.rules import FillRules, Portfolio
from models.reporting.backtest.document import backtest_document
from tests.activities.adapters.postgres.history.conftest import NOW, archive

DAYS = 420


def write_days(directory, name="BTC-USD_1d_20220101-20230224.parquet", days=DAYS):
    directory.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(8)
    close = 30_000 * np.exp(np.cumsum(draw.normal(0.001, 0.03, days)))
    opening = np.concatenate([[30_000.0], close[:-1]])
    table = pa.table(
        {
            "ts": pa.array(
                [datetime(2022, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(days)],
                pa.timestamp("us", "UTC"),
            ),
            "open": opening,
            "high": np.maximum(opening, close) * 1.01,
            "low": np.minimum(opening, close) * 0.99,
            "close": close,
            "volume": np.full(days, 5e4),
        }
    )
    parquet.write_table(table, directory / name)
    return close


def run(capsys, data, **options):
    chosen = {
        "strategy": None, "pair": None, "venue": None, "interval": None, "begin": None,
        "end": None, "together": False, "capital": 100_000.0, "fees": "", "slippage": 0.0005,
        "latency": 1.0, "sweep": None, "walk_forward": False, "engine": Engine.FAST,
        "check": False, "report": None, "as_json": True,
    }  # fmt: skip
    backtest(data=data, **{**chosen, **options})
    return capsys.readouterr().out


def test_shipped_strategies_are_tried_on_another_directory(tmp_path, capsys):
    write_days(tmp_path / "kraken")
    page = tmp_path / "out" / "report.html"
    found = json.loads(run(capsys, tmp_path, report=page))
    assert [one["strategy"] for one in found] == ["volatility_managed", "donchian_ensemble"]
    assert all(one["label"] == "kraken BTC/USD 2022-01…2023-02" for one in found)
    assert all(one["figures"]["years"] == pytest.approx(DAYS / 365) for one in found)
    assert "<svg" in page.read_text()


def test_both_engines_come_to_the_same_total(tmp_path, capsys):
    write_days(tmp_path / "kraken")
    options = {"strategy": ["donchian_ensemble"]}
    totals = [
        json.loads(run(capsys, tmp_path, engine=engine, **options))[0]["figures"]["total"]
        for engine in Engine
    ]
    assert totals[0] == pytest.approx(totals[1], rel=1e-4)


def test_a_strategy_for_any_bars_takes_what_there_is(tmp_path, capsys):
    write_days(tmp_path / "kraken")
    (found,) = json.loads(run(capsys, tmp_path, strategy=["trend"]))
    assert found["bars"] == ["kraken/BTC-USD_1d_20220101-20230224.parquet"]


def test_cheaper_fees_earn_more_and_a_span_is_kept_to(tmp_path, capsys):
    write_days(tmp_path / "kraken")
    options = {"strategy": ["volatility_managed"]}
    dear, cheap = (
        json.loads(run(capsys, tmp_path, fees=fees, **options))[0]["figures"]
        for fees in ("", "0.25/0.40")
    )
    assert cheap["total"] > dear["total"]
    begin = datetime(2022, 6, 1)  # noqa: DTZ001
    short = json.loads(run(capsys, tmp_path, begin=begin, **options))
    assert short[0]["label"].endswith("2022-06…2023-02")


def test_a_sweep_with_walk_forward_says_what_was_chosen(tmp_path, capsys):
    write_days(tmp_path / "kraken", days=520)
    text = run(
        capsys,
        tmp_path,
        strategy=["donchian_ensemble"],
        sweep=["volatility_target=0.2,0.4"],
        walk_forward=True,
        as_json=False,
    )
    assert "donchian_ensemble[volatility_target=0.4]" in text
    assert "walk-forward, donchian_ensemble" in text


def test_walk_forward_is_told_as_json_and_on_the_page_too(tmp_path, capsys):
    write_days(tmp_path / "kraken", days=520)
    options = {"sweep": ["volatility_target=0.2,0.4"], "walk_forward": True}
    page = tmp_path / "report.html"
    found = json.loads(
        run(capsys, tmp_path, strategy=["donchian_ensemble"], report=page, **options)
    )
    assert len(found) == 2
    walked = [one["walk_forward"] for one in found]
    assert walked[0] == walked[1]
    assert walked[0]["days"] == 90
    names = [one["strategy"] for one in found]
    assert set(walked[0]["chosen"]) <= set(names)
    html = page.read_text()
    assert "<h2>Walk-forward</h2>" in html
    assert walked[0]["chosen"][0] in html
    short = run(
        capsys,
        tmp_path,
        strategy=["donchian_ensemble"],
        end=datetime(2023, 1, 1),  # noqa: DTZ001
        **options,
    )
    assert json.loads(short)[0]["walk_forward"] == {"reason": "too few days"}


def test_every_report_on_coins_chosen_with_hindsight_says_so(tmp_path, capsys):
    """The terminal, JSON, the page, and the document that the API and the control room show."""
    write_days(tmp_path / "coingecko")
    write_days(tmp_path / "kraken")
    told = "chosen with hindsight (survivorship)"
    page = tmp_path / "report.html"
    options = {"strategy": ["donchian_ensemble"], "report": page}
    for venue, expected in (("coingecko", True), ("kraken", False)):
        [found] = json.loads(run(capsys, tmp_path, venue=[venue], **options))
        assert (told in found["notes"][0]) is expected
        assert (told in page.read_text()) is expected
        printed = run(capsys, tmp_path, venue=[venue], as_json=False, **options)
        assert (told in printed) is expected
        [trial] = run_trials(
            chosen_strategies(options["strategy"]),
            files_of(tmp_path, [], [venue], None),
            FillRules(),
            Portfolio(capital=1e5),
            interval=None,
            begin=None,
            together=False,
            tell=lambda *_: None,
        )
        assert (told in backtest_document(trial)["notes"][0]) is expected


def test_engine_that_cannot_run_a_strategy_says_so(tmp_path, capsys):
    write_days(tmp_path / "kraken")
    with pytest.raises(BacktestError, match="the fast engine runs it"):
        run(capsys, tmp_path, strategy=["cross_sectional_momentum"], engine=Engine.REFERENCE)


@pytest.mark.parametrize(
    "options",
    [
        {"strategy": ["nonsense"]},
        {"pair": ["XRP/USD"]},
        {"fees": "cheap"},
        {"fees": "a/b"},
        {"sweep": ["volatility_target"]},
        {"sweep": ["nonsense=1"]},
        {"sweep": ["volatility_target=0.1", "volatility_target=0.2"]},
    ],
)
def test_what_cannot_be_run_is_said_in_one_line(tmp_path, capsys, options):
    write_days(tmp_path / "kraken")
    with pytest.raises(BacktestError):
        run(capsys, tmp_path, **options)


def test_the_page_of_all_strategies_is_written_whatever_came_of_them(tmp_path):
    write_days(tmp_path / "kraken")
    page, charts = tmp_path / "strategies.md", tmp_path / "strategies.html"
    strategies(data=tmp_path, output=page, charts=charts)
    text = page.read_text()
    for word in ("volatility_managed", "donchian_ensemble", "P(not better)", "look-ahead"):
        assert word in text
    assert "No candles of this interval." in text
    assert "<svg" in charts.read_text()


def test_imported_history_of_the_running_platform_is_tried_without_what_is_in_quarantine(
    tmp_path, capsys, postgres, database_name, monkeypatch
):
    monkeypatch.setenv("AETHER_DATABASE_URL", postgres.url(Role.MARKET, database_name))
    monkeypatch.setenv("AETHER_HOME", str(tmp_path / "home"))
    path = archive(tmp_path / "XBTUSD_1440.csv", 300)
    lines = path.read_text().splitlines(keepends=True)
    lines[120] = lines[120].replace(".1,", "-,", 1)
    path.write_text("".join(lines))
    with history_record(Settings()) as record:
        (source,) = find_sources(path)
        done = import_source(source, record, lambda: NOW, batch_rows=100)
    assert (done.new_rows, done.quarantined_rows) == (200, 100)
    options = {"venue": ["history.kraken"], "strategy": ["donchian_ensemble"]}
    said = run(capsys, tmp_path / "nowhere", as_json=False, **options)
    assert "history.kraken BTC/USD 2024-01…2024-10" in said
    assert "100 bars of BTC/USD absent, at most 100 together, from 2024-04-10 00:00 on" in said


def test_without_a_running_platform_its_candles_are_no_empty_answer(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("AETHER_DATABASE_URL", raising=False)
    monkeypatch.setenv("AETHER_HOME", str(tmp_path / "home"))
    with pytest.raises(NotRunningError, match="no candles of history\\.kraken: aether up"):
        run(capsys, tmp_path, venue=["history.kraken"])
