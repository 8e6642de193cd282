"""Rights: one table of action, scope and role, judged the same way for every route and update.

The table is the only place that grants anything. An action that it does not name is refused, and so
is a role, an account or a token scope that does not match.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

ALL_ACCOUNTS: Final = "*"
"""The scope of a grant or of a token that covers every account, also those to come."""
PLATFORM: Final = "platform"
"""In the place of an account, what concerns none or all of them."""


class Role(StrEnum):
    """What a person is to the platform, for one account or for all."""

    DIRECTOR = "director"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    PLATFORM = "platform_administrator"


class Scope(StrEnum):
    """What an action is about.

    ``account``: one account; the grant must cover it. ``platform``: the installation; the grant
    must cover all accounts. ``anywhere``: any grant suffices. ``self``: the caller alone.
    """

    ACCOUNT = "account"
    PLATFORM = "platform"
    ANYWHERE = "anywhere"
    SELF = "self"


class Action(StrEnum):
    """Everything that a route or a workflow update does on somebody's behalf."""

    ACCOUNT_READ = "account.read"
    ACCOUNT_HALT = "account.halt"
    ACCOUNT_RESUME = "account.resume"
    ACCOUNT_MODE = "account.mode"
    ACCOUNT_SETTINGS = "account.settings"
    TRADE_OPEN = "trade.open"
    TRADE_CLOSE = "trade.close"
    TRADE_PROTECT = "trade.protect"
    CAPITAL_MOVE = "capital.move"
    DRAWDOWN_LIFT = "drawdown.lift"
    HEDGE_OVERRIDE = "hedge.override"
    STRESS_RUN = "stress.run"
    KEY_MANAGE = "key.manage"
    BACKTEST_RUN = "backtest.run"
    AUDIT_READ = "audit.read"
    EVIDENCE_EXPORT = "evidence.export"
    APPROVAL_APPROVE = "approval.approve"
    APPROVAL_REFUSE = "approval.refuse"
    LIVE_REQUEST = "live.request"
    LIVE_APPROVE = "live.approve"
    KILL_SWITCH_ENGAGE = "kill_switch.engage"
    KILL_SWITCH_LIFT = "kill_switch.lift"
    PLATFORM_READ = "platform.read"
    PLATFORM_SETTINGS = "platform.settings"
    FREEZE_BEGIN = "freeze.begin"
    FREEZE_END = "freeze.end"
    FREEZE_REVIEW = "freeze.review"
    UNIVERSE_REQUEST = "universe.request"
    UNIVERSE_APPROVE = "universe.approve"
    UNIVERSE_REFUSE = "universe.refuse"
    PAYLOAD_READ = "payload.read"
    PEOPLE_READ = "people.read"
    PEOPLE_MANAGE = "people.manage"
    RECOVERY_CANCEL = "recovery.cancel"
    NOTIFICATION_READ = "notification.read"
    NOTIFICATION_ACKNOWLEDGE = "notification.acknowledge"
    NOTIFICATION_POST = "notification.post"
    SELF_READ = "self.read"
    SELF_MANAGE = "self.manage"
    SELF_ELEVATE = "self.elevate"


@dataclass(frozen=True, slots=True)
class Right:
    """One row of the table.

    Attributes:
        action: what is done.
        scope: what it is about.
        roles: who may do it.
        machine: whether a token may do it; what is not is for people in a session only.
        live: whether the machine's own token may do it to an account that trades live.
        step_up: whether the session must have been confirmed for this one action just before.
    """

    action: Action
    scope: Scope
    roles: frozenset[Role]
    machine: bool
    live: bool
    step_up: bool


_LETTERS: Final = {
    "D": Role.DIRECTOR,
    "O": Role.OPERATOR,
    "A": Role.AUDITOR,
    "P": Role.PLATFORM,
}
_A, _P, _W, _S = Scope.ACCOUNT, Scope.PLATFORM, Scope.ANYWHERE, Scope.SELF

# D director, O operator, A auditor, P platform administrator. M: a token may do it too; m: the
# machine's own token only to accounts in simulation. "step-up": confirmed for this action alone.
_TABLE: Final[tuple[tuple[Action, Scope, str, str], ...]] = (
    (Action.ACCOUNT_READ, _A, "D O A P M", ""),
    (Action.ACCOUNT_HALT, _A, "D O - - M", ""),
    (Action.ACCOUNT_RESUME, _A, "D - - - m", ""),
    (Action.ACCOUNT_MODE, _A, "D - - - m", ""),
    (Action.ACCOUNT_SETTINGS, _A, "D - - - m", ""),
    (Action.TRADE_OPEN, _A, "D - - - m", ""),
    (Action.TRADE_CLOSE, _A, "D O - - m", ""),
    (Action.TRADE_PROTECT, _A, "D O - - m", ""),
    (Action.CAPITAL_MOVE, _A, "D - - - m", ""),
    (Action.DRAWDOWN_LIFT, _A, "D - - - -", ""),
    (Action.HEDGE_OVERRIDE, _A, "D - - - m", ""),
    (Action.STRESS_RUN, _A, "D O A - M", ""),
    (Action.KEY_MANAGE, _A, "D - - - -", "step-up"),
    (Action.BACKTEST_RUN, _W, "D O A P M", ""),
    (Action.AUDIT_READ, _A, "D O A - M", ""),
    (Action.EVIDENCE_EXPORT, _A, "D - A - M", ""),
    (Action.APPROVAL_APPROVE, _A, "D - - - -", "step-up"),
    (Action.APPROVAL_REFUSE, _A, "D O - - M", ""),
    (Action.LIVE_REQUEST, _A, "D - - - -", ""),
    (Action.LIVE_APPROVE, _A, "D - - - -", "step-up"),
    (Action.KILL_SWITCH_ENGAGE, _A, "D O - P M", ""),
    (Action.KILL_SWITCH_LIFT, _A, "D - - - -", ""),
    (Action.PLATFORM_READ, _W, "D O A P M", ""),
    (Action.PLATFORM_SETTINGS, _P, "D - - P m", ""),
    (Action.FREEZE_BEGIN, _P, "D - - P M", ""),
    (Action.FREEZE_END, _P, "D - - - -", "step-up"),
    (Action.FREEZE_REVIEW, _P, "D - A - -", ""),
    (Action.UNIVERSE_REQUEST, _P, "D - - - -", ""),
    (Action.UNIVERSE_APPROVE, _P, "D - - - -", "step-up"),
    (Action.UNIVERSE_REFUSE, _P, "D - - - M", ""),
    (Action.PAYLOAD_READ, _P, "D - A P M", ""),
    (Action.PEOPLE_READ, _W, "D - A P -", ""),
    (Action.PEOPLE_MANAGE, _P, "D - - - -", "step-up"),
    (Action.RECOVERY_CANCEL, _W, "D O A P -", ""),
    (Action.NOTIFICATION_READ, _W, "D O A P M", ""),
    (Action.NOTIFICATION_ACKNOWLEDGE, _W, "D O - P -", ""),
    (Action.NOTIFICATION_POST, _P, "D - - P M", ""),
    (Action.SELF_READ, _S, "D O A P -", ""),
    (Action.SELF_MANAGE, _S, "D O A P -", ""),
    (Action.SELF_ELEVATE, _S, "D O A P -", "step-up"),
)


