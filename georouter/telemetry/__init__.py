"""Counters to Prometheus exposition, structured logs, audit log."""
