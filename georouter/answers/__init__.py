"""The published tables, the counter layout, and `respond`: query bytes in, answer bytes out. Pure."""
