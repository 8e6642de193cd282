"""Keep what could not be written to the record, with the reason, until somebody has dealt with it.

Revision ID: 0013_quarantined_writes
Revises: 0012_restoration
"""

from alembic import op

from infra.migrations.first.security import ISOLATION

revision = "0013_quarantined_writes"
down_revision = "0012_restoration"
branch_labels = None
depends_on = None

# ``content`` is JSON in ASCII: characters that the record cannot hold are escaped in it.
TABLE = """
CREATE TABLE quarantined_writes (
    account_id text NOT NULL,
    write_id text NOT NULL,
    step text NOT NULL,
    reason text NOT NULL,
    content text NOT NULL,
    at timestamptz NOT NULL,
    settled_by text,
    settled_at timestamptz,
    PRIMARY KEY (account_id, write_id)
);
"""

# Whose requests lapse: names only, for tokens themselves are read by functions alone.
REVOKED = """
CREATE FUNCTION revoked_people() RETURNS SETOF text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT name FROM api_tokens WHERE revoked_at IS NOT NULL
$$;
REVOKE EXECUTE ON FUNCTION revoked_people() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION revoked_people() TO aether_api, aether_app;
"""

GRANTS = """
GRANT SELECT, INSERT ON quarantined_writes TO aether_app;
GRANT UPDATE (settled_by, settled_at) ON quarantined_writes TO aether_admin;
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(ISOLATION.format(table="quarantined_writes"))
    op.execute(REVOKED)
    op.execute(GRANTS)
