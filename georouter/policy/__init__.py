"""YAML text turned into a validated, frozen model of what the operator wants. Pure."""
