"""What is brought from outside on a schedule: how each work goes, and the market's mood.

A work has a row while it is scheduled. A value of sentiment that its source changes later is kept
beside the first: each with the moment from which it could be known here.
"""

DATA_WORK = """
CREATE TABLE market_data_work (
    work text PRIMARY KEY CHECK (work IN ('history', 'sanctions', 'sentiment')),
    scheduled_since timestamptz NOT NULL,
    finished_at timestamptz, succeeded_at timestamptz,
    failures integer NOT NULL DEFAULT 0, detail jsonb NOT NULL DEFAULT '{}');
GRANT SELECT, INSERT, UPDATE, DELETE ON market_data_work TO aether_market;
GRANT SELECT ON universe_versions, universe_proposals TO aether_market;
GRANT SELECT ON sanctions_lists TO aether_app;
"""

SENTIMENT = """
CREATE TABLE sentiment_values (
    source text, at timestamptz, available_at timestamptz,
    value numeric NOT NULL CHECK (value BETWEEN 0 AND 100), words text NOT NULL,
    PRIMARY KEY (source, at, available_at), CHECK (available_at >= at));
GRANT SELECT, INSERT ON sentiment_values TO aether_market;
-- What was known of a source's mood at a moment: joins go by this.
CREATE FUNCTION sentiment_known_at(p_source text, p_moment timestamptz)
RETURNS TABLE (at timestamptz, available_at timestamptz, value numeric, words text)
LANGUAGE sql STABLE AS $$
    SELECT s.at, s.available_at, s.value, s.words FROM sentiment_values s
    WHERE s.source = p_source AND s.available_at <= p_moment
    ORDER BY s.at DESC, s.available_at DESC LIMIT 1
$$;
"""
