"""Functions and triggers of the hot path: one statement, one round trip, one commit."""

ORDERS = """
-- An order never goes back: what is final on the exchange stays final.
CREATE FUNCTION order_status_rank(status text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE status
        WHEN 'intended' THEN 0
        WHEN 'unknown' THEN 1
        WHEN 'pending' THEN 2
        WHEN 'open' THEN 3
        WHEN 'rejected' THEN 4
        WHEN 'not_placed' THEN 4
        ELSE 5
    END
$$;

-- The shared lock is taken exclusively by whoever raises a kill switch: an intent is committed
-- before the flag, and is found among the orders, or it sees the flag.
CREATE FUNCTION store_intent(
    p_account text, p_spec jsonb, p_intended_at timestamptz, p_sending_at timestamptz,
    OUT stored orders, OUT is_new boolean, OUT halted boolean
) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('aether.account_id', p_account, true);
    PERFORM pg_advisory_xact_lock_shared(hashtext('aether.kill_switch'));
    halted := p_spec->>'leg' NOT IN ('stop', 'exit') AND EXISTS (
        SELECT FROM kill_switches WHERE lifted_at IS NULL AND p_account = ANY (accounts));
    IF halted THEN
        p_sending_at := NULL;
    END IF;
    INSERT INTO orders (
        account_id, client_order_id, userref, trade, leg, symbol, side, order_type, quantity,
        limit_price, trigger_price, spec, status, intended_at, sends, sent_at)
    VALUES (
        p_account, p_spec->>'client_order_id', (p_spec->>'userref')::integer,
        (p_spec->>'trade')::integer, p_spec->>'leg', p_spec->>'symbol', p_spec->>'side',
        p_spec->>'order_type', (p_spec->>'quantity')::numeric,
        (p_spec->>'limit_price')::numeric, (p_spec->>'trigger_price')::numeric,
        p_spec, 'intended', p_intended_at,
        CASE WHEN p_sending_at IS NULL THEN 0 ELSE 1 END, p_sending_at)
    ON CONFLICT (account_id, client_order_id) DO NOTHING
    RETURNING * INTO stored;
    is_new := FOUND;
    IF NOT is_new THEN
        SELECT * INTO STRICT stored FROM orders
            WHERE account_id = p_account AND client_order_id = p_spec->>'client_order_id';
        IF stored.spec <> p_spec THEN
            RAISE EXCEPTION 'intent % is stored with another content', stored.client_order_id
                USING ERRCODE = 'AE001';
        END IF;
    END IF;
END
$$;

CREATE FUNCTION mark_sent(p_account text, p_client_order_id text, p_at timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('aether.account_id', p_account, true);
    UPDATE orders SET sends = sends + 1, sent_at = p_at
        WHERE account_id = p_account AND client_order_id = p_client_order_id;
    RETURN FOUND;
END
$$;

CREATE FUNCTION mark_order(
    p_account text, p_client_order_id text, p_status text, p_order_id text, p_at timestamptz,
    p_reason text
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('aether.account_id', p_account, true);
    UPDATE orders SET
        order_id = COALESCE(p_order_id, order_id),
        acknowledged_at = CASE WHEN p_order_id IS NULL THEN acknowledged_at
                          ELSE COALESCE(acknowledged_at, p_at) END,
        ended_at = CASE WHEN order_status_rank(p_status) >= 4 THEN COALESCE(ended_at, p_at)
                   ELSE ended_at END,
        reason = COALESCE(p_reason, reason),
        status = CASE WHEN order_status_rank(p_status) >= order_status_rank(status) THEN p_status
                 ELSE status END
        WHERE account_id = p_account AND client_order_id = p_client_order_id;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF p_order_id IS NOT NULL THEN
        UPDATE fills f SET trade = o.trade FROM orders o
            WHERE f.account_id = p_account AND f.order_id = p_order_id AND f.trade IS NULL
              AND o.account_id = p_account AND o.order_id = p_order_id;
    END IF;
    RETURN true;
END
$$;
"""

WATCHES = """
-- One notification per trade and transaction: PostgreSQL drops equal ones.
CREATE FUNCTION price_watch_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry price_watches := COALESCE(NEW, OLD);
BEGIN
    PERFORM pg_notify('aether_price_watches',
        json_build_object('account', entry.account_id, 'trade', entry.trade)::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER price_watches_changed AFTER INSERT OR DELETE ON price_watches
    FOR EACH ROW EXECUTE FUNCTION price_watch_changed();
"""

DIRECTORY = """
-- Names only, so that a process can go through the accounts one by one, each in its own scope.
CREATE FUNCTION account_ids() RETURNS SETOF text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT account_id FROM accounts ORDER BY created_at, account_id
$$;
"""
