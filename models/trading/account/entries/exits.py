"""The exits of a trade at its entry: what was asked for, else the account's defaults."""

from dataclasses import replace
from decimal import Decimal

from models.trading.account.entries.preconditions import EntryIntent
from models.trading.account.policies import exit_defaults
from models.trading.account.state import AccountState
from models.trading.exits.changes import judge_effect
from models.trading.exits.requests import ExitsChange, changed_exits, numbers_of
from models.trading.exits.rules import ExitRules
from models.trading.instruments import Instrument
from models.trading.settings.exits import ExitDefaults, rules_with
from models.trading.verdicts import Check


def entry_exits(
    state: AccountState, intent: EntryIntent, instrument: Instrument
) -> ExitRules | None:
    """Return the exits beyond stop, target and trailing distance, None when there are none."""
    if intent.change is None and exit_defaults(state) == ExitDefaults():
        return None
    return _all_exits(state, intent, instrument)


def check_exits(
    state: AccountState, intent: EntryIntent, instrument: Instrument, entry: Decimal
) -> Check | None:
    """Return why an exit of an entry can never take effect, None when each can (T-4).

    The defaults are judged as well, and with what was asked for, as the trade would have them.
    ``entry`` is the price that is paid at most.
    """
    change = intent.change or ExitsChange()
    if any(not number.is_finite() or not 0 <= number < 10**15 for number in numbers_of(change)):
        reason = "exits are given in numbers from zero up"
        return Check("R-1", "invalid-exits", passed=False, reason=reason)
    rules = _all_exits(state, intent, instrument)
    return next(iter(judge_effect(rules, entry, entry).failures), None)


def _all_exits(state: AccountState, intent: EntryIntent, instrument: Instrument) -> ExitRules:
    rules = rules_with(exit_defaults(state), intent.exits)
    if intent.change is None:
        return rules
    # Stop, target and distance are the entry's own: they were rounded to the side that risks less.
    kept = replace(intent.change, stop_price=None, take_profit_price=None, trailing_distance=None)
    changed = changed_exits(rules, kept, instrument)
    return replace(changed, stop_price=rules.stop_price, take_profit_price=rules.take_profit_price)
