"""Reads and watches files: policy, databases, saved state."""
