"""What people do for themselves: sessions, factors, confirmations, password and tokens."""

import secrets
from base64 import b32encode
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from activities.adapters.people.passkeys import PasskeyError, registered, registration_options
from activities.adapters.people.passwords import password_problem
from activities.adapters.postgres.governance.factors import PASSKEY, TOTP
from activities.adapters.postgres.governance.sessions import PersonSession, new_id
from api.access import step_ups
from api.access.callers import pending_session
from api.access.cookies import set_session
from api.access.factors import (
    code_hash,
    confirmed,
    new_challenge,
    new_recovery_codes,
    new_totp_secret,
    party_of,
    qr_image,
    totp_uri,
)
from api.access.sign_in import attempt_of, forgive, sign_in_failed, slow_down
from api.http.authentication import Caller
from api.http.problems import ProblemError, unauthorized
from api.messages.people import (
    AddFactor,
    AskStepUp,
    ChangePassword,
    Confirmed,
    ConfirmStepUp,
    ConfirmTotp,
    Done,
    FactorAdded,
    Factors,
    FactorView,
    FinishPasskey,
    GrantView,
    MadeToken,
    MakeToken,
    Me,
    NewPasskey,
    NewTotp,
    PublicId,
    RecoveryCodes,
    SessionView,
    StepUp,
    TokenView,
)
from api.routes.people.sign_in import weak_password
from api.services import Principal, services_of
from models.trading.governance.passwords import context_words
from models.trading.governance.rights import RIGHTS, Action
from models.trading.governance.sessions import ABSOLUTE, Standing
from models.trading.governance.throttling import FACTOR_LIMITS, PASSWORD_LIMITS
from models.trading.governance.tokens import token_text
from models.trading.governance.totp import accepted_step

router = APIRouter(prefix="/me", tags=["oneself"])


@router.get("")
async def get_me(request: Request, caller: Caller) -> Me:
    """Return who has signed in, and whether they have to make new recovery codes."""
    session = _session(caller)
    factors = await services_of(request).identity.factors.factors(session.user_id)
    grants = [GrantView(role=g.role, account=g.account) for g in caller.rights.grants]
    return Me(
        user=caller.name,
        name=session.name,
        display_name=session.display_name,
        grants=grants,
        session=session.session_id,
        opened_at=session.times.opened_at,
        ends_at=session.times.opened_at + ABSOLUTE,
        needs_recovery_codes=not any(one.codes for one in factors),
    )


@router.get("/sessions")
async def list_sessions(request: Request, caller: Caller) -> list[SessionView]:
    """List the sessions of the caller that count, newest first."""
    found = await services_of(request).identity.sessions.sessions_of(
        caller.credential, _session(caller).user_id
    )
    return [SessionView.model_validate(row) for row in found]


@router.delete("/sessions/{session}")
async def revoke_session(request: Request, session: PublicId, caller: Caller) -> Done:
    """End a session of the caller, everywhere and at once."""
    now = datetime.now(UTC)
    own = await list_sessions(request, caller)
    identity = services_of(request).identity
    if session not in {one.session_id for one in own} or not await identity.sessions.revoke(
        caller.credential, session, now
    ):
        raise _unknown("session")
    return Done()


@router.post("/password")
async def change_password(request: Request, body: ChangePassword, caller: Caller) -> Done:
    """Set another password; the caller's other sessions end."""
    services, session = services_of(request), _session(caller)
    identity, now = services.identity, datetime.now(UTC)
    buckets = [f"password/user/{session.user_id}"]
    await slow_down(services, buckets, PASSWORD_LIMITS, now)
    person = await identity.people.named(session.name)
    stored = None if person is None else person.password_hash
    if not (await identity.passwords.verify(stored, body.current)).right:
        raise sign_in_failed()
    await identity.failures.forgive(buckets)
    words = context_words(session.name, session.display_name)
    problem = await password_problem(body.password, words)
    if problem is not None:
        raise weak_password(problem)
    hashed = await identity.passwords.hash(body.password)
    await identity.people.change_password(caller.credential, hashed, now)
    return Done()


