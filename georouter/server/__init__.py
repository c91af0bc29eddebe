"""Sockets: UDP workers and TCP; receive, look up, send."""
