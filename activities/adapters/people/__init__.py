"""What people show: hashed passwords, sealed secrets and passkeys, each by a well-kept library."""
