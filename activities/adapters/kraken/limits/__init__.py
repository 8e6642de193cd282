"""Kraken's limits: rate counters, cool-downs and priorities."""
