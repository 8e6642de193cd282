"""The advisor: what the record says to a question, and why a model took a trade."""

from http import HTTPStatus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from api.http import reading
from api.http.authentication import Caller, authenticate
from api.http.commands import IdempotencyKey, Response, command_of, run_once
from api.http.problems import ProblemError
from api.messages.bodies import AccountName, Number, PageSize
from api.messages.learning import AskQuestion, Explanation, QuestionAnswered
from api.queries.learning import advisor
from api.queries.learning import trainings as queries
from api.services import services_of
from models.reporting.advisor import match

router = APIRouter(
    prefix="/accounts/{account}", tags=["advisor"], dependencies=[Depends(authenticate)]
)


@router.post("/questions", response_model=QuestionAnswered)
async def ask_advisor(
    request: Request, account: AccountName, body: AskQuestion, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Answer a question from the record, with the sources of the answer; it is kept."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller, body)

    async def act() -> Response:
        matched = match(body.question)
        found = await advisor.answer(
            services.database, account, caller.name, body.question, matched
        )
        return int(HTTPStatus.OK), found.model_dump(mode="json")

    return await run_once(services, command, act)


@router.get("/questions")
async def list_questions(
    request: Request, account: AccountName, *, limit: PageSize = 100
) -> list[QuestionAnswered]:
    """List what was asked about an account, newest first, with its answers."""
    database = services_of(request).database
    await reading.require_account(database, account)
    return await advisor.transcripts(database, account, limit)


@router.get("/trades/{number}/explanation")
async def get_explanation(request: Request, account: AccountName, number: Number) -> Explanation:
    """Explain a trade that a learned model took: of the model, not of the market."""
    database = services_of(request).database
    await reading.require_account(database, account)
    found = await queries.explanation(database, account, number)
    if found is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "no-explanation", f"No model took trade {number} of {account}."
        )
    return found
