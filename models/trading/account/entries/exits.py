"""The exits of a trade at its entry: what was asked for, else the account's defaults."""

from dataclasses import replace

from models.trading.account.entries.preconditions import EntryIntent
from models.trading.account.policies import exit_defaults
from models.trading.account.state import AccountState
from models.trading.exits.changes import judge_rules
from models.trading.exits.requests import changed_exits, numbers_of
from models.trading.exits.rules import ExitRules
from models.trading.instruments import Instrument
from models.trading.settings.reading import ExitDefaults
from models.trading.verdicts import Check


def entry_exits(
    state: AccountState, intent: EntryIntent, instrument: Instrument
) -> ExitRules | None:
    """Return the exits beyond stop, target and trailing distance, None when there are none."""
    defaults, change = exit_defaults(state), intent.change
    if change is None and defaults == ExitDefaults():
        return None
    rules = ExitRules(
        stop_price=intent.exits.stop_price,
        take_profit_price=intent.exits.take_profit_price,
        trailing_share=defaults.trailing_share,
        trailing_multiple=defaults.trailing_multiple,
        hold_maximum=defaults.hold_maximum,
        break_even_gain=defaults.break_even_gain,
        break_even_offset=defaults.break_even_offset,
        trailing_distance=intent.exits.trailing_distance,
    )
    if change is None:
        return rules
    kept = replace(change, stop_price=None, take_profit_price=None, trailing_distance=None)
    changed = changed_exits(rules, kept, instrument)
    return replace(changed, stop_price=rules.stop_price, take_profit_price=rules.take_profit_price)


def check_exits(state: AccountState, intent: EntryIntent, instrument: Instrument) -> Check | None:
    """Return why the exits that were asked for cannot be used, None when they can."""
    change = intent.change
    if change is None or intent.market is None:
        return None
    if any(not number.is_finite() or not 0 <= number < 10**15 for number in numbers_of(change)):
        reason = "exits are given in numbers from zero up"
        return Check("R-1", "invalid-exits", passed=False, reason=reason)
    rules = entry_exits(state, intent, instrument)
    price = intent.limit_price if intent.limit_price is not None else intent.market.ask
    if rules is None:
        return None
    checks = judge_rules(rules, instrument, price).failures
    return next((c for c in checks if c.code == "invalid-exits"), None)
