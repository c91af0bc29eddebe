"""Real servers and clients on loopback, against the real daemon."""
