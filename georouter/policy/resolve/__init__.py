"""The file as written turned into the resolved model: references, meanings, and all that is wrong."""
