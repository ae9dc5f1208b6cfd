"""What the service is made of: licences that allow it, digests for the image, an honest audit."""

import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
TOOL = ROOT / "tools" / "supply_chain.py"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

PERMISSIVE = {
    "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0",
    "Unlicense", "ZPL-2.1",
}  # fmt: skip
"""Licences that ask for nothing but their own text."""
WRITTEN = {
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "BSD 3-Clause": "BSD-3-Clause",
    "BSD license": "BSD",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The MIT License (MIT)": "MIT",
    "ZPL 2.1": "ZPL-2.1",
    "Zope Public License": "ZPL-2.1",
}
"""Other ways to write some of them."""
EXCEPTIONS = {"certifi": "MPL-2.0"}
"""Copyleft that stays within its own files, used unchanged; NOTICE names each."""


def needed() -> dict[str, metadata.Distribution]:
    """Return everything that the service needs to run, by name, what is needed for it included."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [(Requirement(text), "") for text in PROJECT["dependencies"]]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        distribution = found.setdefault(name, metadata.distribution(name))
        own = [Requirement(text) for text in distribution.requires or ()]
        for each in own:
            if canonicalize_name(each.name) not in found:
                waiting += [(each, extra) for extra in ("", *requirement.extras)]
    return found


def licence(distribution: metadata.Distribution) -> str:
    """Return the licence of a package as an SPDX expression, as it is written where it is none."""
    told = distribution.metadata
    classified = [
        text.rpartition(" :: ")[2]
        for text in told.get_all("Classifier") or ()
        if text.startswith("License :: OSI Approved ::")
    ]
    text = told.get("License-Expression") or (classified or [told.get("License") or ""])[0]
    return WRITTEN.get(text, text)


def allows(expression: str) -> bool:
    """Tell whether one of the choices of an expression, or all that it joins, is permissive."""
    choices = re.split(r"\s+OR\s+", expression.strip("()"))
    return any(
        all(part.strip("() ") in PERMISSIVE for part in re.split(r"\s+AND\s+", choice))
        for choice in choices
    )


@pytest.mark.parametrize("name", sorted(needed()))
def test_the_licence_of_what_runs_is_permissive(name: str) -> None:
    found = licence(needed()[name])
    if name in EXCEPTIONS:
        assert found == EXCEPTIONS[name]
        assert f"{name} ({EXCEPTIONS[name]})" in (ROOT / "NOTICE").read_text("utf-8")
        return
    assert allows(found), f"{name}: {found}"


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("MIT OR GPL-3.0-only", True),
        ("Apache-2.0 AND MIT", True),
        ("MIT AND LGPL-2.1-only", False),
        ("GPL-3.0-or-later", False),
        ("AGPL-3.0", False),
        ("", False),
    ],
)
def test_what_counts_as_permissive(expression: str, allowed: bool) -> None:
    assert allows(expression) is allowed


def pinned(file: str) -> dict[str, tuple[str, int]]:
    """Return version and number of digests of each package that a file of requirements pins."""
    text = (ROOT / file).read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and line[0] != "#"]
    found = {}
    for line in lines:
        match = re.match(r"([\w.-]+)==([\w.!+-]+)", line)
        assert match, line
        digests = len(re.findall(r"--hash=sha256:[0-9a-f]{64}", line))
        found[canonicalize_name(match[1])] = (match[2], digests)
    return found


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and line[0] != "#"]
    return {canonicalize_name(name): version for name, version in pairs}


def test_the_image_holds_what_the_checks_run_with_by_digest() -> None:
    found = pinned("deploy/requirements.txt")
    assert set(needed()) <= set(found)
    versions = constraints()
    assert {name: version for name, (version, _) in found.items()} == {
        name: versions[name] for name in found
    }
    assert all(digests for _, digests in found.values())
    built = pinned("deploy/build-requirements.txt")
    assert {"build", "setuptools"} <= set(built)
    assert all(digests for _, digests in built.values())


GOOD = {"name": "a", "version": "1", "vulns": []}
WEAK = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1"}, {"id": "CVE-2"}]}
SKIPPED = {"name": "c", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("packages", "status", "said"),
    [
        ([GOOD], 0, "1 of 1 packages checked, 0 weak.\n"),
        ([GOOD, WEAK], 1, "b 2: CVE-1, CVE-2\n2 of 2 packages checked, 1 weak.\n"),
        (
            [GOOD, SKIPPED],
            2,
            "Not checked, for their data could not be reached: c.\n"
            "1 of 2 packages checked, 0 weak.\n",
        ),
        ([SKIPPED], 2, "pip-audit could not reach its data: nothing was checked.\n"),
        (None, 2, "pip-audit could not reach its data, or failed: nothing was checked.\n"),
    ],
)
def test_an_audit_that_could_not_look_says_so(
    packages: list[dict[str, Any]] | None, status: int, said: str
) -> None:
    report = "" if packages is None else json.dumps({"dependencies": packages, "fixes": []})
    done = subprocess.run(
        [sys.executable, str(TOOL), "audit", "--check"],
        input=report,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (status, said, "")
