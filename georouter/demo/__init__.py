"""Stand-in regions for a first look."""
