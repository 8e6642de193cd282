"""Row-level security and grants: an account's rows are visible in that account's scope only."""

ACCOUNT_OWNED = (
    "accounts",
    "api_key_nonces",
    "audit_heads",
    "audit_log",
    "balances",
    "checkpoints",
    "fills",
    "ideas",
    "nav_marks",
    "orders",
    "price_watches",
    "reconciliations",
    "requests",
    "trades",
)

# FORCE puts the owner under the policy too. Without a scope current_setting gives NULL, or '' after
# an earlier transaction of the session had one: neither equals an account.
ISOLATION = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
CREATE POLICY account_scope ON {table}
    USING (account_id = current_setting('aether.account_id', true))
    WITH CHECK (account_id = current_setting('aether.account_id', true));
"""

# Functions are executable by everybody unless this is taken away.
GRANTS = """
REVOKE EXECUTE ON FUNCTION account_ids() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION audit_chain() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION mark_equity(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION account_ids() TO aether_app;
GRANT EXECUTE ON FUNCTION mark_equity(timestamptz) TO aether_app, aether_market;

GRANT SELECT, INSERT, UPDATE ON
    accounts, api_key_nonces, api_tokens, balances, candles, checkpoints, fills, ideas,
    kill_switches, market_snapshots, nav_marks, orders, platform_settings, price_watches,
    reconciliations, requests, trades TO aether_app;
GRANT DELETE ON price_watches, requests TO aether_app;
GRANT SELECT, INSERT ON audit_log TO aether_app;
GRANT SELECT ON audit_heads TO aether_app;
GRANT USAGE ON SEQUENCE kill_switch_numbers TO aether_app;

GRANT SELECT, INSERT, UPDATE ON candles, market_snapshots TO aether_market;
GRANT SELECT, UPDATE (triggered_at, triggered_price) ON price_watches TO aether_market;
GRANT SELECT (account_id, strategies) ON accounts TO aether_market;
GRANT SELECT ON platform_settings TO aether_market;
"""

# The market worker serves all accounts, and sees nothing of them but watches and followers. The
# owner lists accounts inside account_ids() only; nothing but migrations connects as the owner.
EXCEPTIONS = """
CREATE POLICY market_watches ON price_watches TO aether_market USING (true);
CREATE POLICY market_followers ON accounts FOR SELECT TO aether_market USING (true);
CREATE POLICY owner_directory ON accounts FOR SELECT TO CURRENT_USER USING (true);
"""
