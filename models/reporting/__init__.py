"""Figures of reports, computed from the record; pure."""
