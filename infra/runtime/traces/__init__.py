"""Traces of OpenTelemetry: what is told of a request and the trade that came of it, and to whom."""
