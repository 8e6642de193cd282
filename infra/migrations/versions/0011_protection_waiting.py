"""Tell which positions wait for protection, of all accounts in one call.

Revision ID: 0011_protection_waiting
Revises: 0010_roles_and_tokens
"""

from alembic import op

revision = "0011_protection_waiting"
down_revision = "0010_roles_and_tokens"
branch_labels = None
depends_on = None

WAITING = """
CREATE INDEX fills_bought_by_time ON fills (account_id, recorded_at) WHERE side = 'buy';
CREATE INDEX trades_unprotected ON trades (account_id, number)
    WHERE unprotected_since IS NOT NULL;

-- From two sides, because the trade's own row is written behind its orders when much is to do: a
-- recorded entry fill without any acknowledged order that covers or sells it, and the trades that
-- say of themselves that they are uncovered. The first looks back a quarter of an hour only; until
-- then the trade's row has been written. One account after the other, each in its own scope; what
-- comes out are names and ages, no account's figures.
CREATE FUNCTION positions_waiting_for_protection()
RETURNS TABLE (account_id text, trade integer, seconds double precision) LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    account text;
BEGIN
    FOR account IN SELECT account_ids() LOOP
        PERFORM set_config('aether.account_id', account, true);
        RETURN QUERY
        SELECT account, w.number,
            extract(epoch FROM clock_timestamp() - min(w.since))::double precision
        FROM (
            SELECT f.trade AS number, f.recorded_at AS since
            FROM fills f
            WHERE f.account_id = account AND f.side = 'buy' AND f.trade IS NOT NULL
              AND f.recorded_at > clock_timestamp() - interval '15 minutes'
              AND NOT EXISTS (
                  SELECT 1 FROM orders o
                  WHERE o.account_id = account AND o.trade = f.trade
                    AND o.leg <> 'entry' AND o.order_id IS NOT NULL)
              AND NOT EXISTS (
                  SELECT 1 FROM trades t
                  WHERE t.account_id = account AND t.number = f.trade
                    AND (t.phase = 'settled' OR (t.unprotected_since IS NULL AND t.bought > 0)))
            UNION ALL
            SELECT t.number, t.unprotected_since
            FROM trades t
            WHERE t.account_id = account AND t.unprotected_since IS NOT NULL
              AND t.phase <> 'settled'
        ) w
        GROUP BY w.number;
    END LOOP;
    PERFORM set_config('aether.account_id', '', true);
END
$$;
REVOKE EXECUTE ON FUNCTION positions_waiting_for_protection() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION positions_waiting_for_protection() TO aether_app, aether_api;
"""


def upgrade() -> None:
    op.execute(WAITING)
