"""Keep what the workflows of accounts and trades know, so that one that ended can be restored.

Revision ID: 0012_restoration
Revises: 0011_protection_waiting
"""

from alembic import op

from infra.migrations.first.security import ISOLATION

revision = "0012_restoration"
down_revision = "0011_protection_waiting"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE account_states (
    account_id text PRIMARY KEY REFERENCES accounts,
    state jsonb NOT NULL,
    at timestamptz NOT NULL
);
CREATE TABLE trade_states (
    account_id text NOT NULL REFERENCES accounts,
    number integer NOT NULL,
    state jsonb NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (account_id, number)
);
"""

# Every trade that has not come to its end, of all accounts: one question instead of one for each.
# With those of which nothing but their entry's intent was recorded: among the newest, or all.
FUNCTIONS = """
CREATE FUNCTION unsettled_trades(p_all boolean)
RETURNS TABLE (account_id text, number integer)
LANGUAGE plpgsql AS $$
DECLARE
    name text;
    newest integer;
BEGIN
    FOR name IN SELECT account_ids() LOOP
        PERFORM set_config('aether.account_id', name, true);
        RETURN QUERY
            SELECT t.account_id, t.number FROM trades t
            WHERE t.account_id = name AND t.phase <> 'settled';
        SELECT coalesce(max(t.number), 0) - 200 INTO newest FROM trades t
            WHERE t.account_id = name;
        RETURN QUERY
            SELECT o.account_id, o.trade FROM orders o
            WHERE o.account_id = name AND o.leg = 'entry' AND (p_all OR o.trade > newest)
              AND o.status NOT IN ('rejected', 'not_placed')
              AND o.intended_at < clock_timestamp() - interval '2 seconds'
              AND NOT EXISTS (SELECT FROM trades t
                  WHERE t.account_id = name AND t.number = o.trade);
    END LOOP;
    PERFORM set_config('aether.account_id', '', true);
END
$$;
REVOKE EXECUTE ON FUNCTION unsettled_trades(boolean) FROM PUBLIC;
"""

GRANTS = """
GRANT EXECUTE ON FUNCTION unsettled_trades(boolean) TO aether_app;
GRANT SELECT, INSERT, UPDATE ON account_states, trade_states TO aether_app;
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in ("account_states", "trade_states"):
        op.execute(ISOLATION.format(table=table))
    op.execute(FUNCTIONS)
    op.execute(GRANTS)
