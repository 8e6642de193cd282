"""Tables of access, approvals, audit and quarantined writes."""
