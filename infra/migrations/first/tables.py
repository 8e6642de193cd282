"""Tables, keys and indexes. Money is NUMERIC, moments carry their zone."""

ACCOUNTS = """
CREATE TABLE platform_settings (
    name text PRIMARY KEY,
    value text NOT NULL
);
CREATE TABLE accounts (
    account_id text PRIMARY KEY
        CHECK (account_id ~ '^[a-z0-9][a-z0-9-]{0,62}$' AND account_id <> 'platform'),
    kind text NOT NULL CHECK (kind IN ('company', 'director')),
    installation text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('simulated', 'live')),
    protection text NOT NULL CHECK (protection IN ('attached', 'separate')),
    strategies text[] NOT NULL,
    limits jsonb NOT NULL,
    halts jsonb NOT NULL DEFAULT '[]',
    next_trade integer NOT NULL DEFAULT 1 CHECK (next_trade > 0),
    closed_trades integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE TABLE balances (
    account_id text NOT NULL REFERENCES accounts,
    asset text NOT NULL,
    total numeric NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, asset)
);
CREATE TABLE nav_marks (
    account_id text NOT NULL REFERENCES accounts,
    at timestamptz NOT NULL,
    equity numeric NOT NULL,
    cash numeric NOT NULL,
    PRIMARY KEY (account_id, at)
);
CREATE TABLE api_tokens (
    name text PRIMARY KEY,
    role text NOT NULL,
    token_hash text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE TABLE requests (
    account_id text NOT NULL,
    idempotency_key text NOT NULL,
    body_hash text NOT NULL,
    status integer,
    response jsonb,
    created_at timestamptz NOT NULL,
    answered_at timestamptz,
    PRIMARY KEY (account_id, idempotency_key)
);
-- One key belongs to one account (A-3): the fingerprint alone is the primary key.
CREATE TABLE api_key_nonces (
    account_id text NOT NULL REFERENCES accounts,
    key_fingerprint text PRIMARY KEY,
    high_water bigint NOT NULL
);
"""

TRADING = """
CREATE TABLE trades (
    account_id text NOT NULL REFERENCES accounts,
    number integer NOT NULL,
    symbol text NOT NULL,
    phase text NOT NULL,
    source text NOT NULL,
    protection text NOT NULL,
    entry_client_order_id text NOT NULL,
    quantity numeric NOT NULL,
    reference_price numeric NOT NULL,
    stop_price numeric NOT NULL,
    take_profit_price numeric,
    trailing_distance numeric,
    trailed boolean NOT NULL,
    bought numeric NOT NULL,
    sold numeric NOT NULL,
    average_entry_price numeric,
    average_exit_price numeric,
    fees numeric NOT NULL,
    cash_flow numeric NOT NULL,
    pnl numeric,
    slippage numeric NOT NULL,
    exit_reason text,
    protected_quantity numeric NOT NULL,
    unprotected_since timestamptz,
    unprotected_seconds numeric NOT NULL DEFAULT 0,
    verdict jsonb,
    refusals jsonb NOT NULL DEFAULT '[]',
    decided_at timestamptz NOT NULL,
    requested_at timestamptz NOT NULL,
    opened_at timestamptz,
    closed_at timestamptz,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, number)
);
CREATE INDEX trades_unsettled ON trades (account_id) WHERE phase <> 'settled';
CREATE TABLE orders (
    account_id text NOT NULL REFERENCES accounts,
    client_order_id text NOT NULL,
    userref integer NOT NULL,
    trade integer NOT NULL,
    leg text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    order_type text NOT NULL,
    quantity numeric NOT NULL CHECK (quantity > 0 AND quantity <> 'NaN'),
    limit_price numeric,
    trigger_price numeric,
    spec jsonb NOT NULL,
    status text NOT NULL,
    order_id text,
    parent_order_id text,
    filled_quantity numeric NOT NULL DEFAULT 0,
    average_price numeric NOT NULL DEFAULT 0,
    cost numeric NOT NULL DEFAULT 0,
    fee numeric NOT NULL DEFAULT 0,
    reason text,
    sends integer NOT NULL DEFAULT 0,
    intended_at timestamptz NOT NULL,
    sent_at timestamptz,
    acknowledged_at timestamptz,
    ended_at timestamptz,
    opened_at timestamptz,
    closed_at timestamptz,
    PRIMARY KEY (account_id, client_order_id),
    UNIQUE (account_id, order_id)
);
CREATE INDEX orders_of_trade ON orders (account_id, trade);
CREATE INDEX orders_not_final ON orders (account_id)
    WHERE status IN ('intended', 'unknown', 'pending', 'open');
CREATE INDEX orders_without_order_id ON orders (account_id, userref) WHERE order_id IS NULL;
CREATE TABLE fills (
    account_id text NOT NULL REFERENCES accounts,
    execution_id text NOT NULL,
    order_id text NOT NULL,
    trade integer,
    symbol text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    quantity numeric NOT NULL,
    price numeric NOT NULL,
    cost numeric NOT NULL,
    fee numeric NOT NULL,
    maker boolean NOT NULL,
    exchange_time timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    delivered_at timestamptz,
    PRIMARY KEY (account_id, execution_id)
);
CREATE INDEX fills_of_order ON fills (account_id, order_id);
CREATE INDEX fills_of_trade ON fills (account_id, trade);
CREATE INDEX fills_undelivered ON fills (account_id) WHERE delivered_at IS NULL;
CREATE TABLE ideas (
    account_id text NOT NULL REFERENCES accounts,
    idea_id text NOT NULL,
    strategy text NOT NULL,
    strategy_version text NOT NULL,
    symbol text NOT NULL,
    bar_start timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    stop_price numeric NOT NULL,
    take_profit_price numeric,
    trailing_distance numeric,
    expected_move numeric NOT NULL,
    reasons jsonb NOT NULL,
    allowed boolean NOT NULL,
    verdict jsonb NOT NULL,
    trade integer,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, idea_id)
);
CREATE TABLE price_watches (
    account_id text NOT NULL REFERENCES accounts,
    watch_id text NOT NULL,
    trade integer NOT NULL,
    symbol text NOT NULL,
    kind text NOT NULL,
    direction text NOT NULL,
    level numeric NOT NULL,
    created_at timestamptz NOT NULL,
    triggered_at timestamptz,
    triggered_price numeric,
    PRIMARY KEY (account_id, watch_id)
);
CREATE INDEX price_watches_of_trade ON price_watches (account_id, trade);
CREATE TABLE reconciliations (
    account_id text NOT NULL REFERENCES accounts,
    number bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL,
    clean boolean NOT NULL,
    differences jsonb NOT NULL,
    PRIMARY KEY (account_id, number)
);
CREATE TABLE checkpoints (
    account_id text PRIMARY KEY REFERENCES accounts,
    complete_until timestamptz NOT NULL
);
"""

