"""The dashboard, written in Python; `python -m grafana.dashboard` makes the JSON that Grafana loads."""
