"""Tell streams when a session, a person or a token of theirs has changed.

Revision ID: 0020_session_events
Revises: 0019_record_events
"""

from alembic import op

revision = "0020_session_events"
down_revision = "0019_record_events"
branch_labels = None
depends_on = None

# Not when one was merely used: that is noted with each request.
TRIGGERS = """
CREATE TRIGGER person_sessions_changed AFTER UPDATE OF revoked_at ON person_sessions
    FOR EACH STATEMENT EXECUTE FUNCTION sessions_changed();
CREATE TRIGGER person_grants_changed AFTER INSERT OR UPDATE OR DELETE ON person_grants
    FOR EACH STATEMENT EXECUTE FUNCTION sessions_changed();
CREATE TRIGGER people_changed AFTER UPDATE OF disabled_at ON people
    FOR EACH STATEMENT EXECUTE FUNCTION sessions_changed();
CREATE TRIGGER access_tokens_changed AFTER UPDATE OF revoked_at ON access_tokens
    FOR EACH STATEMENT EXECUTE FUNCTION sessions_changed();
"""


def upgrade() -> None:
    op.execute(TRIGGERS)
