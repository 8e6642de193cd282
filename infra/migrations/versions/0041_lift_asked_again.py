"""Let a lift that was approved and came to nothing be asked for again.

Revision ID: 0041_lift_asked_again
Revises: 0040_approved_keys
"""

from alembic import op

revision = "0041_lift_asked_again"
down_revision = "0040_approved_keys"
branch_labels = None
depends_on = None
expand_only = True

# As before, and an approval that has not lifted it within two minutes is over too: its workflow
# has ended, and nobody carries it out any more. Who asks anew needs another person anew.
AGAIN = """
CREATE OR REPLACE FUNCTION request_kill_switch_lift(
    p_number integer, p_by text, p_at timestamptz, p_token_hash text, p_approval text,
    p_reason text
) RETURNS jsonb LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    author text := audit_actor(p_by, p_token_hash);
    entry kill_switches;
    status text;
    decided timestamptz;
BEGIN
    SELECT * INTO entry FROM kill_switches WHERE number = p_number FOR UPDATE;
    IF entry.lift_approval IS NOT NULL THEN
        PERFORM set_config('aether.account_id', 'platform', true);
        SELECT a.status, a.decided_at INTO status, decided FROM approvals a
            WHERE a.account_id = 'platform' AND a.approval_id = entry.lift_approval;
    END IF;
    IF entry.lift_approval IS NULL
        OR status IN ('refused', 'withdrawn', 'lapsed', 'expired', 'outdated')
        OR (status = 'approved' AND entry.lifted_at IS NULL
            AND decided < now() - interval '2 minutes')
    THEN
        UPDATE kill_switches SET lift_requested_by = author, lift_requested_at = p_at,
                lift_approval = p_approval, lift_reason = p_reason
            WHERE number = p_number RETURNING * INTO entry;
        PERFORM audit_kill_switch(p_number, entry.accounts, author, 'kill_switch_lift_requested',
            jsonb_build_object('number', p_number::text, 'reason', p_reason,
                'approval', p_approval));
    END IF;
    RETURN jsonb_build_object('by', entry.lift_requested_by, 'at', entry.lift_requested_at,
        'approval', entry.lift_approval, 'reason', entry.lift_reason);
END
$$;
"""


def upgrade() -> None:
    op.execute(AGAIN)
