"""`python -m hub.cli` is `lgsp`."""

from hub.cli import main

main()
