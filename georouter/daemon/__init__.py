"""The only place where the rooms meet: wiring, reload, signals, life."""
