"""Zone files."""
