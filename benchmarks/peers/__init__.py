"""Name servers that answer by geography, each started with the same names and the same database."""
