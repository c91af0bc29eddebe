"""Where an address is: database bytes turned into sorted range arrays. Pure."""
