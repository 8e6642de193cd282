"""What one account is and how it decides."""
