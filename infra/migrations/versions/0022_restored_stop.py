"""Let the stop of a restored record be lifted only after every account was compared.

Revision ID: 0022_restored_stop
Revises: 0021_ideas_with_weights
"""

from alembic import op

revision = "0022_restored_stop"
down_revision = "0021_ideas_with_weights"
branch_labels = None
depends_on = None

# Both of the API's request and of the workflow's lift: nothing in between can let it pass.
RESTORED = """
ALTER TABLE kill_switches ADD COLUMN after_restore boolean NOT NULL DEFAULT false;

CREATE FUNCTION not_compared_since(p_accounts text[], p_at timestamptz) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    lacking text[] := '{}';
    name text;
    scope text := current_setting('aether.account_id', true);
BEGIN
    FOREACH name IN ARRAY p_accounts LOOP
        PERFORM set_config('aether.account_id', name, true);
        IF NOT EXISTS (
            SELECT FROM (
                SELECT r.at, r.differences FROM reconciliations r
                WHERE r.account_id = name AND r.complete ORDER BY r.number DESC LIMIT 1
            ) newest
            WHERE newest.at > p_at AND newest.differences = '{}'::jsonb
        ) THEN
            lacking := lacking || name;
        END IF;
    END LOOP;
    PERFORM set_config('aether.account_id', coalesce(scope, ''), true);
    RETURN lacking;
END
$$;
REVOKE EXECUTE ON FUNCTION not_compared_since(text[], timestamptz) FROM PUBLIC;

CREATE FUNCTION require_comparison() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lacking text[];
BEGIN
    IF NEW.after_restore AND (NEW.lift_requested_by IS DISTINCT FROM OLD.lift_requested_by
        OR NEW.lifted_at IS DISTINCT FROM OLD.lifted_at)
    THEN
        lacking := not_compared_since(NEW.accounts, NEW.engaged_at);
        IF cardinality(lacking) > 0 THEN
            RAISE EXCEPTION 'not compared with the exchange since the restore: %',
                array_to_string(lacking, ', ') USING ERRCODE = 'AE005';
        END IF;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER compared_before_lift BEFORE UPDATE ON kill_switches
    FOR EACH ROW EXECUTE FUNCTION require_comparison();
"""


def upgrade() -> None:
    op.execute(RESTORED)
