"""People with roles, second factors, sessions, confirmations and tokens of their own.

Revision ID: 0018_people
Revises: 0017_evidence
"""

from alembic import op

from infra.migrations.people.acting import ACTING
from infra.migrations.people.grants import DIRECTORY, statements
from infra.migrations.people.people import DIRECTORS, PEOPLE
from infra.migrations.people.recovery import RECOVERY
from infra.migrations.people.sessions import FACTORS, SESSIONS, STEP_UPS
from infra.migrations.people.tables import TABLES
from infra.migrations.people.tokens import TOKENS

revision = "0018_people"
down_revision = "0017_evidence"
branch_labels = None
depends_on = None

# People who have left, or hold no role any more in which anybody asks for something, count as those
# whose token was revoked: what they asked for lapses.
REVOKED = """
CREATE OR REPLACE FUNCTION revoked_people() RETURNS SETOF text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT name FROM api_tokens WHERE revoked_at IS NOT NULL
    UNION ALL SELECT 'user/' || user_id FROM people p WHERE disabled_at IS NOT NULL
        OR NOT EXISTS (SELECT FROM person_grants g WHERE g.user_id = p.user_id
            AND g.role IN ('director', 'operator'))
$$;
"""


def upgrade() -> None:
    op.execute(TABLES)
    for part in (ACTING, SESSIONS, FACTORS, STEP_UPS, PEOPLE, TOKENS, RECOVERY):
        op.execute(part)
    for part in (DIRECTORS, DIRECTORY, REVOKED):
        op.execute(part)
    op.execute(statements())
