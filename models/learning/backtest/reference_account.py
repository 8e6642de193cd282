"""The account that a backtest decides by: the platform's own state, under stated rules."""

from dataclasses import replace
from decimal import Decimal

from models.learning.backtest.rules import FillRules, Portfolio
from models.trading.account.settings.in_force import SettingsInForce, values_text
from models.trading.account.state import AccountState
from models.trading.governance.approval import ApprovalPolicy
from models.trading.instruments import Instrument
from models.trading.risk.drawdown_limits import DrawdownLimits
from models.trading.risk.limits import AccountLimits
from models.trading.settings.catalogue import SettingScope
from models.trading.settings.versions import default_version

ONE = Decimal(1)
MANY = 10_000
NAME = "backtest"
INSTALLATION = "00000000-0000-4000-8000-000000000000"
_OPEN: dict[str, Decimal | int] = {
    "portfolio.group_share": ONE,
    "portfolio.bucket_share": ONE,
    "portfolio.orders_maximum": MANY,
    "portfolio.losses_maximum": 0,
    "risk.volatility_share": Decimal("0.2"),
    "strategies.turnover_maximum": Decimal(1_000_000),
    "strategies.cost_share_maximum": ONE,
    "strategies.trades_minimum": MANY,
}


def strategy_account(
    instrument: Instrument, portfolio: Portfolio, rules: FillRules, strategy: str
) -> AccountState:
    """Return an account in which nothing but cash, minimums and the strategy itself is a limit.

    What a strategy is worth is judged without the limits of one account; under those of a real one
    it is judged by ``account_under``.
    """
    values: dict[str, Decimal | int] = {
        **_OPEN,
        "strategies.band": _decimal(portfolio.band),
    }
    limits = AccountLimits(
        risk_share=ONE,
        pair_exposure_share=ONE,
        gross_exposure_share=ONE,
        cash_reserve_share=_decimal(portfolio.reserve_share),
        open_trades_maximum=MANY,
        open_trades_per_pair=1,
        reward_to_cost_minimum=Decimal(0),
        stop_distance_minimum=Decimal(0),
        slippage_share=Decimal(0),
        depth_share=ONE,
    )
    whole = DrawdownLimits(soft_share=ONE, hard_share=ONE, total_share=ONE)
    account = account_under(_settings(values), instrument, portfolio, rules, strategy)
    return replace(
        account,
        limits=limits,
        drawdown_limits=whole,
        approval=ApprovalPolicy(equity_share_minimum=None),
    )


def account_under(
    settings: SettingsInForce,
    instrument: Instrument,
    portfolio: Portfolio,
    rules: FillRules,
    strategy: str,
) -> AccountState:
    """Return an account under settings as accounts have them."""
    return AccountState(
        account=NAME,
        installation=INSTALLATION,
        strategies=(strategy,),
        instruments={instrument.symbol: instrument},
        fees={instrument.symbol: rules.fees.rates(Decimal(0))},
        balances={"USD": _decimal(portfolio.capital)},
        settings=settings,
    )


def _settings(values: dict[str, Decimal | int]) -> SettingsInForce:
    known = default_version(NAME, SettingScope.ACCOUNT)
    changed = replace(known, values={**known.values, **values})
    return SettingsInForce(1, values_text(changed))


def _decimal(figure: float) -> Decimal:
    return Decimal(repr(figure))
