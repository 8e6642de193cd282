"""Write down each opening of the locked hold-out; let the watch know what a model's trades cost.

Revision ID: 0036_holdout
Revises: 0035_proven_approvals
"""

from alembic import op

revision = "0036_holdout"
down_revision = "0035_proven_approvals"
branch_labels = None
depends_on = None
expand_only = True

TABLE = """
CREATE TABLE holdout_openings (
    release text PRIMARY KEY, run_id text NOT NULL REFERENCES training_runs,
    data_hash text NOT NULL, begins timestamptz NOT NULL, ends timestamptz NOT NULL,
    decisions integer NOT NULL, trades integer NOT NULL, stressed numeric NOT NULL,
    sharpe numeric NOT NULL, detectable numeric, earlier integer NOT NULL,
    reason text NOT NULL, opened_at timestamptz NOT NULL);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON holdout_openings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT, INSERT ON holdout_openings TO aether_learning;
"""

# The watch sees no account's trades, only what those of one model have cost: fees and slippage for
# each USD traded. A trade whose slippage was not measured is left out: it is not known, not free.
COSTS = """
CREATE FUNCTION costs_of_model(p_model text, p_since timestamptz) RETURNS SETOF double precision
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE account text; before text := current_setting('aether.account_id', true);
BEGIN
    FOR account IN SELECT account_ids() LOOP
        PERFORM set_config('aether.account_id', account, true);
        RETURN QUERY SELECT ((t.fees + t.slippage)
                / (t.bought * t.average_entry_price + t.sold * t.average_exit_price))::float8
            FROM ideas i JOIN trades t ON t.account_id = i.account_id AND t.number = i.trade
            WHERE i.model = p_model AND t.phase = 'settled' AND t.slippage_unmeasured = 0
                AND t.decided_at >= p_since
                AND t.bought * t.average_entry_price + t.sold * t.average_exit_price > 0;
    END LOOP;
    PERFORM set_config('aether.account_id', coalesce(before, ''), true);
END
$$;
REVOKE EXECUTE ON FUNCTION costs_of_model(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION costs_of_model(text, timestamptz) TO aether_learning;
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(COSTS)
