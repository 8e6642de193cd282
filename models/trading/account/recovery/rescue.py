"""An account takes a trade back that had settled: it holds what the account did not know of.

While what the trade holds is not covered by resting stops, no entries are taken.
"""

from dataclasses import replace

from models.trading.account.decision import AccountDecision
from models.trading.account.facts import RecordAccount, TradeProgressed
from models.trading.account.halts import remember
from models.trading.account.state import ZERO, AccountState, Halt, HaltKind
from models.trading.risk.dust import with_dust_moved


def on_rescue(state: AccountState, fact: TradeProgressed) -> AccountDecision:
    """Take a trade back, once per rescue; what it had left behind when it settled goes with it."""
    summary, rescue = fact.summary, fact.summary.rescue
    if rescue is None or fact.closed:
        return AccountDecision(state, ())
    name = f"rescue/{summary.number}/{rescue.number}"
    if name in state.recent_requests:
        return AccountDecision(state, ())
    instrument = state.instruments.get(summary.symbol)
    base = instrument.base if instrument else summary.symbol.partition("/")[0]
    balances = dict(state.balances)
    balances["USD"] = balances.get("USD", ZERO) - rescue.cash_flow
    balances[base] = balances.get(base, ZERO) - rescue.quantity
    reason = f"trade {summary.number} was opened again: the exchange told of more than it had"
    halt = Halt(HaltKind.RESCUE, reason, fact.at, summary.number)
    taken = replace(
        remember(state, name),
        balances=balances,
        trades={**state.trades, summary.number: summary},
        closed_trades=state.closed_trades - 1,
        traded_at=max(fact.at, state.traded_at or fact.at),
        halts=(*without_rescue(state, summary.number), halt),
    )
    taken = with_dust_moved(taken, base, -rescue.dust)
    details = (("trade", str(summary.number)), ("reason", reason))
    return AccountDecision(
        lifted_when_covered(taken, fact), (RecordAccount("rescue_began", "aether", details),)
    )


def lifted_when_covered(state: AccountState, fact: TradeProgressed) -> AccountState:
    """Lift the halt of a rescue once what the trade holds is covered, or the trade is over."""
    rescue = fact.summary.rescue
    if rescue is None or not (rescue.covered or fact.closed):
        return state
    halts = without_rescue(state, fact.summary.number)
    return state if halts == state.halts else replace(state, halts=halts)


def without_rescue(state: AccountState, trade: int) -> tuple[Halt, ...]:
    """Return the halts without that of a trade's rescue."""
    return tuple(h for h in state.halts if not (h.kind is HaltKind.RESCUE and h.number == trade))
