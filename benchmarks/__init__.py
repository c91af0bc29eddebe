"""What must hold, measured on the real daemon over real sockets. See README.md."""
