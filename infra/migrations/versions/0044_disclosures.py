"""Record what is exported and decoded, trainings that begin, and changes of payload keys.

Whether factors are still sealed with a key is told to who may forget it.

Revision ID: 0044_disclosures
Revises: 0043_second_price
"""

from alembic import op

from infra.migrations.record.written import append_audit_since

revision = "0044_disclosures"
down_revision = "0043_second_price"
branch_labels = None
depends_on = None
expand_only = True

# The machine's administrator does not see what is sealed, only that a key still has to open some.
SEALED = """
CREATE FUNCTION factors_sealed_with(p_key text) RETURNS integer LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT count(*)::integer FROM person_factors f
    WHERE split_part(f.secret, ':', 1) = p_key AND f.removed_at IS NULL
$$;
REVOKE EXECUTE ON FUNCTION factors_sealed_with(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION factors_sealed_with(text) TO aether_admin;
"""


def upgrade() -> None:
    op.execute(append_audit_since())
    op.execute(SEALED)
