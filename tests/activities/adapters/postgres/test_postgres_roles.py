"""What each process's role may not do, whoever tells the process to."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text

from activities.adapters.postgres.acting import TOKEN_HASH
from activities.adapters.postgres.audit import verify_chains
from activities.adapters.postgres.installation import (
    create_token,
    find_token,
    renew_token,
    revoke_token,
    token_hash,
)
from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.leak_probe import leak_probe
from cli.output.records import OwnReader
from infra.runtime.database.connections import Database, Role
from infra.stack.own_token import NAME, renew_own_token
from workers.live_accounts import asking

PROCESSES = [role for role in Role if role is not Role.OWNER]
TOKENS = (
    "SELECT token_hash FROM api_tokens",
    "INSERT INTO api_tokens VALUES ('x', 'administrator', 'x', now(), NULL, now(), NULL)",
    "UPDATE api_tokens SET revoked_at = NULL",
    "UPDATE api_tokens SET expires_at = 'infinity'",
    "DELETE FROM api_tokens",
)
TOKEN_FUNCTIONS = (
    "SELECT create_token('x', 'administrator', 'x', now(), now() + interval '1 day', 'aether')",
    "SELECT renew_token('x', now() + interval '1 day', 'aether')",
    "SELECT revoke_token('x', now(), 'aether')",
    "SELECT * FROM list_tokens()",
)
GOVERNANCE = (
    "UPDATE kill_switches SET lifted_at = now()",
    "UPDATE kill_switches SET lift_requested_by = 'x'",
    "DELETE FROM kill_switches",
    "INSERT INTO kill_switches VALUES (9999, '{}', false, '', 'x', now())",
    "INSERT INTO audit_log VALUES ('company', 1, now(), 'x', 'y', '{}', '', '', '')",
    "UPDATE audit_log SET actor = 'x'",
    "DELETE FROM audit_log",
    "UPDATE audit_heads SET sequence = 0",
    "SELECT write_audit('company', 'x', 'y', '{}', '')",
    "SELECT audit_kill_switch(1, '{company}', 'x', 'y', '{}')",
    "SELECT audit_actor('x', '')",
    "SET ROLE aether_owner",
    "SET SESSION AUTHORIZATION aether_owner",
    "ALTER TABLE orders DISABLE ROW LEVEL SECURITY",
    "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
)
ONLY_WORKERS = (
    "SELECT lift_kill_switch(1, now(), 'x')",
    "SELECT acknowledge_kill_switch(1, 'company', '')",
    "INSERT INTO orders SELECT * FROM orders",
    "UPDATE orders SET status = 'closed'",
    "UPDATE trades SET phase = 'settled'",
    "INSERT INTO fills SELECT * FROM fills",
    "UPDATE balances SET total = 0",
    "UPDATE accounts SET halts = '[]'",
    "UPDATE accounts SET mode = 'live'",
    "INSERT INTO account_settings SELECT * FROM account_settings",
    "INSERT INTO mode_changes SELECT * FROM mode_changes",
)
FORBIDDEN = [
    *((role, statement) for role in PROCESSES for statement in (*TOKENS, *GOVERNANCE)),
    *((role, one) for role in PROCESSES if role is not Role.ADMIN for one in TOKEN_FUNCTIONS),
    *((role, one) for role in PROCESSES if role is not Role.APP for one in ONLY_WORKERS),
    *((role, "SELECT token_of('x')") for role in PROCESSES if role is not Role.API),
    *(
        (role, statement)
        for role in PROCESSES
        if role is not Role.API
        for statement in (
            "SELECT request_kill_switch_lift(1, 'x', now(), '', 'y', 'z')",
            "SELECT note_decision('platform', 'x', 'user/1', true, now(), '', '')",
        )
    ),
    *(
        (Role.API, statement)
        for statement in (
            "UPDATE going_live_requests SET approved_by = 'user/2'",
            "UPDATE universe_changes SET outcome = 'applied'",
            "INSERT INTO universe_versions SELECT * FROM universe_versions",
            "INSERT INTO platform_settings_versions SELECT * FROM platform_settings_versions",
            "INSERT INTO approval_decisions SELECT * FROM approval_decisions",
        )
    ),
    *(
        (role, "SELECT engage_kill_switch(1, '{}', false, '', 'x', now(), '')")
        for role in PROCESSES
        if role not in (Role.API, Role.APP)
    ),
    *(
        (role, "SELECT live_account_ids()")
        for role in PROCESSES
        if role not in (Role.EXCHANGE, Role.APP)
    ),
    *(
        (role, f"SELECT * FROM {table}")
        for role in PROCESSES
        if role not in (Role.API, Role.NOTIFIER)
        for table in ("notification_channels", "notification_quiet_hours")
    ),
    *((role, "SELECT director_since('x', 'company')") for role in PROCESSES),
    *((role, "SELECT write_grants('x', '{}', '{}', now(), 'x')") for role in PROCESSES),
    *(
        (role, f"SELECT * FROM {table}")
        for role in PROCESSES
        for table in ("people", "person_factors", "person_sessions", "step_ups", "access_tokens")
    ),
    *((Role.EXCHANGE, f"SELECT * FROM {table}") for table in ("accounts", "orders", "audit_log")),
    (Role.READER, "INSERT INTO requests SELECT * FROM requests"),
    (Role.READER, "SELECT append_audit('company', 'x', 'y', '{}', '{}', '', false, '')"),
    (Role.MARKET, "SELECT append_audit('company', 'x', 'y', '{}', '{}', '', false, '')"),
    *(
        (role, f"INSERT INTO {table} SELECT * FROM {table}")
        for role in PROCESSES
        if role is not Role.LEARNING
        for table in (
            "trials",
            "training_runs",
            "training_verdicts",
            "holdout_openings",
            "shadows",
            "shadow_ends",
        )
    ),
    *(
        (Role.LEARNING, f"{verb} {table}{rest}")
        for table, column in (("trials", "milliseconds = 0"), ("champions", "model = 'x'"))
        for verb, rest in (("UPDATE", f" SET {column}"), ("DELETE FROM", ""), ("TRUNCATE", ""))
    ),
    (Role.API, "SELECT high_water FROM api_key_nonces"),
]


@pytest.mark.parametrize(("role", "statement"), FORBIDDEN)
def test_what_a_role_does_not_need_it_may_not(postgres, database, database_name, role, statement):
    with psycopg.connect(postgres.url(role, database_name)) as connection:
        connection.execute("SELECT set_config('aether.account_id', 'company', true)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def append(connection, actor, action="backtest_requested", hashed="", account="company"):
    connection.execute("SELECT set_config('aether.account_id', 'company', true)")
    values = [account, actor, action, "kill-switch/1", hashed]
    connection.execute("SELECT append_audit(%s, %s, %s, '{}', '{}', %s, false, %s)", values)


def refused(connection, *words, **options):
    with pytest.raises(psycopg.Error) as error, connection.transaction():
        append(connection, *words, **options)
    return error.value.sqlstate


async def test_the_api_writes_in_the_name_of_the_token_it_was_shown(postgres, admin, database_name):
    name, other = f"a{uuid4().hex[:6]}", f"b{uuid4().hex[:6]}"
    now = datetime.now(UTC)
    hashed = token_hash(await create_token(admin, name, "administrator", now))
    await create_token(admin, other, "administrator", now)
    with psycopg.connect(postgres.url(Role.API, database_name)) as connection:
        append(connection, name, hashed=hashed)
        assert refused(connection, name, "something", hashed=hashed) == "AE003"
        assert refused(connection, other, hashed=hashed) == "AE003"
        assert refused(connection, name) == "AE003"
        assert refused(connection, name, hashed=token_hash("guessed")) == "AE003"
        assert refused(connection, f"machine/{name}", hashed=hashed) == "AE003"
        assert refused(connection, name, hashed=hashed, account="director-1") == "42501"
        for action in ("token_created", "kill_switch_lifted", "kill_switch_engaged"):
            assert refused(connection, name, action, hashed=hashed) == "AE003"
        await revoke_token(admin, name, now)
        assert refused(connection, name, hashed=hashed) == "AE003"


async def test_an_expired_token_names_nobody(postgres, admin, database_name):
    name = f"c{uuid4().hex[:6]}"
    past = datetime.now(UTC) - timedelta(days=91)
    hashed = token_hash(await create_token(admin, name, "administrator", past))
    with psycopg.connect(postgres.url(Role.API, database_name)) as connection:
        assert refused(connection, name, hashed=hashed) == "AE003"


def test_workers_never_write_in_the_machines_name_nor_the_machine_in_a_persons(
    postgres, database, database_name
):
    with psycopg.connect(postgres.url(Role.APP, database_name)) as connection:
        append(connection, "somebody")
        assert refused(connection, "machine/root") == "AE003"
        assert refused(connection, "somebody", "token_revoked") == "AE003"
    with psycopg.connect(postgres.url(Role.ADMIN, database_name)) as connection:
        append(connection, "machine/root")
        assert refused(connection, "somebody") == "AE003"


@pytest.mark.parametrize("action", ["payload_key_rotated", "payload_key_forgotten"])
def test_only_the_machine_says_that_a_payload_key_was_changed(
    postgres, database, database_name, action
):
    for role in (Role.APP, Role.LEARNING):
        with psycopg.connect(postgres.url(role, database_name)) as connection:
            assert refused(connection, "aether", action) == "AE003"
    with psycopg.connect(postgres.url(Role.ADMIN, database_name)) as connection:
        append(connection, "machine/root", action)


@pytest.mark.parametrize(
    ("role", "action"),
    [
        (Role.LEARNING, "data_exported"),
        (Role.LEARNING, "payloads_decoded"),
        (Role.API, "training_begun"),
        (Role.NOTIFIER, "data_exported"),
    ],
)
def test_no_role_writes_of_another_what_it_did_not_do(
    postgres, database, database_name, role, action
):
    with psycopg.connect(postgres.url(role, database_name)) as connection:
        assert refused(connection, "aether", action) == "AE003"


async def test_a_kill_switch_is_not_lifted_by_what_a_token_asked_for_or_nobody_approved(
    postgres, admin, api_database, database, database_name
):
    name = f"d{uuid4().hex[:6]}"
    token = await create_token(admin, name, "administrator", datetime.now(UTC))
    asked, workers = PostgresJournal(api_database), PostgresJournal(database)
    number, now = await asked.next_kill_switch_number(), datetime.now(UTC)
    engage = {"flatten": False, "reason": "test", "at": now}
    with pytest.raises(psycopg.Error, match="as the author"):
        await asked.engage_kill_switch(number, ["company"], by=name, **engage)
    before = TOKEN_HASH.set(token_hash(token))
    try:
        await asked.engage_kill_switch(number, ["company"], by=name, **engage)
        assert not await workers.lift_kill_switch(number, "user/two", now)
        with pytest.raises(psycopg.Error, match="as the author"):
            await asked.request_kill_switch_lift(number, "user/one", now, "a", "over")
        wanted = await asked.request_kill_switch_lift(number, name, now, "a", "over")
        assert (wanted.by, wanted.approval) == (name, "a")
    finally:
        TOKEN_HASH.reset(before)
    for nobody in ("user/two", name):
        assert not await workers.lift_kill_switch(number, nobody, now)
    rows = {row.number: row for row in await workers.kill_switches(only_engaged=False)}
    assert (rows[number].engaged_by, rows[number].lifted_by) == (name, None)
    with psycopg.connect(postgres.url("postgres", database_name)) as connection:
        actors = connection.execute(
            "SELECT account_id, action, actor FROM audit_log WHERE correlation = %s "
            "AND action LIKE 'kill_switch%%' ORDER BY account_id, sequence",
            [f"kill-switch/{number}"],
        ).fetchall()
    events = ("kill_switch_engaged", "kill_switch_lift_requested")
    assert actors == [(chain, e, name) for chain in ("company", "platform") for e in events]


async def test_a_revoked_token_is_not_brought_back(postgres, admin, api_database):
    name = f"e{uuid4().hex[:6]}"
    now = datetime.now(UTC)
    token = await create_token(admin, name, "administrator", now)
    assert await revoke_token(admin, name, now)
    assert await create_token(admin, name, "administrator", now) is None
    assert await find_token(api_database, token_hash(token)) is None


async def test_the_exchange_learns_who_trades_live_and_nothing_else(
    postgres, database, database_name
):
    ask = asking(postgres.url(Role.EXCHANGE, database_name))
    assert await ask() == []
    async with database.account_scope("company") as session:
        await session.sql(text("UPDATE accounts SET mode = 'live'"))
    try:
        assert await ask() == ["company"]
    finally:
        async with database.account_scope("company") as session:
            await session.sql(text("UPDATE accounts SET mode = 'simulated'"))
    with pytest.raises(ConnectionError):
        await asking("postgresql://aether_exchange@/aether?host=/nowhere")()


async def test_the_machines_own_token_is_renewed_while_it_is_used(
    postgres, admin, api_database, database_name
):
    url, now = postgres.url(Role.ADMIN, database_name), datetime.now(UTC)
    assert not renew_own_token(url)
    token = await create_token(admin, NAME, "administrator", now)
    assert not renew_own_token(url)  # it is young
    for past in (now - timedelta(days=1), now + timedelta(days=30)):
        await renew_token(admin, NAME, max(past, now + timedelta(milliseconds=1)))
        assert renew_own_token(url)
    holder = await find_token(api_database, token_hash(token))
    assert holder.expires_at > now + timedelta(days=89)
    await renew_token(admin, NAME, now + timedelta(days=30))
    await revoke_token(admin, NAME, now)
    assert not renew_own_token(url)


async def test_the_reader_sees_all_that_verify_compares(postgres, journal, database_name):
    await journal.audit("company", "somebody", "something", {}, "")
    reader = Database(postgres.url(Role.READER, database_name))
    assert await leak_probe(reader) == []
    assert all(report.intact for report in await verify_chains(reader))
    record = await OwnReader(reader).record("company")
    assert record.orders == ()
    await reader.close()
