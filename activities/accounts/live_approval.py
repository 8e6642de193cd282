"""What follows when another person has decided on a request to go live."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from models.trading.answers import Answer
from models.trading.governance.approval import ApprovalRequest, ApprovalSettled, ApprovalStatus
from models.trading.governance.going_live import LiveTerms, changed_terms
from models.trading.governance.subject_contents import LiveContent, read_content


class LiveRecord(Protocol):
    """Requests to go live in the record."""

    async def approve_going_live(
        self, account: str, number: int, by: str, at: datetime, terms: LiveTerms
    ) -> bool:
        """Write another person's approval, audited, once; False where it counts no more."""
        ...

    async def recorded_live_key(self, account: str) -> str | None:
        """Return the fingerprint of the live key in use by the record, None: it knows none."""
        ...


class LiveApprovals:
    """Let an approved request count; the mode is changed by whoever asks for that."""

    def __init__(self, record: LiveRecord, terms: Callable[[str], Awaitable[LiveTerms]]) -> None:
        self._record = record
        self._terms = terms

    async def settle(self, account: str, asked: ApprovalRequest, fact: ApprovalSettled) -> Answer:
        """Write the approval down; a request that was not approved counts for nothing anyway.

        Who approved was shown the key and the limits of the request: with others it counts not.
        """
        content = read_content(LiveContent, asked.content)
        number = content.number
        if fact.status is not ApprovalStatus.APPROVED:
            detail = f"request {number} counts for nothing: {fact.status.value}"
            return Answer(fact.request_id, "accepted", detail)
        terms = await self._terms(account)
        shown = LiveTerms(content.key or None, content.limits_version or None)
        # A key that is mounted has no record, and nobody can be shown it.
        key = terms.key if shown.key else await self._record.recorded_live_key(account)
        if changed := changed_terms(shown, LiveTerms(key, terms.limits_version)):
            detail = f"Another one since request {number} was made: {changed}. Ask anew."
            return Answer(fact.request_id, "request-outdated", detail)
        if not await self._record.approve_going_live(account, number, fact.by, fact.at, terms):
            return Answer(fact.request_id, "approval-decided", f"Request {number} counts no more.")
        detail = f"request {number} to go live is approved; its conditions are judged when it does"
        return Answer(fact.request_id, "accepted", detail)
