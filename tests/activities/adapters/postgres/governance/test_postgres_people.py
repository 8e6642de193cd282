"""What each role may do with people: through their functions alone, and as who has signed in."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from activities.adapters.postgres.acting import TOKEN_HASH
from activities.adapters.postgres.governance.calls import ImpossibleError, NotAllowedError
from activities.adapters.postgres.governance.factors import PostgresFactors
from activities.adapters.postgres.governance.failures import PostgresFailures
from activities.adapters.postgres.governance.people import NewPerson, PostgresPeople
from activities.adapters.postgres.governance.revocations import PostgresRevocations
from activities.adapters.postgres.governance.sessions import (
    PostgresSessions,
    new_id,
    reference_hash,
)
from activities.adapters.postgres.journal import PostgresJournal
from infra.migrations.people.grants import ADMIN, API, INNER
from infra.runtime.database.connections import Database, Role
from models.trading.governance.rights import Grant
from models.trading.governance.rights import Role as PersonRole
from models.trading.governance.throttling import FACTOR_LIMITS, PASSWORD_LIMITS

TABLES = (
    *("people", "person_grants", "person_factors", "recovery_codes", "person_sessions"),
    *("step_ups", "access_tokens", "enrolments", "recoveries"),
)
NOW = datetime.now(UTC)


@pytest.fixture
async def api(postgres, database_name):
    database = Database(postgres.url(Role.API, database_name))
    yield database
    await database.close()


@pytest.fixture
async def admin(postgres, database_name):
    database = Database(postgres.url(Role.ADMIN, database_name))
    yield database
    await database.close()


async def signed_in(api, admin, role=PersonRole.DIRECTOR):
    """Return a person's id and the hash of a session that counts."""
    name, people = f"person-{uuid4().hex[:8]}", PostgresPeople(admin)
    await people.bring(name, name, "hash", [Grant(role)], datetime.now(UTC), "aether")
    person = await PostgresPeople(api).named(name)
    sessions, now = PostgresSessions(api), datetime.now(UTC)
    pending = await sessions.open_pending(person.user_id, now, "127.0.0.1", "")
    reference = await sessions.replace(reference_hash(pending), now, "totp")
    return person.user_id, reference_hash(reference)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("verb", ["SELECT", "INSERT", "UPDATE", "DELETE"])
def test_no_process_reaches_a_table_of_people(postgres, database_name, role, verb):
    if role is Role.OWNER:
        return
    with psycopg.connect(postgres.url("postgres", database_name)) as connection:
        for table in TABLES:
            asked = "SELECT has_table_privilege(%s, %s, %s)"
            assert connection.execute(asked, [role, table, verb]).fetchone() == (False,), table


@pytest.mark.parametrize("role", Role)
def test_each_function_is_for_the_role_that_it_is_for(postgres, database_name, role):
    if role is Role.OWNER:
        return
    wanted = {Role.API: set(API), Role.ADMIN: set(ADMIN)}.get(role, set())
    with psycopg.connect(postgres.url("postgres", database_name)) as connection:
        for function in {*API, *ADMIN, *INNER}:
            asked = "SELECT has_function_privilege(%s, %s, 'EXECUTE')"
            may = connection.execute(asked, [role, function]).fetchone()[0]
            assert may == (function in wanted), (role, function)


async def test_a_person_is_the_author_while_their_session_counts_and_nobody_else(api, admin):
    user, hashed = await signed_in(api, admin)
    other, _ = await signed_in(api, admin)
    journal = PostgresJournal(api)

    async def write(actor):
        await journal.audit("platform", actor, "backtest_requested", {}, "")

    token = TOKEN_HASH.set(hashed)
    try:
        await write(f"user/{user}")
        for actor in (f"user/{other}", "machine/root", f"user/{user} ", f"user/{user.upper()}x"):
            with pytest.raises(Exception, match="may not write"):
                await write(actor)
        session = await PostgresSessions(api).session(hashed, datetime.now(UTC))
        await PostgresSessions(api).revoke(hashed, session.session_id, datetime.now(UTC))
        with pytest.raises(Exception, match="may not write"):
            await write(f"user/{user}")
    finally:
        TOKEN_HASH.reset(token)


@pytest.mark.parametrize(
    "action", ["session_opened", "person_created", "factor_reset", "step_up_used", "token_made"]
)
async def test_what_happens_to_people_is_written_by_their_functions_alone(api, action):
    with pytest.raises(Exception, match="own function"):
        await PostgresJournal(api).audit("platform", "aether", action, {}, "")


