"""The closed catalogue of what the record of actions tells: no row has another action.

``code`` is what a row holds; ``name`` is source, subject and action in the words of an auditor. The
table is laid out by hand, one or two lines each. ``docs/audit-actions.md`` is made from it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that is recorded.

    Attributes:
        code: what the row's ``action`` holds.
        name: ``source:subject:action``.
        meaning: what has happened, for people.
        urgent: whether a checkpoint of the record is made at once.
    """

    code: str
    name: str
    meaning: str
    urgent: bool = False


# fmt: off
_ACCOUNTS = (
    Action("account_created", "machine:account:created", "An account was set up."),
    Action("balances_taken_over", "exchange:balances:adopted",
           "What nothing explained was adopted."),
    Action("capital_moved", "exchange:capital:moved", "Capital came into the account or left it."),
    Action("capital_refused", "exchange:capital:refused", "The exchange did not move capital."),
    Action("capital_requested", "person:capital:requested", "Somebody asked to move capital."),
    Action("day_closed", "platform:day:closed", "A trading day was closed with its figures."),
    Action("market_rules_taken_over", "platform:rules:adopted", "New rules of the market hold."),
    Action("reconciliation_differs", "exchange:books:differ",
           "A comparison found what was not repaired."),
    Action("exchange_ready", "exchange:connection:ready", "The account's exchange answers."),
    Action("exchange_lost", "exchange:connection:lost", "It no longer does."),
    Action("account_restored", "platform:account:restored", "Its workflow was started anew."),
    Action("stream_restored", "platform:stream:restored", "Its stream was started anew."),
    Action("hedge_restored", "platform:hedge:restored", "Its hedge was started anew."),
    Action("quarantined_write_settled", "machine:write:settled",
           "A write that the record could not hold was dealt with."),
    Action("stress_run", "person:stress:run", "A stress test was computed."),
    Action("report_made", "platform:report:made", "A report was made and stored."),
    Action("backtest_requested", "person:backtest:requested", "Somebody asked for a backtest."),
    Action("backtest_cancelled", "person:backtest:cancelled", "Somebody cancelled it."),
    Action("backtest_counted", "platform:backtest:counted",
           "Its trades out of sample became evidence of a strategy's version."),
)
_HALTS = (
    Action("halted", "person:account:halted", "Somebody halted the account."),
    Action("resumed", "person:account:resumed", "Somebody let it trade again."),
    Action("kill_switch_engaged", "person:kill-switch:engaged",
           "Entries were stopped.", urgent=True),
    Action("kill_switch_lift_requested", "person:kill-switch:lift-requested",
           "Somebody asked to lift it."),
    Action("kill_switch_lifted", "person:kill-switch:lifted", "It was lifted.", urgent=True),
    Action("kill_switch_workflow_delayed", "platform:kill-switch:delayed",
           "The flag stands; its workflow starts later."),
    Action("drawdown_halted", "rule:drawdown:halted", "A drawdown limit was reached."),
    Action("drawdown_lift_requested", "person:drawdown:lift-requested",
           "Somebody asked to lift the total drawdown."),
    Action("drawdown_lifted", "person:drawdown:lifted", "Somebody lifted the total drawdown."),
    Action("entries_halted", "rule:entries:halted", "A rule takes no more entries."),
    Action("entries_free_again", "rule:entries:freed", "Its cause is over."),
    Action("request_blocked", "rule:requests:blocked",
           "The exchange goes on refusing what a trade needs: no entries."),
)
_TRADES = (
    Action("trade_requested", "person:trade:requested", "A trade was accepted."),
    Action("trade_refused", "rule:trade:refused", "A trade was refused, with the reason."),
    Action("trade_waits_for_approval", "rule:trade:waiting", "It waits for another person."),
    Action("approved_entry_refused", "rule:entry:refused",
           "What was approved may no longer be entered."),
    Action("entry_approved", "person:entry:approved", "An entry was approved.", urgent=True),
    Action("entry_refused", "person:entry:refused", "An entry was not approved."),
    Action("entry_withdrawn", "person:entry:withdrawn", "Who asked took it back."),
    Action("entry_lapsed", "platform:entry:lapsed", "Who asked may do so no more."),
    Action("entry_expired", "platform:entry:expired", "Nobody decided in time."),
    Action("entry_outdated", "platform:entry:outdated", "The market moved before the decision."),
    Action("close_requested", "person:trade:close-requested", "Somebody asked to close trades."),
    Action("margin_refused", "rule:margin:refused", "Margin or leverage was asked for."),
    Action("trade_entering", "platform:trade:entering", "The entry's order is to be sent."),
    Action("entry_crosses", "platform:entry:crosses", "A resting entry takes what others offer."),
    Action("trade_opened", "exchange:trade:opened", "The first fill of the entry."),
    Action("trade_protected", "exchange:trade:protected", "The stop rests on the exchange."),
    Action("trade_closed", "platform:trade:closed", "The trade is settled."),
    Action("trade_restored", "platform:trade:restored", "Its workflow was started anew."),
    Action("trade_rescued", "platform:trade:rescued", "A settled trade was opened again."),
    Action("rescue_began", "platform:rescue:began", "The account takes no entries meanwhile."),
    Action("rescue_ended", "platform:rescue:ended", "What was rescued is covered again."),
    Action("exits_changed", "person:exits:changed", "The exits of a trade were changed."),
    Action("stop_moved", "platform:stop:moved", "The stop rests at another price."),
    Action("stop_move_refused", "exchange:stop:move-refused", "It stays where it was."),
    Action("stop_refused", "exchange:stop:refused", "A stop was not taken."),
    Action("exit_sent", "platform:exit:sent", "All is to be sold."),
    Action("exit_widened", "platform:exit:widened", "It goes out again with a wider collar."),
    Action("exit_failed", "exchange:exit:failed", "It was refused."),
    Action("partial_exit_sent", "platform:part:sent", "Some of the position is to be sold."),
    Action("partial_exit_failed", "exchange:part:failed", "That was refused."),
    Action("order_in_doubt", "platform:order:in-doubt", "The answer to a send is missing."),
    Action("holding_short", "exchange:holding:short", "Coins are missing at the exchange."),
    Action("exit_blocked", "exchange:exit:blocked", "The same exit was refused twice."),
    Action("stop_blocked", "exchange:stop:blocked", "The same stop was refused twice."),
    Action("amend_blocked", "exchange:amend:blocked", "The same change was refused twice."),
    Action("cancel_blocked", "exchange:cancel:blocked", "The same cancel was refused twice."),
    Action("part_blocked", "exchange:part:blocked", "The same part sale was refused twice."),
)
_HEDGES = (
    Action("hedge_overridden", "person:hedge:overridden", "Somebody set the hedge by hand."),
    Action("hedge_override_cleared", "person:hedge:cleared", "The formula holds again."),
    Action("hedge_override_expired", "platform:hedge:expired", "The override's time is over."),
)
_SETTINGS = (
    Action("settings_changed", "person:settings:changed", "A new version of settings holds."),
    Action("limits_changed", "person:limits:changed", "New limits hold."),
    Action("settings_change_waits", "rule:settings:waiting", "A change waits for another person."),
    Action("settings_change_refused", "person:settings:refused", "It was not approved."),
    Action("settings_change_withdrawn", "person:settings:withdrawn", "Who asked took it back."),
    Action("settings_change_lapsed", "platform:settings:lapsed", "Who asked may do so no more."),
    Action("settings_change_expired", "platform:settings:expired", "Nobody decided in time."),
    Action("settings_change_outdated", "platform:settings:outdated", "Others changed meanwhile."),
    Action("universe_change_requested", "person:universe:requested", "A change was asked for."),
    Action("universe_change_applied", "person:universe:approved",
           "It was approved.", urgent=True),
    Action("universe_change_refused", "person:universe:refused", "It was not."),
    Action("universe_changed", "person:universe:changed", "A new version of the universe holds."),
)
_GOVERNANCE = (
    Action("approval_asked", "person:approval:asked", "A request waits for another person."),
    Action("approval_approved", "person:approval:approved", "It was approved.", urgent=True),
    Action("approval_refused", "person:approval:refused", "It was refused.", urgent=True),
    Action("approval_withdrawn", "person:approval:withdrawn", "Who asked took it back."),
    Action("approval_lapsed", "platform:approval:lapsed", "Who asked may do so no more."),
    Action("approval_expired", "platform:approval:expired", "Nobody decided in time."),
    Action("approval_outdated", "platform:approval:outdated", "Its subject changed meanwhile."),
    Action("freeze_began", "person:freeze:began", "Changes are frozen.", urgent=True),
    Action("freeze_ended", "person:freeze:ended", "They no longer are.", urgent=True),
    Action("freeze_broken", "person:freeze:broken",
           "A person changed something in spite of a freeze.", urgent=True),
    Action("freeze_break_reviewed", "person:freeze:reviewed", "Another person has looked at that."),
    Action("going_live_requested", "person:live:requested",
           "Somebody asked to go live.", urgent=True),
    Action("going_live_approved", "person:live:approved",
           "Another person agreed.", urgent=True),
    Action("live_refused", "rule:live:refused", "A condition of going live does not hold."),
    Action("mode_refused", "rule:mode:refused", "The mode was not changed."),
    Action("mode_set", "person:mode:set", "The account changed its mode.", urgent=True),
    Action("exchange_key_stored", "person:key:stored", "An exchange key was stored."),
    Action("exchange_key_rotated", "person:key:rotated", "Another took its place.", urgent=True),
    Action("exchange_key_removed", "person:key:removed", "It was forgotten."),
    Action("exchange_key_validated", "exchange:key:validated",
           "A validation found something else than the one before."),
    Action("exchange_key_taken_up", "platform:key:taken-up", "The trading process uses it."),
    Action("exchange_key_old", "platform:key:old", "It is to be rotated: people are reminded."),
    Action("token_created", "machine:token:created", "A token for the API was made."),
    Action("token_renewed", "machine:token:renewed", "Its life was prolonged."),
    Action("token_revoked", "machine:token:revoked", "It is worth nothing any more."),
    Action("payload_key_rotated", "machine:payload-key:rotated",
           "Another key encrypts what goes to the workflow engine.", urgent=True),
    Action("payload_key_forgotten", "machine:payload-key:forgotten",
           "What was written with it can be read no more.", urgent=True),
    Action("record_damaged", "platform:record:damaged",
           "A chain is shorter than the tree over it."),
    Action("witness_refused", "witness:record:refused",
           "The record did not grow consistently."),
)
_PEOPLE = (
    Action("access_denied", "person:access:denied", "Somebody lacked the right."),
    Action("access_token_made", "person:access-token:made", "A person made an API token."),
    Action("access_token_revoked", "person:access-token:revoked", "It is worth nothing any more."),
    Action("enrolment_begun", "person:enrolment:begun", "A set-up link was used."),
    Action("enrolment_link_made", "person:enrolment:link-made", "A set-up link was made."),
    Action("factor_added", "person:factor:added", "A second factor was added."),
    Action("factor_code_used", "person:factor:code-used", "A recovery code was used."),
    Action("factor_codes_made", "person:factor:codes-made", "Recovery codes were made."),
    Action("factor_removed", "person:factor:removed", "A second factor was removed."),
    Action("factor_reset", "person:factor:reset", "A director reset somebody's factors."),
    Action("person_changed", "person:person:changed", "Name or rights of a person changed."),
    Action("person_created", "person:person:created", "A person was added."),
    Action("person_disabled", "person:person:disabled", "A person may do nothing any more."),
    Action("person_imported", "machine:person:imported", "A person came from an import."),
    Action("person_password_changed", "person:password:changed", "A password was changed."),
    Action("person_password_rehashed", "platform:password:rehashed",
           "A password's hash was made stronger at a sign-in."),
    Action("recovery_asked", "machine:recovery:asked", "A director asked to be let in again."),
    Action("recovery_cancelled", "person:recovery:cancelled", "That was cancelled."),
    Action("recovery_taken", "machine:recovery:taken", "A director was let in again."),
    Action("session_opened", "person:session:opened", "Somebody signed in."),
    Action("session_revoked", "person:session:revoked", "A session was ended."),
    Action("sign_in_failed", "person:session:refused", "A sign-in failed."),
    Action("step_up_used", "person:step-up:used", "The confirmation was used for it."),
)
_NOTIFICATIONS = (
    Action("notification_acknowledged", "person:notification:acknowledged",
           "Somebody has seen a notification."),
    Action("notification_undelivered", "platform:notification:undelivered",
           "A message to a person was given up, with the reason."),
    Action("notification_channel_added", "person:notification-channel:added",
           "A person is told over another channel."),
    Action("notification_channel_removed", "person:notification-channel:removed",
           "A person is not told over it any more."),
    Action("notification_quiet_hours_set", "person:quiet-hours:set",
           "A person is told only what is critical at these hours."),
)
_RISK = (
    Action("foreign_instance", "exchange:orders:foreign",
           "Orders of another instance with this key were met."),
    Action("loss_limit_reached", "rule:loss:reached", "A limit on losses was reached."),
    Action("loss_limit_reset", "rule:loss:reset", "Its clock began anew."),
    Action("strategy_loss_reached", "rule:strategy-loss:reached",
           "A strategy lost its limit of the week."),
    Action("strategy_weighed", "rule:strategy:weighed",
           "The share that a strategy gets has changed."),
    Action("champion_changed", "platform:champion:changed",
           "Another model, or none, trades from now on.", urgent=True),
    Action("challenger_named", "platform:challenger:named",
           "A model has passed the gate and waits for people."),
    Action("holdout_opened", "platform:holdout:opened",
           "The locked hold-out was looked at, the one time that a release may."),
    Action("drift_measured", "platform:drift:measured",
           "How far the features of the champion are from what it learnt, each night."),
    Action("training_cancelled", "person:training:cancelled", "Somebody cancelled a training."),
    Action("training_ended", "platform:training:ended",
           "A training that was cancelled has ended, in the step that is named."),
    Action("features_differ", "platform:features:differ",
           "A decision saw other figures than its replay.", urgent=True),
    Action("training_begun", "platform:training:begun", "A training of models began."),
    Action("data_exported", "person:data:exported",
           "Lots, gains, trades or rows of the record were fetched as a file."),
    Action("payloads_decoded", "person:payloads:decoded",
           "Somebody was shown payloads of workflows; one row a minute."),
    Action("evidence_requested", "person:evidence:requested",
           "Somebody asked for an evidence pack."),
    Action("evidence_fetched", "person:evidence:fetched", "Somebody fetched one."),
    Action("restored", "machine:record:restored", "The record was restored from a backup.",
           urgent=True),
)
# fmt: on

ACTIONS: tuple[Action, ...] = (
    *_ACCOUNTS, *_HALTS, *_TRADES, *_HEDGES, *_SETTINGS, *_GOVERNANCE, *_PEOPLE,
    *_NOTIFICATIONS, *_RISK,
)  # fmt: skip
BY_CODE: dict[str, Action] = {action.code: action for action in ACTIONS}
URGENT_ACTIONS = frozenset(action.code for action in ACTIONS if action.urgent)


def name_of(code: str) -> str:
    """Return ``source:subject:action`` of a row; "" for one of a version that is not known here."""
    known = BY_CODE.get(code)
    return "" if known is None else known.name
