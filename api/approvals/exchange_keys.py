"""Another key of an account that trades live: a second person agrees before it is taken.

No secret waits anywhere: the request names the key by its fingerprint, and who asked sends the same
key again once another person has agreed.
"""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final

from fastapi import Request
from sqlmodel import col, select

from activities.adapters.postgres.accounts.mode_record import PostgresModes
from activities.adapters.postgres.accounts.settings_journal import SettingsJournal
from activities.ports.secrets import key_fingerprint
from api.approvals.asking import ask_person, require_person_to_ask
from api.http.commands import Command
from api.http.problems import ProblemError
from api.services import Services, services_of
from models.tables import ApprovalRow
from models.tables.governance.exchange_keys import ExchangeKeyRow
from models.trading.governance.approval import ApprovalRequest, ApprovalStatus
from models.trading.governance.going_live import LiveTerms
from models.trading.governance.subject_contents import KeyContent, write_content
from models.trading.governance.subjects import SUBJECTS, Subject
from models.trading.identities import platform_approval_id
from models.trading.risk.limits import Mode

NEEDED: Final = "approval-needed"
USE_WITHIN: Final = timedelta(hours=24)
"""An approval that is not used so long after it was given is none any more; the database's too."""


async def takes_two(services: Services, account: str, mode: Mode) -> bool:
    """Tell whether another key of an account takes another person.

    Where it trades live, and where another person has agreed that it does so with the key it has.
    """
    if mode is not Mode.LIVE:
        return False
    modes = PostgresModes(services.database)
    if await modes.mode_of(account) is Mode.LIVE:
        return True
    wanted = await modes.live_request(account, datetime.now(UTC))
    return wanted is not None and wanted.approved_by is not None


async def terms_of_record(services: Services, account: str) -> LiveTerms:
    """Return the live key and the limits that somebody agrees to who is asked now."""
    key = await PostgresModes(services.database).recorded_live_key(account)
    return LiveTerms(key, await SettingsJournal(services.database).limits_version(account))


async def approved_key(request: Request, command: Command, account: str, key: str) -> str:
    """Return the approval under which a key may be taken.

    Raises:
        ProblemError: 409 ``approval-needed``: another person decides, who is asked here unless
            that has been done; 403 where no person asks.
    """
    services = services_of(request)
    await require_person_to_ask(request, Subject.EXCHANGE_KEY)
    content = write_content(KeyContent("store", key_fingerprint(key)))
    rows = await _asked(services, account, content, command.caller.name)
    approved = next((row.approval_id for row in rows if _counts(row)), None)
    if approved is not None:
        return approved
    waiting = next((row for row in rows if not ApprovalStatus(row.status).is_final), None)
    name = waiting.approval_id if waiting else await _ask(services, command, account, key, content)
    raise ProblemError(
        HTTPStatus.CONFLICT,
        NEEDED,
        f"{account} trades live: another person decides on request {name}. Send the same key "
        "again when it is approved.",
        lasting=False,
    )


async def _asked(services: Services, account: str, content: str, by: str) -> list[ApprovalRow]:
    """Return the requests about this key that have not been used yet, newest first."""
    used = select(ExchangeKeyRow.approval_id).where(col(ExchangeKeyRow.approval_id).is_not(None))
    query = (
        select(ApprovalRow)
        .where(
            ApprovalRow.subject == Subject.EXCHANGE_KEY.value,
            ApprovalRow.content == content,
            ApprovalRow.requested_by == by,
            col(ApprovalRow.approval_id).not_in(used),
        )
        .order_by(col(ApprovalRow.requested_at).desc())
    )
    async with services.database.account_scope(account) as session:
        return list((await session.exec(query)).all())


def _counts(row: ApprovalRow) -> bool:
    """Tell whether a request is approved, and not so long ago that nobody remembers it."""
    if row.status != ApprovalStatus.APPROVED.value or row.decided_at is None:
        return False
    return datetime.now(UTC) - row.decided_at < USE_WITHIN


async def _ask(services: Services, command: Command, account: str, key: str, content: str) -> str:
    now, life = datetime.now(UTC), SUBJECTS[Subject.EXCHANGE_KEY].life
    assert life is not None
    asked = ApprovalRequest(
        request_id=platform_approval_id(Subject.EXCHANGE_KEY, f"{account}/{command.request_id}"),
        subject=Subject.EXCHANGE_KEY,
        requested_by=command.caller.name,
        detail=f"{account} trades with the key …{key[-4:]} from then on",
        requested_at=now,
        expires_at=now + life,
        content=content,
    )
    await ask_person(services, account, asked)
    return asked.request_id
