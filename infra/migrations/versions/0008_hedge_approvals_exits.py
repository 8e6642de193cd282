"""Keep requests for approval, the hedge's history, and every exit of a trade.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

from infra.migrations.first import security

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

APPROVALS = """
CREATE TABLE approvals (
    account_id text NOT NULL,
    approval_id text NOT NULL,
    subject text NOT NULL,
    requested_by text NOT NULL,
    detail text NOT NULL,
    requested_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    value numeric,
    reference_price numeric,
    stop_price numeric,
    price_tolerance numeric NOT NULL,
    symbol text,
    trade integer,
    status text NOT NULL
        CHECK (status IN ('pending', 'approved', 'refused', 'expired', 'outdated')),
    decided_by text,
    decided_at timestamptz,
    reason text NOT NULL DEFAULT '',
    outcome_code text,
    outcome_detail text,
    PRIMARY KEY (account_id, approval_id),
    CHECK (decided_by IS NULL OR status <> 'approved' OR decided_by <> requested_by)
);
CREATE INDEX approvals_pending ON approvals (account_id) WHERE status = 'pending';
"""

HEDGE = """
CREATE TABLE hedge_reviews (
    account_id text NOT NULL REFERENCES accounts,
    review_id text NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL,
    decided_at timestamptz NOT NULL,
    cause text NOT NULL,
    target numeric,
    automatic_target numeric,
    actual numeric NOT NULL,
    equity numeric NOT NULL,
    volatility numeric,
    drawdown numeric NOT NULL,
    override_share numeric,
    override_author text,
    override_reason text,
    override_expires_at timestamptz,
    move text,
    value numeric NOT NULL,
    reason text NOT NULL,
    trades jsonb NOT NULL DEFAULT '[]',
    fees numeric NOT NULL,
    turnover numeric NOT NULL,
    lacking jsonb NOT NULL DEFAULT '{}',
    profit numeric,
    PRIMARY KEY (account_id, review_id)
);
CREATE INDEX hedge_reviews_by_number ON hedge_reviews (account_id, number);
"""

EXITS = """
ALTER TABLE price_watches ADD COLUMN due_at timestamptz;
ALTER TABLE trades
    ADD COLUMN exits jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN partials_taken integer NOT NULL DEFAULT 0,
    ADD COLUMN hedge_sold numeric NOT NULL DEFAULT 0;
"""


def upgrade() -> None:
    for statements in (APPROVALS, HEDGE, EXITS):
        op.execute(statements)
    for table in ("approvals", "hedge_reviews"):
        op.execute(security.ISOLATION.format(table=table))
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO aether_app")
