"""Have two people behind a live key, behind what goes live, and behind a recovered director.

Revision ID: 0040_approved_keys
Revises: 0039_seen_by_people
"""

from alembic import op

from infra.migrations.governance.keys import APPROVED_KEYS
from infra.migrations.people.recovered import RECOVERED

revision = "0040_approved_keys"
down_revision = "0039_seen_by_people"
branch_labels = None
depends_on = None
expand_only = True


TERMS = """
ALTER TABLE going_live_requests ADD COLUMN approved_key text, ADD COLUMN approved_limits integer;
GRANT UPDATE (approved_key, approved_limits) ON going_live_requests TO aether_app;
"""


def upgrade() -> None:
    op.execute(APPROVED_KEYS)
    op.execute(TERMS)
    op.execute(RECOVERED)
