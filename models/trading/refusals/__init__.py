"""Refusals of the exchange: their kinds, and when a request is sent again."""
