"""What we believe: the health state machine, latency, overrides. Pure; time is an argument."""
