"""`python -m georouter` is `georouter`."""

from georouter.cli.main import main

main(prog_name="georouter")
