"""Say in the origin of each row of the record which learned model stands behind it.

Revision ID: 0045_model_of_a_row
Revises: 0044_disclosures
"""

from alembic import op

from infra.migrations.record.model import with_model

revision = "0045_model_of_a_row"
down_revision = "0044_disclosures"
branch_labels = None
depends_on = None
expand_only = True


def upgrade() -> None:
    op.execute(with_model())
