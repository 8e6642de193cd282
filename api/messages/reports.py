"""The report of an account over a span of its days."""

import datetime as dt

from pydantic import BaseModel

from api.messages.decisions import HedgeReview
from api.messages.schemas import Money, Row
from api.queries.capital import Day


class DayOfReport(Row):
    """A day's return as a share, and its profit in USD."""

    day: dt.date
    share: Money
    profit: Money


class Fall(Row):
    """The deepest fall from a best to a later low, as a share of the best; market times."""

    share: Money
    best_at: dt.datetime
    lowest_at: dt.datetime


class RiskOfReport(BaseModel):
    """Risk of the span; what too few days cannot tell is None."""

    days: int
    losing_days: int
    daily_volatility: Money | None
    yearly_volatility: Money | None
    worst: DayOfReport | None
    best: DayOfReport | None
    deepest_fall: Fall | None
    exposure_share: Money | None


class Performance(BaseModel):
    """Time-weighted return, net of flows, beside that of holding over the same time.

    ``bitcoin_share``: of Bitcoin; ``holding_share``: of what the account held at the beginning.
    """

    return_share: Money
    closed_days_share: Money
    bitcoin_share: Money | None
    holding_share: Money | None
    since: dt.datetime
    until: dt.datetime | None


class CostsOfReport(Row):
    """What trades of one pair (``all``: of all) have cost and brought; USD.

    ``spread`` is the half of the quoted spread that entries paid, part of ``slippage``; None where
    the book of any of their decisions was not recorded, ``spread_unknown`` counts those.
    """

    symbol: str
    trades: int
    profit: Money
    fees: Money
    slippage: Money
    slippage_points: Money | None
    turnover: Money
    spread: Money | None
    spread_unknown: int
    maker_share: Money | None
    fees_saved: Money
    won_share: Money | None
    profit_factor: Money | None
    mean: Money | None
    cost_share: Money | None


class Report(BaseModel):
    """Daily profit, risk, performance, hedge and costs of an account."""

    account: str
    made_at: dt.datetime
    days: list[Day]
    risk: RiskOfReport
    performance: Performance
    hedge: HedgeReview | None
    costs: list[CostsOfReport]
