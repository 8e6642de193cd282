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
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    counted integer;
BEGIN
    PERFORM set_config('aether.account_id', p_account, true);
    UPDATE orders SET sends = sends + 1, sent_at = p_at
        WHERE account_id = p_account AND client_order_id = p_client_order_id
        RETURNING sends INTO counted;
    RETURN counted;
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

FILLS = """
CREATE FUNCTION record_fills(p_account text, p_fills jsonb) RETURNS SETOF text
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('aether.account_id', p_account, true);
    RETURN QUERY
        INSERT INTO fills (account_id, execution_id, order_id, trade, symbol, side, quantity,
            price, cost, fee, maker, exchange_time)
        SELECT p_account, f.execution_id, f.order_id, o.trade, f.symbol, f.side, f.quantity,
            f.price, f.cost, f.fee, f.maker, f.exchange_time
        FROM jsonb_to_recordset(p_fills) AS f(execution_id text, order_id text, symbol text,
            side text, quantity numeric, price numeric, cost numeric, fee numeric, maker boolean,
            exchange_time timestamptz)
        LEFT JOIN orders o ON o.account_id = p_account AND o.order_id = f.order_id
        ON CONFLICT (account_id, execution_id) DO NOTHING
        RETURNING execution_id;
END
$$;

CREATE FUNCTION owner_of_order(
    p_account text, p_order_id text, p_client_order_id text, p_parent text, p_userref integer,
    OUT trade integer, OUT client_order_id text
) LANGUAGE plpgsql AS $$
DECLARE
    entry orders;
BEGIN
    PERFORM set_config('aether.account_id', p_account, true);
    SELECT * INTO entry FROM orders o WHERE o.account_id = p_account AND o.order_id = p_order_id;
    IF NOT FOUND AND p_client_order_id IS NOT NULL THEN
        SELECT * INTO entry FROM orders o
            WHERE o.account_id = p_account AND o.client_order_id = p_client_order_id;
    END IF;
    IF entry.account_id IS NULL AND p_parent IS NOT NULL THEN
        SELECT * INTO entry FROM orders o
            WHERE o.account_id = p_account AND o.order_id = p_parent;
        entry.parent_order_id := p_parent;
    ELSIF entry.account_id IS NULL AND p_userref IS NOT NULL THEN
        -- An entry with a conditional close carries no client order id (Kraken refuses both).
        SELECT * INTO entry FROM orders o
            WHERE o.account_id = p_account AND o.userref = p_userref AND o.order_id IS NULL
            ORDER BY o.intended_at DESC LIMIT 1;
    END IF;
    trade := entry.trade;
    client_order_id := CASE WHEN entry.parent_order_id IS NULL THEN entry.client_order_id END;
END
$$;
"""

