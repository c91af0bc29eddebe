"""The HTTP door: views out, override events in, /metrics."""
