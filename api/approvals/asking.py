"""Asking another person: the request's workflow is started, and its row is waited for."""

from fastapi import Request

from activities.adapters.temporal.approval_start import start_approval
from api.access.admission import refuse
from api.access.callers import caller_of
from api.approvals.recorded import until_recorded
from api.http.commands import connected
from api.services import Services
from models.contracts.approvals import ApprovalInput
from models.trading.governance.approval import ApprovalRequest
from models.trading.governance.rights import Refused
from models.trading.governance.subjects import SUBJECTS, Subject


async def require_person_to_ask(request: Request, subject: Subject) -> None:
    """Refuse any token that would ask for what people alone ask for.

    A person's own token too: the request would bear the person's name, who has not asked.

    Raises:
        ProblemError: 403 ``person-required``, audited.
    """
    caller, rule = await caller_of(request), SUBJECTS[subject]
    if rule.by_person and not caller.is_person:
        reason = f"{subject.value.replace('_', ' ').capitalize()}: a person asks for it, signed in."
        raise await refuse(request, caller, Refused("person-required", reason), rule.asks)


async def ask_person(services: Services, account: str, asked: ApprovalRequest) -> None:
    """Start a request for approval, once by its id; return when it is in the record.

    Raises:
        EngineUnavailableError, RPCError: Temporal does not answer.
        ProblemError: 503, it is not recorded yet.
    """
    await start_approval(connected(services), ApprovalInput(account, asked))
    await until_recorded(services, account, asked.request_id)
