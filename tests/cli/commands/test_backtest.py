"""`aether backtest` and `aether strategies` on directories of recorded candles."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from activities.learning.strategy_trials import BacktestError
from cli.commands.backtest import Engine, backtest
from cli.commands.strategies import strategies

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
        "report": None, "as_json": True,
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


@pytest.mark.parametrize(
    "options",
    [
        {"strategy": ["nonsense"]},
        {"pair": ["XRP/USD"]},
        {"fees": "cheap"},
        {"fees": "a/b"},
        {"sweep": ["volatility_target"]},
        {"sweep": ["nonsense=1"]},
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
