"""Which rows of the record people are told of, how urgent each is, and what ends the incident.

``subject`` names what tells incidents of one kind and account apart: the row's correlation (a
trade, an approval), or one of its details. The table is laid out by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from models.trading.governance.notifications.notice import Notice, Severity, incident_key

CORRELATION = "correlation"
LONGEST_DETAIL = 1_000


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """An action of the record that people are told of.

    Attributes:
        action: its code.
        title: one line for people.
        ended_by: actions by which the incident is over.
        subject: ``correlation`` or the name of a detail, "" for one incident per account.
        runbook: name of the page in ``docs/runbooks``.
        page: of the account's pages in the control room, the one that shows more; "" for none.
    """

    action: str
    severity: Severity
    title: str
    ended_by: tuple[str, ...] = ()
    subject: str = ""
    runbook: str = ""
    page: str = ""


_I, _W, _C = Severity.INFORMATION, Severity.WARNING, Severity.CRITICAL
_ENDS = ("refused", "withdrawn", "lapsed", "expired", "outdated")
_DECIDED = ("approval_approved", *(f"approval_{end}" for end in _ENDS))

# fmt: off
RECORD_EVENTS: tuple[RecordEvent, ...] = (
    RecordEvent("kill_switch_engaged", _C, "Kill switch engaged", ("kill_switch_lifted",),
                CORRELATION, "AetherKillSwitchUnacknowledged"),
    RecordEvent("kill_switch_lift_requested", _W, "Lifting a kill switch was asked for",
                ("kill_switch_lifted",), CORRELATION),
    RecordEvent("drawdown_halted", _C, "A drawdown limit was reached", ("drawdown_lifted",), "",
                "AetherDrawdownHalt"),
    RecordEvent("loss_limit_reached", _C, "A loss limit was reached", ("loss_limit_reset",)),
    RecordEvent("entries_halted", _W, "The account takes no entries", ("entries_free_again",),
                "kind"),
    RecordEvent("halted", _W, "The account was halted by hand", ("resumed",)),
    RecordEvent("exchange_lost", _W, "The exchange does not answer", ("exchange_ready",), "",
                "AetherPrivateStreamDown"),
    RecordEvent("request_blocked", _C, "The exchange goes on refusing a request", (), "",
                "AetherUnprotectedPosition"),
    RecordEvent("foreign_instance", _C, "Another instance trades with this key"),
    RecordEvent("stop_refused", _C, "A stop was refused: the position may be unprotected",
                ("trade_protected", "trade_closed"), CORRELATION, "AetherUnprotectedPosition"),
    RecordEvent("stop_blocked", _C, "A stop was refused twice: the position is unprotected",
                ("trade_protected", "trade_closed"), CORRELATION, "AetherUnprotectedPosition"),
    RecordEvent("exit_blocked", _C, "An exit was refused twice", ("trade_closed",), CORRELATION),
    RecordEvent("exit_failed", _W, "An exit was refused", ("trade_closed",), CORRELATION),
    RecordEvent("holding_short", _C, "Coins are missing at the exchange", (), CORRELATION,
                "AetherReconciliationDiffers"),
    RecordEvent("order_in_doubt", _W, "The outcome of an order is unknown", ("trade_closed",),
                CORRELATION, "AetherUnknownOutcomes"),
    RecordEvent("reconciliation_differs", _W, "The books differ from the exchange", (), "",
                "AetherReconciliationDiffers"),
    RecordEvent("rescue_began", _W, "A settled trade was opened again", ("rescue_ended",), "",
                "AetherTradesReopened"),
    RecordEvent("trade_waits_for_approval", _W, "An entry waits for another person",
                ("entry_approved", *(f"entry_{end}" for end in _ENDS)), CORRELATION),
    RecordEvent("approval_asked", _W, "A request waits for another person", _DECIDED, CORRELATION),
    RecordEvent("settings_change_waits", _W, "A change of settings waits for another person",
                ("settings_changed", *(f"settings_change_{end}" for end in _ENDS)), CORRELATION),
    RecordEvent("universe_change_requested", _W, "A change of the universe waits",
                ("universe_change_applied", "universe_change_refused"), CORRELATION),
    RecordEvent("going_live_requested", _C, "Somebody asked to trade live",
                ("going_live_approved",)),
    RecordEvent("going_live_approved", _C, "Going live was approved"),
    RecordEvent("mode_set", _W, "The account changed its mode"),
    RecordEvent("freeze_began", _W, "Changes are frozen", ("freeze_ended",)),
    RecordEvent("freeze_broken", _C, "Somebody changed something in spite of a freeze",
                ("freeze_break_reviewed",), CORRELATION),
    RecordEvent("exchange_key_stored", _W, "An exchange key was stored"),
    RecordEvent("exchange_key_rotated", _W, "An exchange key took the place of another"),
    RecordEvent("exchange_key_removed", _W, "An exchange key was forgotten"),
    RecordEvent("champion_changed", _W, "Another model trades from now on"),
    RecordEvent("settings_changed", _I, "Settings were changed"),
    RecordEvent("universe_changed", _I, "The universe was changed"),
    RecordEvent("hedge_overridden", _I, "The hedge was set by hand"),
    RecordEvent("capital_moved", _I, "Capital was moved"),
    RecordEvent("report_made", _I, "A report was made", (), "report", page="/report"),
    RecordEvent("record_damaged", _C, "The record of actions is damaged",
                runbook="AetherWitnessStale"),
    RecordEvent("witness_refused", _C, "The witness refuses the record of actions",
                runbook="AetherWitnessStale"),
    RecordEvent("restored", _C, "The record was restored from a backup"),
    RecordEvent("recovery_asked", _C, "A director asks to be let in again from the machine",
                ("recovery_cancelled", "recovery_taken"), "", ""),
    RecordEvent("recovery_taken", _C, "A director was let in again from the machine"),
    RecordEvent("factor_reset", _W, "Somebody's second factor was reset"),
    RecordEvent("factor_added", _W, "A second factor was added"),
    RecordEvent("factor_removed", _W, "A second factor was removed"),
    RecordEvent("factor_code_used", _W, "A recovery code was used"),
    RecordEvent("person_password_changed", _W, "A password was changed"),
    RecordEvent("person_created", _W, "A person was added"),
    RecordEvent("person_imported", _W, "A person came from an import at the machine"),
    RecordEvent("enrolment_link_made", _W, "A set-up link was made"),
    RecordEvent("person_changed", _W, "The rights of a person were changed"),
    RecordEvent("person_disabled", _I, "A person was disabled"),
    RecordEvent("access_token_made", _W, "A person made an API token"),
    RecordEvent("token_created", _W, "A token was made on the machine"),
    RecordEvent("session_opened", _I, "Somebody signed in"),
    RecordEvent("sign_in_failed", _I, "A sign-in failed"),
    RecordEvent("access_denied", _I, "Somebody was refused for want of a right"),
    RecordEvent("notification_undelivered", _W, "A notification could not be delivered"),
)
# fmt: on

BY_ACTION: Mapping[str, RecordEvent] = {event.action: event for event in RECORD_EVENTS}
_ENDED: Mapping[str, tuple[RecordEvent, ...]] = {
    action: tuple(event for event in RECORD_EVENTS if action in event.ended_by)
    for action in {action for event in RECORD_EVENTS for action in event.ended_by}
}
TOLD_ACTIONS: tuple[str, ...] = tuple(sorted({*BY_ACTION, *_ENDED}))
"""Actions of the record that begin or end an incident."""


def page_of(event: str, account: str) -> str:
    """Return the path of the page that shows more of an event of an account, "" where none does."""
    found = BY_ACTION.get(event)
    return f"/accounts/{quote(account, safe='')}{found.page}" if found and found.page else ""


@dataclass(frozen=True, slots=True)
class RecordedAction:
    """A row of the record as far as people are told of it."""

    scope: str
    sequence: int
    action: str
    actor: str
    correlation: str
    details: Mapping[str, str]
    at: datetime


def notices_of(row: RecordedAction) -> list[Notice]:
    """Return what a row tells people: an occurrence of its own event, and ends of others."""
    found = [_notice(ended, row, resolves=True) for ended in _ENDED.get(row.action, ())]
    event = BY_ACTION.get(row.action)
    return found if event is None else [*found, _notice(event, row, resolves=False)]


def _notice(event: RecordEvent, row: RecordedAction, *, resolves: bool) -> Notice:
    subject = row.correlation
    if event.subject != CORRELATION:
        subject = row.details.get(event.subject, "") if event.subject else ""
    end = f".{event.action}" if resolves else ""
    return Notice(
        occurrence=f"record.{row.scope}.{row.sequence}{end}",
        key=incident_key(event.action, row.scope, subject),
        event=event.action,
        severity=event.severity,
        scope=row.scope,
        title=event.title,
        detail=_detail(row),
        runbook=f"docs/runbooks/{event.runbook}.md" if event.runbook else "",
        at=row.at,
        resolves=resolves,
    )


def _detail(row: RecordedAction) -> str:
    told = [f"{name}: {value}" for name, value in sorted(row.details.items()) if value]
    lines = [f"by {row.actor}", *([row.correlation] if row.correlation else []), *told]
    return "; ".join(lines)[:LONGEST_DETAIL]
