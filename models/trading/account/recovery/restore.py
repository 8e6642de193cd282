"""An account as its workflow starts anew from the record: what was known, and what is not yet."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from models.trading.account.halts import with_halt
from models.trading.account.settings.in_force import SettingsInForce
from models.trading.account.state import AccountState, Halt, HaltKind
from models.trading.trade.figures import summarise
from models.trading.trade.state import TradeState

RESTORED = "taken up from the record, waits for the exchange"


def taken_up(
    known: AccountState, configured: AccountState, unsettled: Sequence[TradeState], at: datetime
) -> AccountState:
    """Return the state that an account goes on from.

    No entry is taken until the exchange has answered and the account was compared with it: what
    happened while nothing ran is not in the record. The rules of the market are not written down
    with an account; until it is told them anew no pair is in its universe, if it had one.

    Args:
        known: the state as last written down, with a number for the next trade that is free.
        configured: the account as its own row tells: what was set up or changed by hand counts.
        unsettled: the trades that have not come to their end, as last written down.
        at: protocol time.
    """
    trades = dict(known.trades)
    for trade in unsettled:
        number = trade.plan.number
        strategy = trades[number].strategy if number in trades else ""
        trades[number] = replace(summarise(trade), strategy=strategy)
    halts = with_halt(known.halts, Halt(HaltKind.NO_EXCHANGE, RESTORED, at))
    return replace(
        known,
        installation=configured.installation,
        mode=configured.mode,
        strategies=configured.strategies,
        trades=trades,
        halts=halts,
        universe=() if known.market_rules[0] else known.universe,
        market_rules=(0, 0),
        platform=SettingsInForce(),
    )
