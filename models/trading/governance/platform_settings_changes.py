"""A change of the platform's settings that loosens what needs two people waits for a second one.

As for an account's settings; but no workflow carries the platform's, so the request for approval
carries the change itself, and who settles the request makes it.
"""

import json
from uuid import UUID, uuid5

from models.trading.account.settings.in_force import changed_value
from models.trading.bounds import cleaned_text
from models.trading.governance.approval import (
    CHANGE_SETTINGS,
    ApprovalPolicy,
    ApprovalRequest,
    ApprovalSettled,
)
from models.trading.settings.records import export_changes
from models.trading.settings.versions import ChangeRequest, SettingsDecision

DETAIL_LENGTH = 1_000
_NAMES = UUID("6f6b5a44-5a0c-4a7e-9c4d-5c1f0b8f6a21")
"""Names requests of the platform as an installation's id names those of its accounts."""


def request_for_person(
    request_id: str, wanted: ChangeRequest, decision: SettingsDecision
) -> ApprovalRequest:
    """Return the request for approval of a change, the same for a repeated request."""
    changes = "; ".join(
        f"{change.name}: {change.before} -> {change.after}"
        for change in map(changed_value, decision.changes)
    )
    content = {
        "updates": export_changes(decision.changes),
        "reason": wanted.reason,
        "based_on": wanted.based_on,
    }
    return ApprovalRequest(
        request_id=str(uuid5(_NAMES, f"{CHANGE_SETTINGS}/{request_id}")),
        subject=CHANGE_SETTINGS,
        requested_by=wanted.author,
        detail=cleaned_text(f"{wanted.reason}: {changes}", DETAIL_LENGTH),
        requested_at=wanted.at,
        expires_at=wanted.at + ApprovalPolicy().expires_after,
        content=json.dumps(content, sort_keys=True),
    )


def approved_change(request: ApprovalRequest, fact: ApprovalSettled) -> ChangeRequest:
    """Return the change that another person has agreed to; it is judged again as it is made.

    Raises:
        ValueError: the request carries none.
    """
    try:
        content = json.loads(request.content)
        return ChangeRequest(
            updates=dict(content["updates"]),
            author=request.requested_by,
            reason=str(content["reason"]),
            at=fact.at,
            based_on=int(content["based_on"]),
            approved_by=fact.by,
            confirmed=True,
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"request {request.request_id} carries no change") from error
