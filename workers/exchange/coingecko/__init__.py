"""CoinGecko's endpoints, answered from the simulated market."""
