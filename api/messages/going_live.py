"""What the API gives of modes: the conditions of going live, requests for it, and changes."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from api.messages.bodies import Reason, RequestBody
from api.messages.schemas import Row
from models.trading.governance.going_live import LiveFacts, judge_going_live
from models.trading.risk.limits import Mode
from models.trading.settings.reading import AccountRules


class Condition(BaseModel):
    """One condition of going live, whether it holds and why."""

    code: str
    ok: bool
    reason: str


class GoingLive(BaseModel):
    """All conditions; an account goes live only when every one holds.

    They are as the last check found them, ``checked_at`` (protocol time); None: nobody has had
    them checked yet, and nothing is known. ``request`` is the number of the request that counts
    now, ``approved_by`` who agreed to it.
    """

    account: str
    mode: str
    ready: bool
    checked_at: datetime | None
    checked_by: str | None
    request: int | None
    requested_by: str | None
    approved_by: str | None
    conditions: list[Condition]


class LiveRequestView(Row):
    """A request to go live."""

    number: int
    requested_by: str
    reason: str
    requested_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    used_at: datetime | None
    overrides_evidence: bool


class ModeChangeView(Row):
    """One change of an account's mode."""

    at: datetime
    mode: str
    changed_by: str
    market_time: datetime | None


class AskToGoLive(RequestBody):
    """Why the account should trade live.

    ``override_evidence``: go on though the simulated run has not shown a profit. Whoever approves
    the request approves that too.
    """

    reason: Reason
    override_evidence: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found, when it was made and who had it made."""

    facts: LiveFacts
    at: datetime
    by: str


def unchecked_view(account: str, mode: Mode) -> GoingLive:
    """Show that nothing is known yet."""
    return GoingLive(
        account=account,
        mode=mode.value,
        ready=False,
        checked_at=None,
        checked_by=None,
        request=None,
        requested_by=None,
        approved_by=None,
        conditions=[],
    )


def conditions_view(
    account: str, mode: Mode, checked: Checked, rules: AccountRules, now: datetime
) -> GoingLive:
    """Judge the facts of a check at ``now`` and show each condition."""
    facts = checked.facts
    verdict = judge_going_live(facts, rules.live, now)
    return GoingLive(
        account=account,
        mode=mode.value,
        ready=verdict.allowed and mode is Mode.SIMULATED,
        checked_at=checked.at,
        checked_by=checked.by,
        request=facts.request,
        requested_by=facts.requested_by or None,
        approved_by=facts.approved_by,
        conditions=[Condition(code=c.code, ok=c.passed, reason=c.reason) for c in verdict.checks],
    )