@router.get("/factors")
async def list_factors(request: Request, caller: Caller) -> Factors:
    """List the caller's second factors, and how many recovery codes are left."""
    found = await services_of(request).identity.factors.factors(_session(caller).user_id)
    counting = [*confirmed(found, TOTP), *confirmed(found, PASSKEY)]
    shown = [FactorView.model_validate(one) for one in counting]
    return Factors(factors=shown, recovery_codes=counting[0].codes if counting else 0)


@router.post("/factors/totp")
async def add_totp(request: Request, body: AddFactor) -> NewTotp:
    """Make a secret for an authenticator; it counts once a code of it was shown."""
    session, hashed = await pending_session(request)
    identity, factor, secret = services_of(request).identity, new_id(), new_totp_secret()
    sealed = identity.sealing.seal(secret, f"{session.user_id}/{factor}")
    await identity.factors.add_totp(hashed, body.label, sealed, factor, datetime.now(UTC))
    uri = totp_uri(secret, session.name)
    return NewTotp(factor=factor, secret=b32encode(secret).decode(), uri=uri, qr=qr_image(uri))


@router.post("/factors/totp/{factor}/confirm")
async def confirm_totp(
    request: Request, response: Response, factor: PublicId, body: ConfirmTotp
) -> FactorAdded:
    """Show a code of the new factor; who had none is signed in by it, and gets recovery codes."""
    session, hashed = await pending_session(request)
    services, now = services_of(request), datetime.now(UTC)
    identity, bucket = services.identity, [f"factor/user/{session.user_id}"]
    await slow_down(services, bucket, FACTOR_LIMITS, now)
    found = {one.factor_id: one for one in await identity.factors.factors(session.user_id)}
    added = found.get(factor)
    if added is None or added.secret is None or added.confirmed_at is not None:
        raise _unknown("factor")
    secret = identity.sealing.open(added.secret, f"{session.user_id}/{factor}")
    step = accepted_step(secret, body.code, now, None)
    if step is None or not await identity.factors.confirm(hashed, factor, step, now):
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "wrong-code",
            "The code does not belong to the secret, or the clocks differ by over half a minute.",
            lasting=False,
        )
    await identity.failures.forgive(bucket)
    return await _factor_added(request, response, session, hashed, TOTP)


@router.post("/factors/passkey/begin")
async def begin_passkey(request: Request) -> NewPasskey:
    """Return the options for making a passkey; the address must be localhost or a name."""
    session, hashed = await pending_session(request)
    party = party_of(request)
    if party is None:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "no-relying-party",
            "Passkeys belong to a name: open the platform as localhost, not by its IP address.",
            lasting=False,
        )
    identity, challenge = services_of(request).identity, new_challenge()
    known = confirmed(await identity.factors.factors(session.user_id), PASSKEY)
    await identity.sessions.set_challenge(hashed, bytes_to_base64url(challenge))
    keys = [one.credential_id or "" for one in known]
    options = registration_options(party, session.user_id, session.name, challenge, keys)
    return NewPasskey(options=options)


@router.post("/factors/passkey")
async def finish_passkey(request: Request, response: Response, body: FinishPasskey) -> FactorAdded:
    """Add the passkey that the browser has made."""
    session, hashed = await pending_session(request)
    identity, party = services_of(request).identity, party_of(request)
    challenge = await identity.sessions.take_challenge(hashed)
    try:
        if party is None or challenge is None:
            raise PasskeyError("nothing was begun")
        made = registered(party, body.credential, base64url_to_bytes(challenge))
    except PasskeyError as error:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "wrong-passkey",
            f"The passkey does not verify: {error}.",
            lasting=False,
        ) from None
    done = await identity.factors.add_passkey(
        hashed,
        body.label,
        made.credential_id,
        made.public_key,
        made.sign_count,
        datetime.now(UTC),
    )
    if not done:
        raise ProblemError(
            HTTPStatus.CONFLICT, "known-passkey", "The passkey is in use.", lasting=False
        )
    return await _factor_added(request, response, session, hashed, PASSKEY)


