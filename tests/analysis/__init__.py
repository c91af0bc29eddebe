"""Questions to the decision."""
