"""Days, capital flows and baselines of accounts; what the market worker marks equity from.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

from infra.migrations.first.security import ISOLATION

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE accounts ADD COLUMN drawdown jsonb, ADD COLUMN measured_since timestamptz,
    ADD COLUMN day_rule jsonb;
CREATE TABLE trading_days (
    account_id text NOT NULL REFERENCES accounts,
    day date NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz NOT NULL,
    opening_equity numeric NOT NULL,
    closing_equity numeric NOT NULL,
    flows numeric NOT NULL,
    profit numeric NOT NULL,
    profit_share numeric NOT NULL,
    worst_share numeric NOT NULL,
    halted boolean NOT NULL,
    realised numeric,
    unrealised numeric,
    fees numeric,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account_id, closed_at)
);
CREATE TABLE capital_flows (
    account_id text NOT NULL REFERENCES accounts,
    flow_id text NOT NULL,
    asset text NOT NULL,
    amount numeric NOT NULL,
    value numeric NOT NULL,
    at timestamptz NOT NULL,
    source text NOT NULL CHECK (source IN ('ledger', 'by_hand')),
    author text NOT NULL,
    note text NOT NULL,
    noted_at timestamptz,
    value_after numeric,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account_id, flow_id)
);
CREATE INDEX capital_flows_by_time ON capital_flows (account_id, at);
CREATE TABLE nav_baselines (
    account_id text NOT NULL REFERENCES accounts,
    at timestamptz NOT NULL,
    reason text NOT NULL,
    value numeric NOT NULL,
    PRIMARY KEY (account_id, at, reason)
);
CREATE TABLE ledger_marks (
    account_id text PRIMARY KEY REFERENCES accounts,
    read_until timestamptz NOT NULL
);
"""

# The market worker marks all accounts together and may see nothing of them but what they hold.
MARKS = """
CREATE FUNCTION account_holdings() RETURNS TABLE (account text, asset text, total numeric)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT account_ids() LOOP
        PERFORM set_config('aether.account_id', name, true);
        RETURN QUERY SELECT b.account_id, b.asset, b.total FROM balances b
            WHERE b.account_id = name AND b.total <> 0;
    END LOOP;
    PERFORM set_config('aether.account_id', '', true);
END
$$;

CREATE FUNCTION save_equity(p_at timestamptz, p_accounts text[], p_equity numeric[],
    p_cash numeric[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    mark record;
BEGIN
    -- A mark of the last second may be lost in a crash of the server: the next one is due anyway.
    PERFORM set_config('synchronous_commit', 'off', true);
    FOR mark IN SELECT * FROM unnest(p_accounts, p_equity, p_cash) AS m (account, equity, cash) LOOP
        PERFORM set_config('aether.account_id', mark.account, true);
        INSERT INTO nav_marks (account_id, at, equity, cash)
            VALUES (mark.account, date_trunc('minute', p_at), mark.equity, mark.cash)
            ON CONFLICT (account_id, at) DO NOTHING;
    END LOOP;
    PERFORM set_config('aether.account_id', '', true);
END
$$;
DROP FUNCTION mark_equity(timestamptz);
REVOKE EXECUTE ON FUNCTION account_holdings() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION save_equity(timestamptz, text[], numeric[], numeric[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION account_holdings() TO aether_market;
GRANT EXECUTE ON FUNCTION save_equity(timestamptz, text[], numeric[], numeric[]) TO aether_market;
"""

# A day and a flow are written once; only who moved capital may be learned afterwards.
GRANTS = """
GRANT SELECT, INSERT ON trading_days, capital_flows, nav_baselines TO aether_app;
GRANT UPDATE (source, author, note) ON capital_flows TO aether_app;
GRANT SELECT, INSERT, UPDATE ON ledger_marks TO aether_app;
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in ("trading_days", "capital_flows", "nav_baselines", "ledger_marks"):
        op.execute(ISOLATION.format(table=table))
    op.execute(MARKS)
    op.execute(GRANTS)
