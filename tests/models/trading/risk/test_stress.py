"""Shocks take from a portfolio what they say, and name the limits that break."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.trading.risk.drawdown_limits import DrawdownLimits
from models.trading.risk.portfolio import PortfolioLimits
from models.trading.risk.stress import (
    StressPortfolio,
    StressPosition,
    StressResult,
    apply_shock,
    apply_shocks,
)
from models.trading.risk.stress_scenarios import HISTORICAL, Shock

DRAWDOWN, LIMITS = DrawdownLimits(), PortfolioLimits()
BTC = StressPosition(
    "BTC/USD", "BTC", Decimal("0.1"), Decimal(50_000), "BTC/USD", "major", Decimal(48_000)
)
USDC = StressPosition(
    "USDC/USD", "USDC", Decimal(1000), Decimal(1), "USDC/USD", "stable", None, is_stablecoin=True
)
DOGE = StressPosition("DOGE/USD", "DOGE", Decimal(10_000), Decimal("0.1"), "BTC/USD", "meme")
PORTFOLIO = StressPortfolio(Decimal(3000), (BTC, USDC, DOGE))


def stressed(shock: Shock, portfolio: StressPortfolio = PORTFOLIO) -> StressResult:
    return apply_shock(portfolio, shock, DRAWDOWN, LIMITS)


def test_every_scenario_has_its_date_and_source() -> None:
    assert [s.name for s in HISTORICAL] == sorted(s.name for s in HISTORICAL)
    assert {"2020-03-12", "2021-05-19", "2022-06-13", "2022-11-09"} <= {s.name for s in HISTORICAL}
    for shock in HISTORICAL:
        assert shock.source
        assert all(-1 < move < 0 for move in shock.moves.values())
        assert shock.others >= -1


def test_black_thursday_costs_what_it_cost_then() -> None:
    result = stressed(HISTORICAL[0])
    assert result.equity_before == 10_000
    assert result.loss == Decimal("0.412") * 5000 + Decimal("0.48") * 1000
    assert result.equity_after == 10_000 - result.loss
    # The stop of BTC would have sold at 48,000 at best; DOGE has none.
    assert result.loss_with_stops == 200 + 480
    effects = {effect.name: effect for effect in result.effects}
    assert effects["daily drawdown, hard level"].breached
    assert effects["total drawdown"].after == Decimal("0.254")
    # Cash does not fall, so the share of what fell is smaller than before.
    assert effects["pair exposure BTC/USD"].before == Decimal("0.5")
    assert effects["pair exposure BTC/USD"].after == Decimal(2940) / Decimal(7460)
    assert "gross exposure" in effects


def test_stablecoins_move_only_where_the_scenario_names_them() -> None:
    assert stressed(HISTORICAL[-1]).loss == Decimal(123)
    assert stressed(HISTORICAL[-1]).loss_with_stops == Decimal(123)


def test_losses_already_made_count() -> None:
    down = replace(PORTFOLIO, daily_share=Decimal("0.04"), total_share=Decimal("0.10"))
    small = Shock("user", "one percent off", "a person", {}, Decimal("-0.02"))
    effects = {effect.name: effect for effect in stressed(small, down).effects}
    assert effects["daily drawdown, hard level"].breached
    assert effects["daily drawdown, hard level"].after == 1 - Decimal("0.96") * Decimal("0.988")
    assert not effects["total drawdown"].breached


def test_the_worst_comes_first() -> None:
    losses = [r.loss for r in apply_shocks(PORTFOLIO, HISTORICAL, DRAWDOWN, LIMITS)]
    assert losses == sorted(losses, reverse=True)


@given(
    st.decimals("0", "100000", places=2),
    st.lists(
        st.tuples(
            st.sampled_from(("BTC", "ETH", "SOL", "USDC")),
            st.decimals("0", "100", places=3),
            st.decimals("0.01", "60000", places=2),
            st.one_of(st.none(), st.decimals("0.01", "60000", places=2)),
        ),
        max_size=6,
    ),
    st.decimals("-2", "1", places=3),
)
def test_nothing_is_lost_but_what_moved(
    cash: Decimal,
    rows: list[tuple[str, Decimal, Decimal, Decimal | None]],
    move: Decimal,
) -> None:
    positions = tuple(
        StressPosition(f"{a}/USD", a, q, p, a, "bucket", stop, is_stablecoin=a == "USDC")
        for a, q, p, stop in rows
    )
    portfolio = StressPortfolio(cash, positions)
    result = stressed(Shock("user", "", "", {}, move), portfolio)
    moving = sum((p.value for p in positions if not p.is_stablecoin), Decimal(0))
    assert abs(result.loss + moving * max(Decimal(-1), move)) < Decimal("1e-12")
    assert result.equity_after >= 0
    assert result.loss_with_stops <= result.loss
