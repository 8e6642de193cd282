"""People: who there is, with which roles; made, changed and ended by directors."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request

from activities.adapters.postgres.governance.calls import ImpossibleError
from api.access.rules import ROUTES
from api.http.authentication import Caller
from api.http.problems import ProblemError
from api.messages.people import (
    AuthorView,
    ChangePerson,
    Done,
    GrantView,
    InvitePerson,
    LinkMade,
    PersonView,
    PublicId,
    RecoveryView,
    RightsTable,
    RightView,
    SessionView,
    UserId,
)
from api.services import services_of
from models.trading.governance.rights import RIGHTS, Grant

router = APIRouter(tags=["people"])

SET_UP_PATH = "/set-up"


@router.get("/people")
async def list_people(request: Request, *, left: bool = False) -> list[PersonView]:
    """List people with their roles, oldest first; with ``left`` also who has left."""
    rows = await services_of(request).identity.people.everybody(left=left)
    return [_view(row) for row in rows]


@router.get("/people/directory")
async def list_authors(request: Request) -> list[AuthorView]:
    """List whom the authors in the record are, who has left included; no more than names."""
    found = await services_of(request).identity.people.directory()
    return [AuthorView(user=user, name=name, display_name=shown) for user, name, shown in found]


@router.post("/people", status_code=HTTPStatus.CREATED)
async def invite_person(request: Request, body: InvitePerson, caller: Caller) -> LinkMade:
    """Make a person, who sets a password and a second factor by the link within a day."""
    services = services_of(request)
    made = await services.identity.people.invite(
        caller.credential, body.name, body.display_name, _grants(body.grants), datetime.now(UTC)
    )
    if made is None:
        raise ProblemError(
            HTTPStatus.CONFLICT, "name-taken", f"{body.name} is somebody's name.", lasting=False
        )
    return LinkMade(user=f"user/{made[0]}", link=link_address(request, made[1]))


@router.patch("/people/{person}")
async def change_person(
    request: Request, person: UserId, body: ChangePerson, caller: Caller
) -> Done:
    """Give a person another name or other roles; the last director of all accounts stays one."""
    grants = None if body.grants is None else _grants(body.grants)
    people = services_of(request).identity.people
    now = datetime.now(UTC)
    try:
        done = await people.change(
            caller.credential,
            person,
            now,
            name=body.name,
            display=body.display_name,
            grants=grants,
        )
    except ImpossibleError as error:
        raise _impossible(error) from None
    return _done(done)


@router.delete("/people/{person}")
async def disable_person(request: Request, person: UserId, caller: Caller) -> Done:
    """End a person's access for good, sessions and tokens with it; their requests lapse."""
    people = services_of(request).identity.people
    try:
        return _done(await people.disable(caller.credential, person, datetime.now(UTC)))
    except ImpossibleError as error:
        raise _impossible(error) from None


@router.post("/people/{person}/reset-factors")
async def reset_factors(request: Request, person: UserId, caller: Caller) -> LinkMade:
    """Remove the factors that another person has lost, and make a link to set up new ones.

    The link asks for the password that the person has: nobody sets another person's.
    """
    people = services_of(request).identity.people
    try:
        link = await people.reset_factors(caller.credential, person, datetime.now(UTC))
    except ImpossibleError as error:
        raise _impossible(error) from None
    if link is None:
        raise _unknown()
    return LinkMade(user=f"user/{person}", link=link_address(request, link))


@router.get("/people/{person}/sessions")
async def list_sessions_of(request: Request, person: UserId, caller: Caller) -> list[SessionView]:
    """List the sessions of a person that count; for others than oneself, as a director."""
    sessions = services_of(request).identity.sessions
    found = await sessions.sessions_of(caller.credential, person)
    return [SessionView.model_validate(row) for row in found]


@router.delete("/people/{person}/sessions/{session}")
async def revoke_session_of(
    request: Request, person: UserId, session: PublicId, caller: Caller
) -> Done:
    """End a session of somebody, everywhere and at once."""
    sessions = services_of(request).identity.sessions
    known = {row["session_id"] for row in await sessions.sessions_of(caller.credential, person)}
    now = datetime.now(UTC)
    return _done(session in known and await sessions.revoke(caller.credential, session, now))


@router.get("/recoveries")
async def list_recoveries(request: Request) -> list[RecoveryView]:
    """List the directors who are to be let in again from the machine."""
    found = await services_of(request).identity.people.recoveries()
    return [RecoveryView.model_validate(row) for row in found]


@router.post("/recoveries/{recovery}/cancel")
async def cancel_recovery(request: Request, recovery: PublicId, caller: Caller) -> Done:
    """Stop a recovery; the kill switch that it has engaged is lifted as any other."""
    people = services_of(request).identity.people
    return _done(await people.cancel_recovery(caller.credential, recovery, datetime.now(UTC)))


@router.get("/rights")
async def get_rights() -> RightsTable:
    """Return who may do what, as it is judged."""
    rights = [
        RightView(
            action=right.action,
            scope=right.scope,
            roles=sorted(right.roles),
            tokens=right.machine,
            tokens_of_the_machine_on_live_accounts=right.machine and right.live,
            step_up=right.step_up,
        )
        for right in RIGHTS.values()
    ]
    return RightsTable(rights=rights, operations={k: v.value for k, v in ROUTES.items()})


def link_address(request: Request, link: str) -> str:
    """Return the address of a link: its secret is in the fragment, which no server is sent."""
    host = request.headers.get("host", "localhost").replace("127.0.0.1", "localhost")
    return f"{request.url.scheme}://{host}{SET_UP_PATH}#{link}"


def _view(row: dict[str, Any]) -> PersonView:
    grants = [GrantView(role=role, account=account) for role, account in row["grants"]]
    return PersonView.model_validate(row | {"user": f"user/{row['user_id']}", "grants": grants})


def _grants(views: list[GrantView]) -> list[Grant]:
    return [Grant(view.role, view.account) for view in views]


def _done(done: bool) -> Done:
    if not done:
        raise _unknown()
    return Done()


def _unknown() -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, "unknown-person", "There is none.", lasting=False)


def _impossible(error: ImpossibleError) -> ProblemError:
    return ProblemError(HTTPStatus.CONFLICT, "not-possible", f"{error}.", lasting=False)
