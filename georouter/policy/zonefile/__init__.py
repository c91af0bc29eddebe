"""Zone files (RFC 1035 5): their text turned into a ledger's records, line by line."""
