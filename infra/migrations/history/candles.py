"""Recorded candles of any venue, beside the bars of the market that is traded.

``candles`` are the bars of the installation's own market, by which it decides; on a generated
market they are of a world of their own. What is imported never mixes with them. What a source does
not tell is NULL, never invented. A series' number keeps the key small: rows come by the million.
"""

HISTORY = """
CREATE TABLE history_series (
    series_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    venue text NOT NULL, symbol text NOT NULL, interval_minutes integer NOT NULL,
    UNIQUE (venue, symbol, interval_minutes));
CREATE TABLE history_candles (
    series_id integer NOT NULL,
    start timestamptz NOT NULL,
    open numeric, high numeric, low numeric, close numeric NOT NULL,
    volume numeric, trades integer,
    available_at timestamptz NOT NULL,
    PRIMARY KEY (series_id, start));
CREATE TABLE history_imports (
    import_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    series_id integer NOT NULL REFERENCES history_series,
    digest text NOT NULL, label text NOT NULL, batch_rows integer NOT NULL,
    started_at timestamptz NOT NULL, finished_at timestamptz,
    UNIQUE (series_id, digest));
CREATE TABLE history_batches (
    import_id integer NOT NULL REFERENCES history_imports,
    first_row bigint NOT NULL, rows integer NOT NULL,
    quarantined boolean NOT NULL, new_rows integer NOT NULL,
    gaps integer NOT NULL, absent_bars bigint NOT NULL,
    last_start timestamptz, findings jsonb NOT NULL, accepted_reason text,
    written_at timestamptz NOT NULL,
    PRIMARY KEY (import_id, first_row));
CREATE FUNCTION known_candles() RETURNS TABLE (
    venue text, symbol text, interval_minutes integer, start timestamptz,
    open numeric, high numeric, low numeric, close numeric, volume numeric, trades integer,
    available_at timestamptz) LANGUAGE sql STABLE AS $$
    SELECT s.venue, s.symbol, s.interval_minutes, c.start, c.open, c.high, c.low, c.close,
           c.volume, c.trades, c.available_at
    FROM history_candles c JOIN history_series s USING (series_id)
$$;
"""

# Trades page by page, and where each page ended: a page and its cursor are one transaction.
TRADES = """
CREATE TABLE history_trades (
    venue text, symbol text, trade_id bigint,
    at timestamptz NOT NULL, price numeric NOT NULL, quantity numeric NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    PRIMARY KEY (venue, symbol, trade_id));
CREATE INDEX history_trades_by_time ON history_trades (venue, symbol, at);
CREATE TABLE history_cursors (
    venue text, symbol text, cursor text NOT NULL, reached timestamptz,
    finding text, written_at timestamptz NOT NULL,
    PRIMARY KEY (venue, symbol));
"""

# The same numbers from trades and from shorter bars. A bar without trades does not exist.
AGGREGATES = """
CREATE FUNCTION candles_of_trades(p_venue text, p_symbol text, p_minutes integer)
RETURNS TABLE (start timestamptz, open numeric, high numeric, low numeric, close numeric,
    volume numeric, trades bigint) LANGUAGE sql STABLE AS $$
    SELECT date_bin(make_interval(mins => p_minutes), t.at, TIMESTAMPTZ 'epoch'),
           (array_agg(t.price ORDER BY t.at, t.trade_id))[1], max(t.price), min(t.price),
           (array_agg(t.price ORDER BY t.at DESC, t.trade_id DESC))[1],
           sum(t.quantity), count(*)
    FROM history_trades t WHERE t.venue = p_venue AND t.symbol = p_symbol
    GROUP BY 1 ORDER BY 1
$$;
CREATE FUNCTION longer_candles(
    p_venue text, p_symbol text, p_from_minutes integer, p_minutes integer)
RETURNS TABLE (start timestamptz, open numeric, high numeric, low numeric, close numeric,
    volume numeric, trades bigint, available_at timestamptz) LANGUAGE sql STABLE AS $$
    SELECT date_bin(make_interval(mins => p_minutes), c.start, TIMESTAMPTZ 'epoch'),
           (array_agg(c.open ORDER BY c.start))[1], max(c.high), min(c.low),
           (array_agg(c.close ORDER BY c.start DESC))[1],
           -- What one part does not tell, the whole does not.
           CASE WHEN count(*) = count(c.volume) THEN sum(c.volume) END,
           CASE WHEN count(*) = count(c.trades) THEN sum(c.trades) END,
           max(c.available_at)
    FROM known_candles() c
    WHERE c.venue = p_venue AND c.symbol = p_symbol AND c.interval_minutes = p_from_minutes
    GROUP BY 1 ORDER BY 1
$$;
-- Of every series of a pair the last bar that was known at a moment: joins go by this.
CREATE FUNCTION candles_known_at(p_symbol text, p_moment timestamptz)
RETURNS TABLE (
    venue text, symbol text, interval_minutes integer, start timestamptz,
    open numeric, high numeric, low numeric, close numeric, volume numeric, trades integer,
    available_at timestamptz) LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (k.venue, k.interval_minutes) k.* FROM known_candles() k
    WHERE k.symbol = p_symbol AND k.available_at <= p_moment
    ORDER BY k.venue, k.interval_minutes, k.start DESC
$$;
"""

GRANTS = """
GRANT SELECT, INSERT ON history_trades TO aether_market;
GRANT SELECT, INSERT, UPDATE ON history_cursors TO aether_market;
GRANT SELECT, INSERT ON history_series, history_candles TO aether_market;
GRANT SELECT, INSERT, UPDATE ON history_imports, history_batches TO aether_market;
"""
