"""The `carepath` command."""


def main() -> None:
    """Run the command."""
