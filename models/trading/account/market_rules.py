"""What an account takes in of the platform's rules of the market: universe, buckets, groups."""

from dataclasses import replace

from models.trading.account.decision import AccountDecision
from models.trading.account.facts import RecordAccount, UniverseUpdated
from models.trading.account.figures import newer
from models.trading.account.state import AccountState


def on_market_rules(state: AccountState, fact: UniverseUpdated) -> AccountDecision:
    """Take in what is newer than what is known; each change is audited once.

    That nothing has changed is news too: what was found anew is as old as the finding.

    Trades that are open in a pair which has left are not touched: their protection goes on.
    """
    version, number = state.market_rules
    after, details = state, []
    if fact.universe_version > version:
        after = replace(after, universe=fact.universe, buckets=dict(fact.buckets))
        details.append(("universe", str(fact.universe_version)))
    if fact.groups_number > number:
        after = replace(after, groups=dict(fact.groups))
        details.append(("groups", str(fact.groups_number)))
    known = state.platform.version
    if fact.settings is not None and fact.settings.version > known:
        after = replace(after, platform=fact.settings)
        details.append(("settings", str(fact.settings.version)))
    times = replace(
        state.figure_times,
        universe=newer(state.figure_times.universe, fact.universe_reviewed_at),
        groups=newer(state.figure_times.groups, fact.groups_computed_at),
    )
    after = replace(after, figure_times=times)
    if not details:
        return AccountDecision(after, ())
    newest = (max(version, fact.universe_version), max(number, fact.groups_number))
    record = RecordAccount("market_rules_taken_over", details=tuple(details))
    return AccountDecision(replace(after, market_rules=newest), (record,))