MARKET = """
CREATE TABLE candles (
    symbol text NOT NULL,
    interval_minutes integer NOT NULL,
    start timestamptz NOT NULL,
    open numeric NOT NULL,
    high numeric NOT NULL,
    low numeric NOT NULL,
    close numeric NOT NULL,
    volume numeric NOT NULL,
    trades integer NOT NULL DEFAULT 0,
    PRIMARY KEY (symbol, interval_minutes, start)
);
CREATE TABLE market_snapshots (
    symbol text PRIMARY KEY,
    bid numeric NOT NULL,
    ask numeric NOT NULL,
    last numeric NOT NULL,
    observed_at timestamptz NOT NULL,
    average_true_range numeric,
    volatility numeric,
    depth_quantity numeric,
    stale boolean NOT NULL
);
"""

GOVERNANCE = """
CREATE TABLE kill_switches (
    number integer PRIMARY KEY,
    accounts text[] NOT NULL,
    flatten boolean NOT NULL,
    reason text NOT NULL,
    engaged_by text NOT NULL,
    engaged_at timestamptz NOT NULL,
    acknowledged jsonb NOT NULL DEFAULT '{}',
    lifted_by text,
    lifted_at timestamptz
);
CREATE INDEX kill_switches_engaged ON kill_switches (number) WHERE lifted_at IS NULL;
CREATE SEQUENCE kill_switch_numbers AS integer;
CREATE TABLE audit_log (
    account_id text NOT NULL CHECK (account_id <> ''),
    sequence bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    details jsonb NOT NULL,
    correlation text NOT NULL,
    previous_hash text NOT NULL,
    hash text NOT NULL,
    PRIMARY KEY (account_id, sequence)
);
CREATE INDEX audit_log_correlation ON audit_log (account_id, correlation);
CREATE TABLE audit_heads (
    account_id text PRIMARY KEY CHECK (account_id <> ''),
    sequence bigint NOT NULL,
    hash text NOT NULL
);
"""

# Chunks of a week of bars; the extension is made by whoever made the database (a superuser).
HYPERTABLES = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        PERFORM create_hypertable('candles', by_range('start', INTERVAL '7 days'));
        PERFORM create_hypertable('nav_marks', by_range('at', INTERVAL '7 days'));
    END IF;
END
$$
"""
