"""Signing in and out, and setting oneself up by a link."""

import ipaddress
from datetime import UTC, datetime
from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from activities.adapters.people.passwords import password_problem
from activities.adapters.postgres.governance.people import Enrolment, NewPerson
from api.access.cookies import check_same_origin, clear_session, set_session
from api.access.sign_in import attempt_of, check_password, check_second_factor, slow_down
from api.http.authentication import Caller
from api.http.problems import ProblemError
from api.messages.people import Done, Enrol, EnrolmentView, Link, NextStep, SecondFactor, SignIn
from api.services import services_of
from models.trading.governance.passwords import context_words
from models.trading.governance.throttling import PASSWORD_LIMITS

router = APIRouter(tags=["signing in"])

FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@router.post("/sign-in")
async def sign_in(request: Request, response: Response, body: SignIn) -> NextStep:
    """Show name and password; the answer tells nothing about them, the second step does."""
    check_same_origin(request)
    step, reference = await check_password(request, body.name, body.password)
    set_session(response, reference)
    return step


@router.post("/sign-in/second-factor")
async def complete_sign_in(request: Request, response: Response, body: SecondFactor) -> NextStep:
    """Show a second factor; from then on the session counts, under a new reference."""
    check_same_origin(request)
    set_session(response, await check_second_factor(request, body))
    return NextStep(step="signed-in")


@router.post("/sign-out")
async def sign_out(request: Request, response: Response, caller: Caller) -> Done:
    """End this session."""
    assert caller.session is not None
    await services_of(request).identity.sessions.revoke(
        caller.credential, caller.session.session_id, datetime.now(UTC)
    )
    clear_session(response)
    return Done()


@router.post("/enrolment/look")
async def look_at_enrolment(request: Request, body: Link) -> EnrolmentView:
    """Return what a link is for, without taking it."""
    found = await _enrolment(request, body.link)
    return EnrolmentView(purpose=found.purpose, name=found.name, display_name=found.display_name)


@router.post("/enrolment")
async def enrol(request: Request, response: Response, body: Enrol) -> NextStep:
    """Take a link, once: set a password, and go on with a second factor before anything else."""
    check_same_origin(request)
    services, now = services_of(request), datetime.now(UTC)
    found = await _enrolment(request, body.link)
    name, display = found.name or body.name, found.display_name or body.display_name
    if name is None or display is None:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid-request",
            "The first director needs a name and a display name.",
        )
    hashed = await _password(request, found, name, display, body.password)
    attempt = attempt_of(request)
    done = await services.identity.people.enrol(
        body.link, NewPerson(name, display, hashed), now, attempt.address, attempt.agent
    )
    if done is None:
        raise _no_link()
    set_session(response, done[1])
    return NextStep(step="enrolment")


async def _password(
    request: Request, found: Enrolment, name: str, display: str, password: str
) -> str | None:
    """Return the hash of the new password; None after a reset, for which the old one is shown."""
    identity = services_of(request).identity
    if found.purpose == "reset":
        person = await identity.people.named(name)
        stored = None if person is None else person.password_hash
        buckets = [f"password/user/{found.user_id}"]
        await slow_down(services_of(request), buckets, PASSWORD_LIMITS, datetime.now(UTC))
        if not (await identity.passwords.verify(stored, password)).right:
            raise ProblemError(
                HTTPStatus.UNAUTHORIZED,
                "sign-in-failed",
                "The password is not right.",
                lasting=False,
                headers={"WWW-Authenticate": 'Session realm="Aether"'},
            )
        return None
    problem = await password_problem(password, context_words(name, display))
    if problem is not None:
        raise weak_password(problem)
    return await identity.passwords.hash(password)


async def _enrolment(request: Request, link: str) -> Enrolment:
    services, now = services_of(request), datetime.now(UTC)
    found = await services.identity.people.enrolment(link, now)
    if found is None or (found.purpose == "first" and not is_on_this_machine(request)):
        raise _no_link()
    return found


def is_on_this_machine(request: Request) -> bool:
    """Tell whether a request was sent on this machine, to it, and through nobody."""
    try:
        loopback = (
            request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
        )
    except ValueError:
        return False
    host = request.headers.get("host", "").lower()
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    passed_on = any(header in request.headers for header in FORWARDED)
    return loopback and name in LOOPBACK_NAMES and not passed_on


def weak_password(reason: str) -> ProblemError:
    """Return the refusal of a password, with what is wrong with it."""
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "weak-password", reason, lasting=False)


def _no_link() -> ProblemError:
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        "unknown-link",
        "The link has been used, is too old or wrong, or the name is taken. The first one is made "
        "on the machine: aether admin set-up-link",
        lasting=False,
    )
