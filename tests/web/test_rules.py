"""The table of rules names tests that exist."""

import re
from pathlib import Path

HERE = Path(__file__).parent


def test_every_rule_names_a_test_that_exists() -> None:
    rows = (HERE / "rules.md").read_text("utf-8").splitlines()
    rules = [row for row in rows if row.startswith("| ") and not row.startswith("| rule")]
    missing = []
    for row in rules:
        named = re.findall(r"`((?:\w+/)?test_\w+\.py)::(test_\w+)`", row)
        assert named, row
        missing += [
            f"{file}::{name}"
            for file, name in named
            if f"def {name}(" not in (HERE / file).read_text("utf-8")
        ]
    assert missing == []
