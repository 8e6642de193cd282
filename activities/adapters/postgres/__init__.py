"""The record in PostgreSQL: journal, market record, audit chain, keys' nonces, requests."""
