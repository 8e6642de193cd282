"""Keep what could not be written to the record, with the reason, until somebody has dealt with it.

Revision ID: quarantined_writes
Revises: 0009
"""

from alembic import op

from infra.migrations.first.security import ISOLATION

revision = "quarantined_writes"
down_revision = "0009"
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

GRANTS = """
GRANT SELECT, INSERT ON quarantined_writes TO aether_app;
GRANT UPDATE (settled_by, settled_at) ON quarantined_writes TO aether_app;
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(ISOLATION.format(table="quarantined_writes"))
    op.execute(GRANTS)
