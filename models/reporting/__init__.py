"""Figures of reports: pure, each computed here once; SQL and routes only fetch and shape."""
