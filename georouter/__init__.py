"""georouter: an authoritative GeoDNS server and global traffic router."""

__version__ = "0.1.0"
