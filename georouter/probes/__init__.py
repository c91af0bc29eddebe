"""Asks the network questions (health, latency) and reports events."""
