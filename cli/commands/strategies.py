"""`aether strategies`: every strategy out of sample, net of fees, as one page of the docs."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.backtest import CAPITAL, LOCK, USUAL_DATA, run, series_in
from infra.runtime.extra_packages import need

if TYPE_CHECKING:
    from models.learning.backtest.study import Trial

PAGE = Path("docs") / "strategies.md"
CHARTS = Path("build") / "strategies.html"
HOURLY, QUARTERS = 60, 15


@dataclass(frozen=True, slots=True)
class Part:
    """One table: strategies at one interval (None: their own), pairs together or one by one."""

    title: str
    strategies: tuple[str, ...]
    interval: int | None
    together: bool


PARTS = (
    Part("Shipped, pairs of a window as one portfolio", ("volatility_managed", "donchian_ensemble"),
         None, together=True),
    Part("Shipped, pair by pair", ("volatility_managed", "donchian_ensemble"), None,
         together=False),
    Part("In shadow, daily", ("cross_sectional_momentum",), None, together=True),
    Part("In shadow, hourly", ("mean_reversion", "intraday_breakout", "trend"), HOURLY,
         together=True),
    Part("In shadow, 15 minutes", ("trend",), QUARTERS, together=True),
)  # fmt: skip


def strategies(
    *,
    data: Annotated[
        Path, typer.Option(help="Directory with recorded candles (Parquet, Kraken's CSV).")
    ] = USUAL_DATA,
    output: Annotated[Path, typer.Option(help="Page to write.")] = PAGE,
    charts: Annotated[Path, typer.Option(help="HTML page with every chart.")] = CHARTS,
) -> None:
    """Try every strategy on recorded candles and write what came of it, whatever it is."""
    need("numba", LOCK)
    from models.learning.backtest.rules import FillRules, Portfolio
    from models.reporting.backtest.page import page
    from models.reporting.backtest.strategy_report import Section, write

    rules, portfolio = FillRules(), Portfolio(capital=CAPITAL)
    sections, every = [], []
    for part in PARTS:
        trials = _tried(data, part, rules, portfolio)
        every += trials
        sections.append(Section(part.title, trials))
    if not every:
        from activities.learning.strategy_trials import BacktestError

        raise BacktestError(f"{data} holds no candles that a strategy decides on")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(write(sections, rules, CAPITAL, checks(data)))
    charts.parent.mkdir(parents=True, exist_ok=True)
    charts.write_text(page("Strategies", every, rules, CAPITAL))
    typer.echo(f"written: {output} and {charts}")


def _tried(data: Path, part: Part, rules: Any, portfolio: Any) -> "list[Trial]":
    from activities.learning.strategy_trials import BacktestError

    try:
        return run(
            data,
            list(part.strategies),
            rules,
            portfolio,
            pairs=[],
            venues=[],
            interval=part.interval,
            span=(None, None),
            together=part.together,
        )
    except BacktestError:
        return []  # this directory has no bars of the interval: the page says so


def checks(data: Path) -> list[tuple[str, str, int]]:
    """Return the bias checks of each strategy on the longest series: name, check, findings."""
    from activities.learning.strategy_trials import BacktestError
    from models.learning.backtest.bias_checks import look_ahead
    from models.learning.backtest.decisions import decide_all
    from models.trading.strategies import StrategyStanding, known

    rows = []
    for one in known():
        if one.standing is StrategyStanding.DEMONSTRATION:
            continue
        try:
            series = series_in(data, one.interval_minutes or HOURLY)
        except BacktestError:
            continue
        longest = max(series, key=lambda s: len(s.bars)).bars
        bars = longest.slice(max(0, len(longest) - 3000), len(longest))
        found = look_ahead(lambda some, strategy=one: decide_all(strategy, some), bars, cuts=3)  # type: ignore[misc]
        rows.append((one.name, "look-ahead", len(found)))
    return rows
