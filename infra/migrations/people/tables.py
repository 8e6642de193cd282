"""Tables of people, factors, sessions and tokens. No role reads or writes them but by functions."""

TABLES = """
CREATE TABLE people (
    user_id text PRIMARY KEY,
    name text NOT NULL,
    display_name text NOT NULL,
    password_hash text,
    may_enrol boolean NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    disabled_at timestamptz,
    disabled_by text
);
-- A name may be given anew, to somebody else with another id, once its holder has left.
CREATE UNIQUE INDEX people_by_name ON people (name) WHERE disabled_at IS NULL;

CREATE TABLE person_grants (
    user_id text NOT NULL REFERENCES people,
    role text NOT NULL CHECK (
        role IN ('director', 'operator', 'auditor', 'platform_administrator')),
    scope text NOT NULL,
    granted_at timestamptz NOT NULL,
    granted_by text NOT NULL,
    PRIMARY KEY (user_id, role, scope)
);

-- ``secret`` is sealed under a key that is not in the database.
CREATE TABLE person_factors (
    factor_id text PRIMARY KEY,
    user_id text NOT NULL REFERENCES people,
    kind text NOT NULL CHECK (kind IN ('totp', 'passkey')),
    label text NOT NULL,
    secret text,
    credential_id text,
    public_key text,
    sign_count bigint,
    last_step bigint,
    created_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    last_used_at timestamptz,
    removed_at timestamptz,
    CHECK ((kind = 'totp') = (secret IS NOT NULL)),
    CHECK ((kind = 'passkey') = (credential_id IS NOT NULL AND public_key IS NOT NULL))
);
CREATE UNIQUE INDEX person_factors_by_credential ON person_factors (credential_id)
    WHERE removed_at IS NULL;
CREATE INDEX person_factors_of ON person_factors (user_id);

CREATE TABLE recovery_codes (
    user_id text NOT NULL REFERENCES people,
    code_hash text NOT NULL,
    created_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (user_id, code_hash)
);

CREATE TABLE person_sessions (
    session_hash text PRIMARY KEY,
    session_id text NOT NULL,
    user_id text NOT NULL REFERENCES people,
    standing text NOT NULL CHECK (standing IN ('pending', 'full')),
    may_enrol boolean NOT NULL,
    opened_at timestamptz NOT NULL,
    used_at timestamptz NOT NULL,
    address text NOT NULL,
    agent text NOT NULL,
    challenge text,
    revoked_at timestamptz,
    revoked_by text
);
CREATE INDEX person_sessions_of ON person_sessions (user_id) WHERE revoked_at IS NULL;

CREATE TABLE step_ups (
    step_up_id text PRIMARY KEY,
    user_id text NOT NULL REFERENCES people,
    session_id text NOT NULL,
    purpose text NOT NULL,
    subject text NOT NULL,
    content text NOT NULL,
    nonce text NOT NULL,
    challenge text NOT NULL,
    asked_at timestamptz NOT NULL,
    method text CHECK (method IN ('totp', 'passkey')),
    evidence jsonb,
    reference_hash text UNIQUE,
    confirmed_at timestamptz,
    used_at timestamptz,
    used_for text
);

CREATE TABLE access_tokens (
    token_id text PRIMARY KEY,
    token_hash text NOT NULL UNIQUE,
    user_id text NOT NULL REFERENCES people,
    label text NOT NULL,
    scopes text[] NOT NULL,
    accounts text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz,
    revoked_by text,
    CHECK (expires_at > created_at AND expires_at <= created_at + interval '90 days')
);

CREATE TABLE enrolments (
    link_hash text PRIMARY KEY,
    purpose text NOT NULL CHECK (purpose IN ('first', 'invitation', 'reset', 'recovery')),
    user_id text REFERENCES people,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CHECK ((purpose = 'first') = (user_id IS NULL))
);

CREATE TABLE recoveries (
    recovery_id text PRIMARY KEY,
    user_id text NOT NULL REFERENCES people,
    asked_at timestamptz NOT NULL,
    asked_by text NOT NULL,
    effective_at timestamptz NOT NULL,
    kill_switch integer,
    cancelled_at timestamptz,
    cancelled_by text,
    used_at timestamptz
);

CREATE TABLE sign_in_failures (
    bucket text PRIMARY KEY,
    failures timestamptz[] NOT NULL
);

REVOKE ALL ON people, person_grants, person_factors, recovery_codes, person_sessions, step_ups,
    access_tokens, enrolments, recoveries, sign_in_failures
    FROM aether_api, aether_reader, aether_admin;
-- Counters of the API's own, which grant nobody anything.
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_failures TO aether_api;
"""
