"""What of the platform waits for a second person: settings that loosen a guard, and the universe.

As for an account's; but the request for approval carries the change itself, and the platform's
workflow makes it once it is approved.
"""

from models.trading.account.settings.in_force import changed_value
from models.trading.bounds import cleaned_text
from models.trading.governance.approval import ApprovalPolicy, ApprovalRequest, ApprovalSettled
from models.trading.governance.subject_contents import (
    SettingsContent,
    UniverseContent,
    read_content,
    write_content,
)
from models.trading.governance.subjects import SUBJECTS, Subject
from models.trading.identities import platform_approval_id
from models.trading.settings.records import export_changes
from models.trading.settings.versions import ChangeRequest, SettingsDecision
from models.trading.universe.changes import UniverseChange

DETAIL_LENGTH = 1_000


def request_for_person(
    request_id: str, wanted: ChangeRequest, decision: SettingsDecision
) -> ApprovalRequest:
    """Return the request for approval of a change, the same for a repeated request."""
    changes = "; ".join(
        f"{change.name}: {change.before} -> {change.after}"
        for change in map(changed_value, decision.changes)
    )
    content = SettingsContent(export_changes(decision.changes), wanted.reason, wanted.based_on)
    return ApprovalRequest(
        request_id=platform_approval_id(Subject.CHANGE_SETTINGS, request_id),
        subject=Subject.CHANGE_SETTINGS,
        requested_by=wanted.author,
        detail=cleaned_text(f"{wanted.reason}: {changes}", DETAIL_LENGTH),
        requested_at=wanted.at,
        expires_at=wanted.at + ApprovalPolicy().expires_after,
        content=write_content(content),
    )


def approved_change(request: ApprovalRequest, fact: ApprovalSettled) -> ChangeRequest:
    """Return the change that another person has agreed to; it is judged again as it is made.

    Raises:
        ValueError: the request carries none.
    """
    try:
        content = read_content(SettingsContent, request.content)
    except ValueError as error:
        raise ValueError(f"request {request.request_id} carries no change") from error
    return ChangeRequest(
        updates=content.updates,
        author=request.requested_by,
        reason=content.reason,
        at=fact.at,
        based_on=content.based_on,
        approved_by=fact.by,
        confirmed=True,
    )


def request_for_universe(
    request_id: str, change: UniverseChange, number: int = 0
) -> ApprovalRequest:
    """Return the request for approval of a change of the universe; ``number`` is its row's."""
    life = SUBJECTS[Subject.UNIVERSE].life
    assert life is not None
    content = UniverseContent(number, change.version, change.reason, change.joins, change.leaves)
    joins, leaves = (", ".join(symbols) or "none" for symbols in (change.joins, change.leaves))
    return ApprovalRequest(
        request_id=platform_approval_id(Subject.UNIVERSE, request_id),
        subject=Subject.UNIVERSE,
        requested_by=change.author,
        detail=cleaned_text(f"{change.reason}: joins {joins}; leaves {leaves}", DETAIL_LENGTH),
        requested_at=change.at,
        expires_at=change.at + life,
        content=write_content(content),
    )
