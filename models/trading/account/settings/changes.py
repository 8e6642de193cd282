"""What becomes of a wish to change an account's settings: a new version, or a refusal."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace

from models.trading.account.decision import AccountDecision
from models.trading.account.facts import (
    LimitsChangeRequested,
    RecordAccount,
    SettingsChangeRequested,
)
from models.trading.account.hedge.facts import ReviewHedge
from models.trading.account.rules import adopt
from models.trading.account.settings.in_force import (
    changed_value,
    record_of,
    rules_of_account,
    version_in_force,
)
from models.trading.account.settings.waiting import WaitingChange
from models.trading.account.state import AccountState
from models.trading.answers import WAITING, Answer
from models.trading.bounds import cleaned_text
from models.trading.governance.approval import (
    FROZEN,
    ApprovalRequest,
    ApprovalSettled,
    ApprovalStatus,
    RequestApproval,
)
from models.trading.governance.freeze import tightens
from models.trading.governance.subject_contents import SettingsContent, write_content
from models.trading.governance.subjects import Subject
from models.trading.identities import approval_id
from models.trading.risk.limits import AccountLimits, Mode
from models.trading.settings.catalogue import SettingScope
from models.trading.settings.records import export_changes
from models.trading.settings.versions import (
    ChangeRequest,
    SettingsDecision,
    SettingsVersion,
    decide_change,
)

WAITING_MAXIMUM = 5
"""Changes that may wait at once: the account carries them all."""
DETAIL_LENGTH = 1_000

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
        frozen=fact.frozen,
    )
    return _change(state, change, updates, "limits_changed")


def _change(
    state: AccountState,
    fact: SettingsChangeRequested,
    updates: Mapping[str, object],
    action: str,
    approved_by: str | None = None,
) -> AccountDecision:
    current = version_in_force(state.account, SettingScope.ACCOUNT, state.settings)
    request = ChangeRequest(
        updates=updates,
        author=fact.by,
        reason=fact.reason,
        at=fact.at,
        based_on=current.version if fact.based_on is None else fact.based_on,
        confirmed=fact.confirmed,
        approved_by=approved_by,
        live=state.mode is Mode.LIVE,
    )
    decision = decide_change(current, request)
    if fact.frozen and decision.changes and not tightens(decision.changes):
        detail = f"changes are frozen: {fact.frozen}"
        return AccountDecision(state, (), Answer(fact.request_id, FROZEN, detail))
    if decision.needs_person:
        return _ask_person(state, fact, request, decision)
    if decision.version is None:
        failure, verdict = decision.verdict.failures[0], decision.verdict
        dangerous = tuple(change.name for change in decision.changes if change.dangerous)
        code = "invalid-limits" if action == "limits_changed" else failure.code
        answer = Answer(fact.request_id, code, verdict.reason, verdict=verdict, dangerous=dangerous)
        return AccountDecision(state, (), answer)
    return _made(state, fact, decision.version, action)


def _ask_person(
    state: AccountState,
    fact: SettingsChangeRequested,
    request: ChangeRequest,
    decision: SettingsDecision,
) -> AccountDecision:
    """Have another person decide on what loosens the rules that ask for another person."""
    name = approval_id(state.installation, state.account, Subject.CHANGE_SETTINGS, fact.request_id)
    if len(state.waiting_changes) >= WAITING_MAXIMUM:
        detail = f"{WAITING_MAXIMUM} changes wait for a person already"
        return AccountDecision(state, (), Answer(fact.request_id, "too-many-waiting", detail))
    changes = "; ".join(
        f"{change.name}: {change.before} -> {change.after}"
        for change in map(changed_value, decision.changes)
    )
    detail = cleaned_text(f"{fact.reason}: {changes}", DETAIL_LENGTH)
    asked = ApprovalRequest(
        request_id=name,
        subject=Subject.CHANGE_SETTINGS,
        requested_by=fact.by,
        detail=detail,
        requested_at=fact.at,
        expires_at=fact.at + rules_of_account(state.settings).approval.expires_after,
        content=write_content(
            SettingsContent(export_changes(decision.changes), fact.reason, request.based_on)
        ),
    )
    updates = json.dumps(export_changes(decision.changes), sort_keys=True)
    change = WaitingChange(fact.by, updates, fact.reason, request.based_on)
    waiting = replace(state, waiting_changes={**state.waiting_changes, name: change})
    reason = decision.verdict.reason
    details = (("approval", name), ("why", reason))
    record = RecordAccount("settings_change_waits", fact.by, details)
    answer = Answer(fact.request_id, WAITING, f"a person decides: {reason}", approval=name)
    return AccountDecision(waiting, (RequestApproval(asked), record), answer)


def on_change_settled(state: AccountState, fact: ApprovalSettled) -> AccountDecision:
    """Make the change that another person has agreed to, or drop the one that nobody did."""
    change = state.waiting_changes[fact.request_id]
    left = {name: c for name, c in state.waiting_changes.items() if name != fact.request_id}
    state = replace(state, waiting_changes=left)
    if fact.status is not ApprovalStatus.APPROVED:
        named = (("approval", fact.request_id),)
        record = RecordAccount(f"settings_change_{fact.status.value}", fact.by, named)
        answer = Answer(fact.request_id, "accepted", f"nothing changes: {fact.status.value}")
        return AccountDecision(state, (record,), answer)
    wanted = SettingsChangeRequested(
        request_id=fact.request_id,
        by=change.by,
        updates=change.updates,
        reason=change.reason,
        at=fact.at,
        based_on=change.based_on,
        confirmed=True,
    )
    updates = json.loads(change.updates)
    return _change(state, wanted, updates, "settings_changed", approved_by=fact.by)


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
    if record.approved_by is not None:
        details.append(("approved_by", record.approved_by))
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
