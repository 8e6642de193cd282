"""Approvals, the kill switch, and the conditions of going live."""