def _right(action: Action, scope: Scope, letters: str, step_up: str) -> Right:
    marks = set(letters.split())
    return Right(
        action,
        scope,
        frozenset(role for letter, role in _LETTERS.items() if letter in marks),
        machine=bool(marks & {"M", "m"}),
        live="m" not in marks,
        step_up=step_up == "step-up",
    )


RIGHTS: Final[dict[Action, Right]] = {row[0]: _right(*row) for row in _TABLE}


class CallerKind(StrEnum):
    """How somebody has shown who they are."""

    PERSON = "person"
    """A session, opened with a password and a second factor."""
    TOKEN = "token"  # noqa: S105  # a kind, no secret
    """An API token that belongs to a person and has scopes of its own."""
    MACHINE = "machine"
    """A token made on the machine itself, which belongs to nobody."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role for one account, or for all of them."""

    role: Role
    account: str = ALL_ACCOUNTS

    def covers(self, account: str) -> bool:
        """Tell whether the grant counts for an account; for the platform only one for all does."""
        return self.account == ALL_ACCOUNTS or self.account == account != PLATFORM


@dataclass(frozen=True, slots=True)
class Rights:
    """What a caller has been granted.

    Attributes:
        kind: how the caller has shown who they are.
        grants: the roles, of the person or of the token's owner.
        scopes: the actions that a token is limited to; not looked at for others.
        accounts: the accounts that a token is limited to; not looked at for others.
    """

    kind: CallerKind
    grants: tuple[Grant, ...]
    scopes: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset({ALL_ACCOUNTS})


@dataclass(frozen=True, slots=True)
class Refused:
    """Why something may not be done: a stable code and one line."""

    code: str
    reason: str


def judge(
    held: Rights, action: Action, account: str | None = None, *, live: bool = False
) -> Refused | None:
    """Return why a caller may not do something, None when they may.

    Args:
        held: what the caller has been granted.
        action: what is asked for.
        account: the account it is about; None for the platform, or where it is not known yet: then
            any account that the caller has the right for suffices.
        live: whether the account, or any account where it is about the platform, trades live.
    """
    right = RIGHTS.get(action)
    if right is None:
        return Refused("no-right", f"Nobody may {action}.")
    if held.kind is not CallerKind.PERSON:
        refused = _judge_token(held, right, account, live=live)
        if refused is not None:
            return refused
    granted = [grant for grant in held.grants if grant.role in right.roles]
    if right.scope is Scope.PLATFORM:
        granted = [grant for grant in granted if grant.account == ALL_ACCOUNTS]
    elif right.scope is Scope.ACCOUNT and account is not None:
        granted = [grant for grant in granted if grant.covers(account)]
    if not granted:
        where = f" for {account}" if account and right.scope is Scope.ACCOUNT else ""
        return Refused("no-right", f"Your roles do not include {action}{where}.")
    return None


def _judge_token(held: Rights, right: Right, account: str | None, *, live: bool) -> Refused | None:
    if not right.machine:
        return Refused("person-required", f"{right.action} takes a person who has signed in.")
    if held.kind is CallerKind.MACHINE:
        if live and not right.live:
            return Refused(
                "person-required",
                f"{right.action} on an account that trades live takes a person who has signed in.",
            )
        return None
    if right.action not in held.scopes:
        return Refused("token-scope", f"The token's scopes do not include {right.action}.")
    if ALL_ACCOUNTS in held.accounts:
        return None
    if right.scope is Scope.PLATFORM or (account is not None and account not in held.accounts):
        return Refused("token-scope", f"The token does not cover {account or 'the platform'}.")
    return None


def accounts_allowed(
    held: Rights, action: Action, accounts: Iterable[str], live: frozenset[str] = frozenset()
) -> list[str]:
    """Return those of the accounts for which a caller may do something, in their order."""
    return [name for name in accounts if judge(held, action, name, live=name in live) is None]


MACHINE_GRANTS: Final[dict[str, tuple[Grant, ...]]] = {
    "administrator": (Grant(Role.DIRECTOR), Grant(Role.PLATFORM)),
    "auditor": (Grant(Role.AUDITOR),),
}
"""What the tokens that are made on the machine stand for, by the role stored with them."""
