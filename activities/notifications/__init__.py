"""Telling people what the record, Prometheus and schedules find."""
