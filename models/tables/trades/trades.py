"""Trades: what was decided, what it came to, and how long it was unprotected."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import Amount, Document, Moment
from models.tables.documents import exits_document
from models.trading.account.entries.basis import EntryBasis
from models.trading.trade.execution_figures import execution_figures
from models.trading.trade.exits.conditions import rules_of
from models.trading.trade.figures import figures, summarise
from models.trading.trade.slippage import slippages, total
from models.trading.trade.state import ZERO, TradePhase, TradeState


class TradeRow(SQLModel, table=True):
    """One trade of an account.

    Money is USD. ``pnl`` is net of fees and set when the trade is settled. ``slippage`` is what
    execution cost against the decision prices (positive is worse), in USD and basis points;
    ``slippage_unmeasured`` counts those of the ``executions`` that have no decision price.
    ``entry_result`` says whether the entry took, rested, crossed after resting or bought nothing;
    ``maker_share`` is of all that was traded, ``fees_saved`` what that share saved. ``carried`` is
    dust of earlier trades that is sold along, ``dust`` what a settled one leaves.
    ``protected_quantity`` is covered by resting stops; ``unprotected_seconds`` adds up
    the finished gaps, ``unprotected_since`` is the start of a running one (protocol time).
    ``basis`` is on what the worth of its entry rests (``unproven``: on nothing yet).
    ``decided_at``, ``opened_at`` and ``closed_at`` are market times, ``requested_at`` and
    ``updated_at`` protocol times.
    """

    __tablename__ = "trades"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    number: int = Field(primary_key=True)
    symbol: str
    phase: str
    source: str
    protection: str
    entry_client_order_id: str
    quantity: Decimal = Field(sa_type=Amount)
    reference_price: Decimal = Field(sa_type=Amount)
    stop_price: Decimal = Field(sa_type=Amount)
    take_profit_price: Decimal | None = Field(default=None, sa_type=Amount)
    trailing_distance: Decimal | None = Field(default=None, sa_type=Amount)
    trailed: bool
    bought: Decimal = Field(sa_type=Amount)
    sold: Decimal = Field(sa_type=Amount)
    average_entry_price: Decimal | None = Field(default=None, sa_type=Amount)
    average_exit_price: Decimal | None = Field(default=None, sa_type=Amount)
    fees: Decimal = Field(sa_type=Amount)
    cash_flow: Decimal = Field(sa_type=Amount)
    pnl: Decimal | None = Field(default=None, sa_type=Amount)
    slippage: Decimal = Field(sa_type=Amount)
    slippage_basis_points: Decimal | None = Field(default=None, sa_type=Amount)
    slippage_unmeasured: int = 0
    executions: int = 0
    carried: Decimal = Field(default=ZERO, sa_type=Amount)
    dust: Decimal = Field(default=ZERO, sa_type=Amount)
    exit_reason: str | None = None
    exits: dict[str, Any] = Field(sa_type=Document)
    partials_taken: int
    hedge_sold: Decimal = Field(sa_type=Amount)
    entry_result: str = "took"
    maker_share: Decimal | None = Field(default=None, sa_type=Amount)
    fees_saved: Decimal = Field(default=Decimal(0), sa_type=Amount)
    protected_quantity: Decimal = Field(sa_type=Amount)
    unprotected_since: datetime | None = Field(default=None, sa_type=Moment)
    unprotected_seconds: Decimal = Field(sa_type=Amount)
    verdict: dict[str, Any] | None = Field(default=None, sa_type=Document)
    refusals: list[str] = Field(sa_type=Document)
    settings_version: int = 0
    basis: str = EntryBasis.UNSTATED.value
    decided_at: datetime = Field(sa_type=Moment)
    requested_at: datetime = Field(sa_type=Moment)
    opened_at: datetime | None = Field(default=None, sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


def trade_figures(state: TradeState) -> dict[str, Any]:
    """Return the columns that follow from a trade's state; coverage and verdict are not part."""
    plan, derived, executed = state.plan, figures(state), execution_figures(state)
    slipped = total(slippages(state))
    settled = state.phase is TradePhase.SETTLED
    return {
        "account_id": plan.account,
        "number": plan.number,
        "symbol": plan.instrument.symbol,
        "phase": state.phase.value,
        "source": plan.source,
        "protection": plan.protection.value,
        "entry_client_order_id": plan.entry.client_order_id,
        "quantity": plan.entry.quantity,
        "reference_price": plan.reference_price,
        "stop_price": state.stop_price,
        "take_profit_price": state.take_profit_price,
        "trailing_distance": plan.trailing_distance,
        "trailed": state.trailed,
        "bought": state.bought,
        "sold": state.sold,
        "average_entry_price": derived.average_entry,
        "average_exit_price": derived.average_exit,
        "fees": state.fees,
        "cash_flow": state.cash_flow,
        "pnl": derived.net_profit if settled else None,
        "slippage": slipped.usd,
        "slippage_basis_points": slipped.basis_points,
        "slippage_unmeasured": slipped.unmeasured,
        "executions": len(state.fills),
        "carried": state.plan.carried,
        "dust": summarise(state).dust,
        "exit_reason": state.exit_reason.value if state.exit_reason else None,
        "exits": exits_document(rules_of(state)),
        "partials_taken": state.partials_taken,
        "hedge_sold": summarise(state).hedge_sold,
        "entry_result": executed.entry.value,
        "maker_share": executed.maker_share,
        "fees_saved": executed.fees_saved,
        "refusals": list(state.refusals),
        "settings_version": plan.settings_version,
        "basis": plan.basis.value,
        "decided_at": plan.decided_at,
        "requested_at": plan.requested_at,
        "opened_at": state.opened_at,
        "closed_at": state.closed_at,
    }
