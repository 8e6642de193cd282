"""Files of history: Kraken's archives, Parquet, and what CoinGecko answers or exports."""
