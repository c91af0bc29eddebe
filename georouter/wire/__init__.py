"""DNS bytes: names, records, EDNS; one message in, one message out. Pure."""
