"""What becomes of a wish to change an account's settings: a new version, or a refusal."""

import json
from collections.abc import Mapping
from dataclasses import fields

from models.trading.account_facts import (
    Answer,
    LimitsChangeRequested,
    RecordAccount,
    SettingsChangeRequested,
)
from models.trading.account_hedge_facts import ReviewHedge
from models.trading.account_rules import adopt
from models.trading.account_settings import record_of, version_in_force
from models.trading.account_state import AccountState
from models.trading.decided import AccountDecision
from models.trading.limits import AccountLimits
from models.trading.settings_catalogue import SettingScope
from models.trading.settings_versions import ChangeRequest, SettingsVersion, decide_change

_PORTFOLIO_NAMES = {
    "pair_exposure_share": "portfolio.pair_share",
    "gross_exposure_share": "portfolio.gross_share",
    "open_trades_maximum": "portfolio.trades_maximum",
}


def on_settings_change(
    state: AccountState, fact: SettingsChangeRequested | LimitsChangeRequested
) -> AccountDecision:
    """Make the next version of the settings, or refuse the change whole."""
    if isinstance(fact, LimitsChangeRequested):
        return _on_limits(state, fact)
    try:
        updates = json.loads(fact.updates)
    except (ValueError, RecursionError):
        updates = None
    if not isinstance(updates, dict):
        detail = "the updates are no object of values by name"
        return AccountDecision(state, (), Answer(fact.request_id, "invalid-setting", detail))
    return _change(state, fact, updates, "settings_changed")


def _on_limits(state: AccountState, fact: LimitsChangeRequested) -> AccountDecision:
    """Set limits by their fields: a change of the settings that they stand for."""
    # The limits an account carries may be those of before there were settings.
    updates: dict[str, object] = {
        _PORTFOLIO_NAMES.get(field.name, f"risk.{field.name}"): getattr(fact.limits, field.name)
        for field in fields(AccountLimits)
        if getattr(fact.limits, field.name) != getattr(state.limits, field.name)
    }
    if not updates:
        answer = Answer(fact.request_id, "accepted", "the limits are these already")
        return AccountDecision(state, (), answer)
    change = SettingsChangeRequested(
        request_id=fact.request_id,
        by=fact.by,
        updates="",
        reason="limits set as a whole",
        at=fact.at,
        confirmed=True,
    )
    return _change(state, change, updates, "limits_changed")


def _change(
    state: AccountState, fact: SettingsChangeRequested, updates: Mapping[str, object], action: str
) -> AccountDecision:
    current = version_in_force(state.account, SettingScope.ACCOUNT, state.settings)
    request = ChangeRequest(
        updates=updates,
        author=fact.by,
        reason=fact.reason,
        at=fact.at,
        based_on=current.version if fact.based_on is None else fact.based_on,
        confirmed=fact.confirmed,
    )
    decision = decide_change(current, request)
    if decision.version is None:
        failure, verdict = decision.verdict.failures[0], decision.verdict
        dangerous = tuple(change.name for change in decision.changes if change.dangerous)
        code = "invalid-limits" if action == "limits_changed" else failure.code
        answer = Answer(fact.request_id, code, verdict.reason, verdict=verdict, dangerous=dangerous)
        return AccountDecision(state, (), answer)
    return _made(state, fact, decision.version, action)


def _made(
    state: AccountState, fact: SettingsChangeRequested, version: SettingsVersion, action: str
) -> AccountDecision:
    record = record_of(version, fact.at)
    dangerous = tuple(change.name for change in record.changes if change.dangerous)
    details = [
        ("version", str(version.version)),
        ("reason", version.reason),
        *((change.name, f"{change.before} -> {change.after}") for change in record.changes),
    ]
    if dangerous:
        details.append(("dangerous", ", ".join(dangerous)))
    answer = Answer(
        fact.request_id,
        "accepted",
        f"version {version.version} of the settings holds from now on",
        settings_version=version.version,
        dangerous=dangerous,
    )
    written = RecordAccount(action, fact.by, tuple(details), settings=record)
    adopted = adopt(state, record.in_force)
    if adopted.hedge_settings == state.hedge_settings:
        return AccountDecision(adopted, (written,), answer)
    return AccountDecision(adopted, (written, ReviewHedge("settings changed")), answer)
