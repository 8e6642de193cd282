"""In the account of a backtest nothing but cash, minimums and the strategy is a limit."""

from decimal import Decimal

from models.learning.backtest.reference_account import strategy_account
from models.learning.backtest.rules import FillRules, Portfolio
from models.trading.account.rules import rules_in_force
from tests.models.trading.trading_builders import an_instrument


def test_every_open_rule_is_taken_as_it_was_meant():
    account = strategy_account(an_instrument(), Portfolio(band=0.2), FillRules(), "any")
    rules = rules_in_force(account)
    assert rules.portfolio.group_share == rules.portfolio.bucket_share == 1
    assert rules.portfolio.losses_maximum == 0
    assert rules.volatility_share >= Decimal("0.2")
    assert rules.strategies.band == Decimal("0.2")
    assert rules.strategies.turnover_maximum >= 100_000
    assert rules.strategies.cost_share_maximum == 1
    assert rules.strategies.trades_minimum == 10_000
    assert rules.approval.equity_share_minimum is None
    assert rules.drawdown.hard_share == 1
    assert rules.losses.week_hard_share == rules.losses.open_risk_hard_share == 1
    assert rules.evidence.cost_budget_share == 1
    assert rules.execution.exit_tries == 0
    assert rules.limits.trade_minimum == 0
    assert account.fees["BTC/USD"].taker == Decimal("0.008")
