"""`aether data key`: the key of CoinGecko's free plan, into the store of secrets."""

from cli.commands.data.backfill import COINGECKO_KEY
from cli.output.secrets import store_provider_secret


def key() -> None:
    """Store CoinGecko's key, read from standard input, for AETHER_HISTORY_COINGECKO_PLAN=demo."""
    store_provider_secret(COINGECKO_KEY)
