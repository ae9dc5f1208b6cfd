"""Run the command as `python -m carepath`."""

from carepath.command.main import main

main()
