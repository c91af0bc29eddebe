"""The decision: steering steps, ranking, selection. Pure."""