@router.delete("/factors/{factor}")
async def remove_factor(
    request: Request, response: Response, factor: PublicId, caller: Caller
) -> Done:
    """Remove a second factor; the only one stays."""
    identity, now = services_of(request).identity, datetime.now(UTC)
    if not await identity.factors.remove(caller.credential, factor, now):
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "last-factor",
            "There is no such factor, or it is the only one: add another first.",
            lasting=False,
        )
    await _renew(request, response, caller.credential, "factor")
    return Done()


@router.post("/recovery-codes")
async def replace_recovery_codes(request: Request, caller: Caller) -> RecoveryCodes:
    """Make new recovery codes; the earlier ones count no more."""
    return RecoveryCodes(recovery_codes=await _new_codes(request, caller.credential))


@router.post("/step-ups")
async def ask_step_up(request: Request, body: AskStepUp, caller: Caller) -> StepUp:
    """Ask to confirm one action; what a passkey will sign is shown in full."""
    return await step_ups.ask(request, caller, body)


@router.post("/step-ups/{step_up}")
async def confirm_step_up(
    request: Request, response: Response, step_up: PublicId, body: ConfirmStepUp, caller: Caller
) -> Confirmed:
    """Show a second factor for one action; the session goes on under a new reference."""
    told, reference = await step_ups.confirm(request, caller, step_up, body)
    set_session(response, reference)
    return told


@router.get("/tokens")
async def list_tokens(request: Request, caller: Caller) -> list[TokenView]:
    """List the caller's API tokens, newest first."""
    found = await services_of(request).identity.sessions.tokens(caller.credential)
    return [TokenView.model_validate(row) for row in found]


@router.post("/tokens", status_code=HTTPStatus.CREATED)
async def make_token(request: Request, body: MakeToken, caller: Caller) -> MadeToken:
    """Make an API token, shown this once: for up to 90 days, and never for approvals."""
    unknown = sorted(set(body.scopes) - {a.value for a in Action if RIGHTS[a].machine})
    if unknown:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid-scope",
            f"No token may have: {', '.join(unknown)}.",
            lasting=False,
        )
    token, now = token_text(secrets.token_bytes(32)), datetime.now(UTC)
    expires_at = now + timedelta(days=body.days)
    token_id = await services_of(request).identity.sessions.make_token(
        caller.credential,
        token,
        body.label,
        sorted(set(body.scopes)),
        sorted(set(body.accounts)),
        now,
        expires_at,
    )
    return MadeToken(token_id=token_id, token=token, expires_at=expires_at)


@router.delete("/tokens/{token}")
async def revoke_token(request: Request, token: PublicId, caller: Caller) -> Done:
    """Make an API token worthless at once."""
    sessions = services_of(request).identity.sessions
    if not await sessions.revoke_token(caller.credential, token, datetime.now(UTC)):
        raise _unknown("token")
    return Done()


async def _factor_added(
    request: Request, response: Response, session: PersonSession, hashed: str, method: str
) -> FactorAdded:
    found = await services_of(request).identity.factors.factors(session.user_id)
    has_codes = any(one.codes for one in found)
    codes = [] if has_codes else await _new_codes(request, hashed)
    await _renew(request, response, hashed, method)
    if session.times.standing is Standing.PENDING:
        await forgive(services_of(request), session, attempt_of(request))
    return FactorAdded(recovery_codes=codes)


async def _new_codes(request: Request, hashed: str) -> list[str]:
    codes = new_recovery_codes()
    await services_of(request).identity.factors.replace_codes(
        hashed, [code_hash(code) for code in codes], datetime.now(UTC)
    )
    return codes


async def _renew(request: Request, response: Response, hashed: str, method: str) -> None:
    identity = services_of(request).identity
    reference = await identity.sessions.replace(hashed, datetime.now(UTC), method)
    if reference is None:
        raise unauthorized()
    set_session(response, reference)


def _session(caller: Principal) -> PersonSession:
    assert caller.session is not None  # the rights of these routes let nobody else in
    return caller.session


def _unknown(what: str) -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, f"unknown-{what}", f"No such {what}.", lasting=False)
