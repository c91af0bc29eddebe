"""The real daemon, stand-in regions, questions and load: for benchmarks and live tests alike."""
