"""The one loop that changes anything: events, facts, compile, publish."""
