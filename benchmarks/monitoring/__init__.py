"""What the dashboard shows of a real run: recorded through a real Prometheus, drawn as pictures for docs/."""
