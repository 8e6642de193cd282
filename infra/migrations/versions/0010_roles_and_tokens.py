"""Give each process the role that it needs; write tokens, audit and kill switches by functions.

Revision ID: 0010_roles_and_tokens
Revises: 0009
"""

from alembic import op

from infra.migrations.roles.audit import AUDIT
from infra.migrations.roles.grants import GRANTS
from infra.migrations.roles.kill_switches import KILL_SWITCHES
from infra.migrations.roles.requests import REQUESTS
from infra.migrations.roles.tokens import TOKENS

revision = "0010_roles_and_tokens"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statements in (TOKENS, AUDIT, KILL_SWITCHES, REQUESTS, GRANTS):
        op.execute(statements)
