"""What was tried, judged and promoted."""
