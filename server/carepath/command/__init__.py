"""The command line: `carepath` and what it prints."""
