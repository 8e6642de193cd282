"""CoinGecko over pycoingecko: sanity of prices, never execution prices."""
