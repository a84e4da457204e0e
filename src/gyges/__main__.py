"""`python -m gyges` is the command line."""

from gyges.cli import main

main()
