"""${message}

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}

Policy of every migration
- Compatible with the previous release: processes of both run during a deployment. Add first, fill in
  small batches, switch the code, remove in a later release.
- No long locks. lock_timeout (4 s) and statement_timeout (60 s) are set for every migration: one that
  cannot have its lock fails and is repeated, instead of queueing everybody behind it. New indexes on
  filled tables are made CONCURRENTLY (in an autocommit block); constraints are added NOT VALID and
  validated by the next migration; no volatile defaults on filled tables.
- A table with account_id gets ENABLE and FORCE ROW LEVEL SECURITY and its policy here, and grants
  for aether_app (and aether_market where needed). Nothing ever rewrites audit_log.
- Money is NUMERIC, moments are timestamptz. Forward only: a mistake is corrected by the next one.
"""

from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}
# True when the code of the revision before goes on with these tables: `aether upgrade` can go back.
expand_only = False


def upgrade() -> None:
    ${upgrades if upgrades else "raise NotImplementedError"}
