"""What another source says of the market's own prices: one row from its beginning to its end."""

QUALITY = """
CREATE TABLE market_quality_events (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    symbol text NOT NULL, kind text NOT NULL, detail text NOT NULL,
    began_at timestamptz NOT NULL, ended_at timestamptz);
CREATE UNIQUE INDEX market_quality_standing ON market_quality_events (symbol, kind)
    WHERE ended_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON market_quality_events TO aether_market;
"""

SANCTIONS = """
CREATE TABLE sanctions_lists (
    digest text PRIMARY KEY, source text NOT NULL, published text NOT NULL,
    entries integer NOT NULL, named jsonb NOT NULL,
    first_read_at timestamptz NOT NULL, read_at timestamptz NOT NULL);
GRANT SELECT, INSERT, UPDATE ON sanctions_lists TO aether_market;
"""

# Figures of book and trade flow by market minute; older ones than a month are dropped.
FIGURES = """
CREATE TABLE market_figures (
    symbol text, at timestamptz,
    spread_share numeric, imbalance numeric, microprice numeric,
    bid_depth numeric, ask_depth numeric,
    bought numeric NOT NULL, sold numeric NOT NULL, toxicity numeric,
    PRIMARY KEY (symbol, at));
CREATE INDEX market_figures_by_time ON market_figures (at);
GRANT SELECT, INSERT, DELETE ON market_figures TO aether_market;
"""
