"""What a run of the service consists of: pinned by digest, listed as CycloneDX, audited.

Usage: supply_chain.py pins|sbom|audit

`pins` writes the requirements of the image with the digest of every file, `sbom` writes
build/sbom.json from an environment that holds just these, `audit` asks for known weaknesses of
them and says so when it could not: then nothing was checked.  `--check` of `audit` reads a report
of pip-audit from standard input instead.
"""

import json
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RUN = ROOT / "deploy" / "requirements.txt"
BUILD = ROOT / "deploy" / "build-requirements.txt"
SBOM = ROOT / "build" / "sbom.json"
BUILD_NEEDS = "build>=1.2\nsetuptools>=77\nwheel\n"
NOT_CHECKED = 2


def pins() -> int:
    """Write both files of requirements with the digests of their packages."""
    for source, target, given in (("pyproject.toml", RUN, None), ("-", BUILD, BUILD_NEEDS)):
        head = target.read_text("utf-8").splitlines()[0]
        command = [
            *(_tool("uv"), "pip", "compile", source, "--constraint", "constraints.txt"),
            *("--generate-hashes", "--universal", "--python-version", "3.11"),
            *("--no-header", "--no-annotate", "--quiet"),
        ]
        made = subprocess.run(
            command, cwd=ROOT, input=given, check=True, capture_output=True, text=True
        )
        target.write_text(f"{head}\n{made.stdout}", "utf-8")
    return 0


def sbom() -> int:
    """Write the bill of materials of an environment with what the image holds."""
    folder = ROOT / "build" / "sbom-environment"
    venv.create(folder, with_pip=True, clear=True)
    python = folder / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", RUN], check=True)
    remove = [python, "-m", "pip", "uninstall", "--quiet", "--yes", "pip", "setuptools"]
    subprocess.run(remove, check=True)
    make = [_tool("cyclonedx-py"), "environment", "--pyproject", "pyproject.toml"]
    make += ["--output-reproducible", "--output-file", str(SBOM), str(python)]
    subprocess.run(make, cwd=ROOT, check=True)
    found = json.loads(SBOM.read_text("utf-8"))["components"]
    print(f"{SBOM.relative_to(ROOT)}: {len(found)} components")
    return 0


def audit() -> int:
    """Ask pip-audit about what the image holds; return 1 for a finding, 2 when it cannot tell."""
    if "--check" in sys.argv:
        return report(sys.stdin.read())
    command = [_tool("pip-audit"), "--disable-pip", "--require-hashes", "-r", str(RUN)]
    done = subprocess.run(
        [*command, "--format", "json"], check=False, capture_output=True, text=True
    )
    return report(done.stdout)


def report(text: str) -> int:
    """Say what a report of pip-audit means; one that tells of nothing is no good news."""
    try:
        packages: list[dict[str, Any]] = json.loads(text)["dependencies"]
    except (ValueError, KeyError, TypeError):
        print("pip-audit could not reach its data, or failed: nothing was checked.")
        return NOT_CHECKED
    skipped = [each["name"] for each in packages if "skip_reason" in each]
    weak = [each for each in packages if each.get("vulns")]
    for each in weak:
        known = ", ".join(vulnerability["id"] for vulnerability in each["vulns"])
        print(f"{each['name']} {each['version']}: {known}")
    if len(skipped) == len(packages):
        print("pip-audit could not reach its data: nothing was checked.")
        return NOT_CHECKED
    if skipped:
        print(f"Not checked, for their data could not be reached: {', '.join(skipped)}.")
    print(f"{len(packages) - len(skipped)} of {len(packages)} packages checked, {len(weak)} weak.")
    return 1 if weak else NOT_CHECKED if skipped else 0


def _tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


COMMANDS: dict[str, Callable[[], int]] = {"pins": pins, "sbom": sbom, "audit": audit}

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in COMMANDS:
        sys.exit(COMMANDS[sys.argv[1]]())
    sys.exit(f"Usage: supply_chain.py {'|'.join(COMMANDS)}")
