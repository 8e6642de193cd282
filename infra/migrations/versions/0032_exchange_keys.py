"""Know of each exchange key whose it is, who stored it, what it may do and when that was seen.

Revision ID: 0032_exchange_keys
Revises: 0031_event_outbox
"""

from alembic import op

from infra.migrations.first.security import ISOLATION

revision = "0032_exchange_keys"
down_revision = "0031_event_outbox"
branch_labels = None
depends_on = None
expand_only = True

TABLES = """
CREATE TABLE exchange_keys (
    account_id text NOT NULL REFERENCES accounts, mode text NOT NULL, number integer NOT NULL,
    fingerprint text NOT NULL, ending text NOT NULL,
    state text NOT NULL CHECK (state IN ('in_use', 'replaced', 'removed')),
    stored_at timestamptz NOT NULL, stored_by text NOT NULL, ended_at timestamptz,
    permissions text[] NOT NULL, validated_at timestamptz NOT NULL, validation text NOT NULL,
    trading_since timestamptz, reminded_at timestamptz,
    PRIMARY KEY (account_id, mode, number),
    CHECK (mode IN ('simulated', 'live')), CHECK ((state = 'in_use') = (ended_at IS NULL)));
CREATE UNIQUE INDEX one_key_in_use ON exchange_keys (account_id, mode) WHERE state = 'in_use';
"""

# The row of another account is hidden from whoever claims; that there is one is not.
CLAIM = """
CREATE FUNCTION claim_exchange_key(p_account text, p_fingerprint text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO api_key_nonces (account_id, key_fingerprint, high_water)
    VALUES (p_account, p_fingerprint, 0) ON CONFLICT (key_fingerprint) DO NOTHING;
    RETURN EXISTS (SELECT FROM api_key_nonces
        WHERE key_fingerprint = p_fingerprint AND account_id = p_account);
END
$$;
REVOKE EXECUTE ON FUNCTION claim_exchange_key(text, text) FROM PUBLIC;
"""

GRANTS = """
GRANT EXECUTE ON FUNCTION claim_exchange_key(text, text) TO aether_api, aether_app;
GRANT SELECT, INSERT ON exchange_keys TO aether_api, aether_app;
GRANT UPDATE (state, ended_at, permissions, validated_at, validation) ON exchange_keys
    TO aether_api, aether_app;
GRANT UPDATE (trading_since, reminded_at) ON exchange_keys TO aether_app;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(ISOLATION.format(table="exchange_keys"))
    op.execute(CLAIM)
    op.execute(GRANTS)
