"""Keep every movement of an asset with its value, in the transaction of the execution or flow.

Revision ID: 0016_lots
Revises: 0015_slippage
"""

from alembic import op

from infra.migrations.first.security import ISOLATION

revision = "0016_lots"
down_revision = "0015_slippage"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE asset_movements (
    account_id text NOT NULL REFERENCES accounts,
    movement_id text NOT NULL,
    mode text NOT NULL,
    at timestamptz NOT NULL,
    asset text NOT NULL,
    quantity numeric NOT NULL CHECK (quantity > 0),
    usd numeric,
    kind text NOT NULL CHECK (kind IN ('bought', 'sold', 'brought_in', 'taken_out')),
    PRIMARY KEY (account_id, movement_id)
);
CREATE INDEX asset_movements_by_time ON asset_movements (account_id, mode, at);
"""

# A flow of no value has none that is known: income is booked at zero, so that it counts as profit,
# and so is what no pair values. Neither came in for nothing.
FEED = """
CREATE FUNCTION move_by_fill(f fills) RETURNS void LANGUAGE sql AS $$
    INSERT INTO asset_movements (account_id, movement_id, mode, at, asset, quantity, usd, kind)
    SELECT f.account_id, f.execution_id, a.mode, f.exchange_time, split_part(f.symbol, '/', 1),
        f.quantity, CASE f.side WHEN 'buy' THEN f.cost + f.fee ELSE f.cost - f.fee END,
        CASE f.side WHEN 'buy' THEN 'bought' ELSE 'sold' END
    FROM accounts a WHERE a.account_id = f.account_id AND f.quantity > 0
    ON CONFLICT (account_id, movement_id) DO NOTHING
$$;

CREATE FUNCTION move_by_flow(f capital_flows) RETURNS void LANGUAGE sql AS $$
    INSERT INTO asset_movements (account_id, movement_id, mode, at, asset, quantity, usd, kind)
    SELECT f.account_id, f.flow_id, a.mode, f.at, f.asset, abs(f.amount),
        CASE WHEN f.amount > 0 AND f.value > 0 THEN f.value END,
        CASE WHEN f.amount > 0 THEN 'brought_in' ELSE 'taken_out' END
    FROM accounts a WHERE a.account_id = f.account_id AND f.asset <> 'USD' AND f.amount <> 0
    ON CONFLICT (account_id, movement_id) DO NOTHING
$$;

CREATE FUNCTION feed_lots() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'fills' THEN
        PERFORM move_by_fill(NEW);
    ELSE
        PERFORM move_by_flow(NEW);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER feed_lots AFTER INSERT ON fills FOR EACH ROW EXECUTE FUNCTION feed_lots();
CREATE TRIGGER feed_lots AFTER INSERT ON capital_flows FOR EACH ROW EXECUTE FUNCTION feed_lots();
"""

# What is there already, one account after the other, each in its own scope.
BEFORE = """
DO $$
DECLARE
    account text;
BEGIN
    FOR account IN SELECT account_ids() LOOP
        PERFORM set_config('aether.account_id', account, true);
        PERFORM move_by_fill(f) FROM fills f WHERE f.account_id = account;
        PERFORM move_by_flow(f) FROM capital_flows f WHERE f.account_id = account;
    END LOOP;
    PERFORM set_config('aether.account_id', '', true);
END
$$;
"""

GRANTS = """
GRANT SELECT, INSERT ON asset_movements TO aether_app;
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(ISOLATION.format(table="asset_movements"))
    op.execute(FEED)
    op.execute(BEFORE)
    op.execute(GRANTS)
