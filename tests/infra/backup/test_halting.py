"""A restored record grants nobody what was granted before: sessions, tokens, links, codes."""

from datetime import UTC, datetime, timedelta

import psycopg

from infra.backup.halting import halt_restored

AT = datetime(2026, 5, 5, 12, 0, tzinfo=UTC)
THEN = AT - timedelta(hours=1)

GRANTED = """
INSERT INTO people (user_id, name, display_name, may_enrol, created_at, created_by)
    VALUES ('u1', 'ada', 'Ada', false, %(then)s, 'aether');
INSERT INTO person_sessions (session_hash, session_id, user_id, standing, may_enrol, opened_at,
    used_at, address, agent)
    VALUES ('s', 's1', 'u1', 'full', false, %(then)s, %(then)s, '127.0.0.1', 'a browser');
INSERT INTO access_tokens (token_id, token_hash, user_id, label, scopes, accounts, created_at,
    expires_at) VALUES ('t', 't', 'u1', 'a script', '{}', '{}', %(then)s, %(later)s);
INSERT INTO step_ups (step_up_id, user_id, session_id, purpose, subject, content, nonce, challenge,
    asked_at, method, confirmed_at)
    VALUES ('c', 'u1', 's1', 'approve', 'a', 'b', 'n', 'h', %(then)s, 'totp', %(then)s);
INSERT INTO recovery_codes VALUES ('u1', 'hash', %(then)s, NULL);
INSERT INTO enrolments VALUES ('l', 'invitation', 'u1', %(then)s, 'aether', %(later)s, NULL);
INSERT INTO recoveries (recovery_id, user_id, asked_at, asked_by, effective_at)
    VALUES ('r', 'u1', %(then)s, 'machine', %(later)s);
"""
COUNTING = {
    "person_sessions": "revoked_at IS NULL",
    "access_tokens": "revoked_at IS NULL",
    "step_ups": "used_at IS NULL",
    "recovery_codes": "used_at IS NULL",
    "enrolments": "used_at IS NULL OR expires_at > %(at)s",
    "recoveries": "cancelled_at IS NULL AND used_at IS NULL",
}


def test_what_somebody_held_when_the_backup_was_made_is_void(postgres, database_name):
    url = postgres.url("postgres", database_name)
    values = {"then": THEN, "later": AT + timedelta(days=7), "at": AT}

    def standing(connection):
        counts = {
            table: f"SELECT count(*) FROM {table} WHERE {still}"
            for table, still in COUNTING.items()
        }
        return {t: connection.execute(q, values).fetchone()[0] for t, q in counts.items()}

    with psycopg.connect(url, autocommit=True) as connection:
        for statement in GRANTED.split(";\n")[:-1]:
            connection.execute(statement, values)
        assert standing(connection) == dict.fromkeys(COUNTING, 1)
        halt_restored(url, "a-backup", THEN, "a token", AT)
        assert standing(connection) == dict.fromkeys(COUNTING, 0)