REPORTS = """
-- Returns the order that a report speaks of; a child of a conditional close is added on sight.
CREATE FUNCTION order_of_report(p_account text, report jsonb, p_at timestamptz) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    found_id text;
BEGIN
    SELECT client_order_id INTO found_id FROM orders
        WHERE account_id = p_account AND order_id = report->>'order_id';
    IF found_id IS NULL AND report->>'client_order_id' IS NOT NULL THEN
        -- With another exchange id it would be a second order for one intent: that is left for the
        -- reconciliation to find.
        SELECT client_order_id INTO found_id FROM orders
            WHERE account_id = p_account AND client_order_id = report->>'client_order_id'
              AND order_id IS NULL;
    ELSIF found_id IS NULL AND report->>'parent_order_id' IS NOT NULL THEN
        INSERT INTO orders (account_id, client_order_id, userref, trade, leg, symbol, side,
            order_type, quantity, limit_price, trigger_price, spec, status, order_id,
            parent_order_id, intended_at, acknowledged_at)
        SELECT p_account, report->>'order_id', COALESCE((report->>'userref')::integer, 0),
            parent.trade, 'stop', report->>'symbol', report->>'side', report->>'order_type',
            (report->>'quantity')::numeric, (report->>'limit_price')::numeric,
            (report->>'trigger_price')::numeric,
            jsonb_build_object('account', p_account, 'trade', parent.trade, 'leg', 'stop',
                'client_order_id', report->>'order_id',
                'userref', COALESCE((report->>'userref')::integer, 0),
                'symbol', report->>'symbol', 'side', report->>'side',
                'order_type', report->>'order_type', 'quantity', report->>'quantity',
                'limit_price', report->>'limit_price', 'trigger_price', report->>'trigger_price'),
            'pending', report->>'order_id', report->>'parent_order_id', p_at, p_at
        FROM orders parent
        WHERE parent.account_id = p_account AND parent.order_id = report->>'parent_order_id'
        ON CONFLICT DO NOTHING
        RETURNING client_order_id INTO found_id;
    ELSIF found_id IS NULL AND report->>'userref' IS NOT NULL THEN
        SELECT client_order_id INTO found_id FROM orders
            WHERE account_id = p_account AND userref = (report->>'userref')::integer
              AND order_id IS NULL AND symbol = report->>'symbol' AND side = report->>'side'
            ORDER BY intended_at DESC LIMIT 1;
    END IF;
    RETURN found_id;
END
$$;

-- The exchange's word overrides our own conclusion that an order does not exist (rank 4).
CREATE FUNCTION record_reports(p_account text, p_reports jsonb, p_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    report jsonb;
    found_id text;
    reported_rank integer;
BEGIN
    PERFORM set_config('aether.account_id', p_account, true);
    FOR report IN SELECT * FROM jsonb_array_elements(p_reports) LOOP
        found_id := order_of_report(p_account, report, p_at);
        CONTINUE WHEN found_id IS NULL;
        reported_rank := order_status_rank(report->>'status');
        UPDATE orders SET
            order_id = report->>'order_id',
            acknowledged_at = COALESCE(acknowledged_at, p_at),
            opened_at = COALESCE((report->>'opened_at')::timestamptz, opened_at)
            WHERE account_id = p_account AND client_order_id = found_id;
        -- Reports may arrive late: older figures never replace newer ones.
        UPDATE orders SET
            status = report->>'status',
            quantity = COALESCE(NULLIF((report->>'quantity')::numeric, 0), quantity),
            limit_price = COALESCE((report->>'limit_price')::numeric, limit_price),
            trigger_price = COALESCE((report->>'trigger_price')::numeric, trigger_price),
            filled_quantity = (report->>'filled_quantity')::numeric,
            average_price = (report->>'average_price')::numeric,
            cost = (report->>'cost')::numeric,
            fee = (report->>'fee')::numeric,
            closed_at = COALESCE((report->>'closed_at')::timestamptz, closed_at),
            ended_at = CASE WHEN reported_rank >= 4 THEN COALESCE(ended_at, p_at) END,
            reason = COALESCE(report->>'reason', reason)
            WHERE account_id = p_account AND client_order_id = found_id
              AND (report->>'filled_quantity')::numeric >= filled_quantity
              AND (reported_rank >= order_status_rank(status)
                   OR order_status_rank(status) = 4);
        UPDATE fills f SET trade = o.trade FROM orders o
            WHERE f.account_id = p_account AND f.order_id = report->>'order_id'
              AND f.trade IS NULL
              AND o.account_id = p_account AND o.client_order_id = found_id;
    END LOOP;
END
$$;
"""

EQUITY = """
-- One account after the other, each in its own scope; the scope is closed again at the end. An
-- account that holds an asset without a price is left out: a mark without it would be a loss.
CREATE FUNCTION mark_equity(p_at timestamptz) RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    account text;
    marked integer := 0;
    added integer;
BEGIN
    FOR account IN SELECT account_ids() LOOP
        PERFORM set_config('aether.account_id', account, true);
        INSERT INTO nav_marks (account_id, at, equity, cash)
        SELECT account, date_trunc('minute', p_at),
            sum(CASE WHEN b.asset = 'USD' THEN b.total
                ELSE b.total * (s.bid + s.ask) / 2 END),
            COALESCE(sum(b.total) FILTER (WHERE b.asset = 'USD'), 0)
        FROM balances b LEFT JOIN market_snapshots s ON s.symbol = b.asset || '/USD'
        WHERE b.account_id = account AND b.total <> 0
        HAVING count(*) > 0 AND bool_and(b.asset = 'USD' OR s.symbol IS NOT NULL)
        ON CONFLICT (account_id, at) DO NOTHING;
        GET DIAGNOSTICS added = ROW_COUNT;
        marked := marked + added;
    END LOOP;
    PERFORM set_config('aether.account_id', '', true);
    RETURN marked;
END
$$;
"""

DIRECTORY = """
-- Names only, so that a process can go through the accounts one by one, each in its own scope.
CREATE FUNCTION account_ids() RETURNS SETOF text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT account_id FROM accounts ORDER BY created_at, account_id
$$;
"""
