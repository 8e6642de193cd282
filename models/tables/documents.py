"""The domain's values as JSON documents and back; exact: decimals are written as strings."""

from typing import Any

from pydantic import TypeAdapter

from models.trading.account.entries.record import EntryRecord
from models.trading.account.state import AccountState, Halt
from models.trading.capital.strategy_results import StrategyResults
from models.trading.exits.rules import ExitRules
from models.trading.governance.going_live import LiveFacts
from models.trading.orders import Fill, OrderReport, OrderSpec
from models.trading.risk.drawdown import DrawdownState
from models.trading.risk.limits import AccountLimits
from models.trading.trade.state import TradeState
from models.trading.trading_day import DayRule
from models.trading.verdicts import Verdict

_ORDER_SPEC = TypeAdapter(OrderSpec)
_FILLS = TypeAdapter(list[Fill])
_REPORT = TypeAdapter(OrderReport)
_REPORTS = TypeAdapter(list[OrderReport])
_LIMITS = TypeAdapter(AccountLimits)
_HALTS = TypeAdapter(tuple[Halt, ...])
_DRAWDOWN = TypeAdapter(DrawdownState)
_DAY_RULE = TypeAdapter(DayRule)
_VERDICT = TypeAdapter(Verdict)
_RESULTS = TypeAdapter(dict[str, StrategyResults])
_ENTRY = TypeAdapter(EntryRecord)
_EXITS = TypeAdapter(ExitRules)
_ACCOUNT = TypeAdapter(AccountState)
_TRADE = TypeAdapter(TradeState)
_LIVE_FACTS = TypeAdapter(LiveFacts)


def order_spec_text(order: OrderSpec) -> str:
    """Write an intent as JSON."""
    return _ORDER_SPEC.dump_json(order).decode()


def order_spec(document: dict[str, Any]) -> OrderSpec:
    """Read an intent."""
    return _ORDER_SPEC.validate_python(document)


def fills_text(fills: list[Fill]) -> str:
    """Write executions as JSON."""
    return _FILLS.dump_json(fills).decode()


def reports_text(reports: list[OrderReport]) -> str:
    """Write the exchange's reports as JSON."""
    return _REPORTS.dump_json(reports).decode()


def unknown_order_document(report: OrderReport) -> dict[str, Any]:
    """Write what tells a person which order it is; what it has not is left out."""
    document: dict[str, Any] = _REPORT.dump_python(
        report, mode="json", exclude_none=True, exclude={"order_id", "execution_ids"}
    )
    return document


def limits_document(limits: AccountLimits) -> dict[str, Any]:
    """Write limits as a document."""
    document: dict[str, Any] = _LIMITS.dump_python(limits, mode="json")
    return document


def account_limits(document: dict[str, Any]) -> AccountLimits:
    """Read limits; a limit that an older release did not know gets its default."""
    return _LIMITS.validate_python(document)


def halts_document(halts: tuple[Halt, ...]) -> list[dict[str, Any]]:
    """Write halts as a document."""
    document: list[dict[str, Any]] = _HALTS.dump_python(halts, mode="json")
    return document


def account_halts(document: list[dict[str, Any]]) -> tuple[Halt, ...]:
    """Read halts."""
    return _HALTS.validate_python(document)


def drawdown_document(drawdown: DrawdownState) -> dict[str, Any]:
    """Write what an account's drawdown is measured against."""
    document: dict[str, Any] = _DRAWDOWN.dump_python(drawdown, mode="json")
    return document


def drawdown_state(document: dict[str, Any]) -> DrawdownState:
    """Read what an account's drawdown is measured against."""
    return _DRAWDOWN.validate_python(document)


def day_rule_document(rule: DayRule) -> dict[str, Any]:
    """Write where an account's day begins."""
    document: dict[str, Any] = _DAY_RULE.dump_python(rule, mode="json")
    return document


def day_rule(document: dict[str, Any] | None) -> DayRule:
    """Read where an account's day begins; what was never written is the usual."""
    return DayRule() if document is None else _DAY_RULE.validate_python(document)


def results_document(results: dict[str, StrategyResults]) -> dict[str, Any]:
    """Write what strategies have earned."""
    document: dict[str, Any] = _RESULTS.dump_python(results, mode="json")
    return document


def strategy_results(document: dict[str, Any]) -> dict[str, StrategyResults]:
    """Read what strategies have earned."""
    return _RESULTS.validate_python(document)


def exits_document(exits: ExitRules) -> dict[str, Any]:
    """Write the exits of a trade; those that are not used are left out."""
    document: dict[str, Any] = _EXITS.dump_python(exits, mode="json", exclude_none=True)
    return document


def entry_document(record: EntryRecord) -> dict[str, Any]:
    """Write what an entry was decided by."""
    document: dict[str, Any] = _ENTRY.dump_python(record, mode="json")
    return document


def entry_record(document: dict[str, Any]) -> EntryRecord:
    """Read what an entry was decided by."""
    return _ENTRY.validate_python(document)


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """Write a verdict with its checks and whether it allowed."""
    document: dict[str, Any] = _VERDICT.dump_python(verdict, mode="json")
    return document | {"allowed": verdict.allowed}


def verdict(document: dict[str, Any]) -> Verdict:
    """Read a verdict."""
    return _VERDICT.validate_python({"checks": document["checks"]})


def account_state_text(state: AccountState) -> str:
    """Write an account's state as JSON."""
    return _ACCOUNT.dump_json(state).decode()


def account_state(document: dict[str, Any]) -> AccountState:
    """Read an account's state; what an older release did not know gets its default."""
    return _ACCOUNT.validate_python(document)


def trade_state_text(state: TradeState) -> str:
    """Write a trade's state as JSON."""
    return _TRADE.dump_json(state).decode()


def trade_state(document: dict[str, Any]) -> TradeState:
    """Read a trade's state; what an older release did not know gets its default."""
    return _TRADE.validate_python(document)


def live_facts_document(facts: LiveFacts) -> dict[str, Any]:
    """Write what a check for going live found."""
    document: dict[str, Any] = _LIVE_FACTS.dump_python(facts, mode="json")
    return document


def live_facts(document: dict[str, Any]) -> LiveFacts:
    """Read what a check for going live found."""
    return _LIVE_FACTS.validate_python(document)
