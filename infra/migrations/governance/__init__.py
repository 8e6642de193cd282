"""Approvals with evidence of who decided, kill switches of pairs lifted by two, and freezes."""
