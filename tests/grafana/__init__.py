"""Tests of what Grafana and Prometheus load."""