async def test_the_record_lets_directors_alone_manage_people(api, admin):
    _, director = await signed_in(api, admin)
    user, operator = await signed_in(api, admin, PersonRole.OPERATOR)
    people, now = PostgresPeople(api), datetime.now(UTC)
    grants = [Grant(PersonRole.DIRECTOR)]
    for act in (
        lambda: people.invite(operator, "new-one", "New", grants, now),
        lambda: people.change(operator, user, now, grants=grants),
        lambda: people.disable(operator, user, now),
        lambda: people.reset_factors(operator, user, now),
        lambda: people.reset_factors("no session", user, now),
    ):
        with pytest.raises(NotAllowedError):
            await act()
    assert await people.change(director, user, now, name="renamed-one")
    assert (await people.named("renamed-one")).user_id == user
    session = await PostgresSessions(api).session(director, now)
    with pytest.raises(ImpossibleError):
        await people.reset_factors(director, session.user_id, now)


async def test_requests_lapse_of_who_has_left_or_was_demoted(api, admin):
    _, director = await signed_in(api, admin)
    user, _ = await signed_in(api, admin, PersonRole.OPERATOR)
    people, revocations = PostgresPeople(api), PostgresRevocations(api)
    assert not await revocations.is_revoked(f"user/{user}")
    await people.disable(director, user, datetime.now(UTC))
    assert await revocations.is_revoked(f"user/{user}")
    without, _ = await signed_in(api, admin, PersonRole.OPERATOR)
    await people.change(director, without, datetime.now(UTC), grants=[])
    assert await revocations.is_revoked(f"user/{without}")
    demoted, _ = await signed_in(api, admin)
    assert not await revocations.is_revoked(f"user/{demoted}")
    auditor = [Grant(PersonRole.AUDITOR)]
    await people.change(director, demoted, datetime.now(UTC), grants=auditor)
    assert await revocations.is_revoked(f"user/{demoted}")


async def test_a_time_step_and_a_counter_are_taken_once_by_many_at_once(api, admin):
    import asyncio

    user, hashed = await signed_in(api, admin)
    factors, factor = PostgresFactors(api), new_id()
    await factors.add_totp(hashed, "app", "sealed", factor, NOW)
    assert await factors.confirm(hashed, factor, 100, NOW)
    taken = await asyncio.gather(*(factors.use(factor, NOW, step=101) for _ in range(8)))
    assert sorted(taken) == [False] * 7 + [True]
    assert not await factors.use(factor, NOW, step=100)
    assert await factors.add_passkey(hashed, "key", uuid4().hex, "public", 5, NOW)
    key = next(one for one in await factors.factors(user) if one.kind == "passkey")
    assert not await factors.use(key.factor_id, NOW, count=5)
    assert await factors.use(key.factor_id, NOW, count=6)


async def test_parallel_guesses_are_weighed_one_after_the_other(api):
    import asyncio

    failures, now = PostgresFailures(api), datetime.now(UTC)
    waits = await asyncio.gather(
        *(failures.begin(["a", "b"], PASSWORD_LIMITS, now) for _ in range(16))
    )
    assert sum(wait is None for wait in waits) == 10
    assert await failures.begin(["b"], PASSWORD_LIMITS, now + timedelta(minutes=5)) is None
    await failures.clear(["a"])
    assert await failures.begin(["a"], FACTOR_LIMITS, now) is None
    await failures.prune(now + timedelta(hours=2))


async def test_sessions_are_forgotten_after_thirty_days_and_no_sooner(
    api, admin, postgres, database_name
):
    _, hashed = await signed_in(api, admin)
    sessions, later = PostgresSessions(api), datetime.now(UTC) + timedelta(days=1)
    await sessions.prune(later)
    assert await sessions.session(hashed, datetime.now(UTC)) is not None
    with psycopg.connect(postgres.url("postgres", database_name)) as connection:
        connection.execute("UPDATE person_sessions SET opened_at = now() - interval '31 days'")
    assert await sessions.prune(later) >= 2
    assert await sessions.session(hashed, datetime.now(UTC)) is None


async def test_an_enrolment_needs_its_link(api):
    people = PostgresPeople(api)
    person = NewPerson("mallory", "Mallory", "hash")
    assert await people.enrol("guess", person, NOW, "127.0.0.1", "") is None
