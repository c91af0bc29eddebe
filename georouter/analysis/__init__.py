"""Questions to the decision: explain, policy tests. Pure."""
