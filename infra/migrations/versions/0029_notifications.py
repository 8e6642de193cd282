"""Keep notifications, whom they reach and how they fared, in the hands of a role of their own.

Revision ID: 0029_notifications
Revises: 0027_champions_decide
"""

from alembic import op
from sqlalchemy import text

from infra.migrations.live.events import TRIGGER
from infra.migrations.notifications.tables import (
    ADMIN,
    FUNCTIONS,
    GRANTS,
    GUARD,
    NOTIFIER,
    TABLES,
)

revision = "0029_notifications"
down_revision = "0027_champions_decide"
branch_labels = None
depends_on = None

_ACTOR = "SELECT pg_get_functiondef('audit_actor(text, text)'::regprocedure)"


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    op.execute(GUARD)
    op.execute(GRANTS)
    op.execute(
        TRIGGER.format(table="notifications", topic="notifications", subject="notification_id")
    )
    _let_notifier_write_as_the_platform()


def _let_notifier_write_as_the_platform() -> None:
    """Add the role to the function as it is now, whatever earlier migrations have made of it."""
    connection = op.get_bind()
    function = str(connection.execute(text(_ACTOR)).scalar_one())
    if ADMIN not in function:
        raise RuntimeError("audit_actor is not what this migration knows")
    changed = function.replace(ADMIN, NOTIFIER + ADMIN, 1)
    connection.exec_driver_sql(changed.replace("%", "%%"))
