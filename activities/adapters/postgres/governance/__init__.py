"""Approvals, kill switches and changes by people in the record."""
