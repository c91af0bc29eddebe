"""Policy x facts x geo turned into answers, and a report of what changed. Pure."""
