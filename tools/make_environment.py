"""Make the virtual environment, with a clear sentence when this machine cannot.

Usage: python3 tools/make_environment.py .venv
"""

import os
import subprocess
import sys
from pathlib import Path

NEEDED = (3, 11)


def main(folder: str) -> int:
    """Make the environment in `folder` unless its interpreter is there; return an exit code."""
    if sys.version_info < NEEDED:
        print(f"Python 3.11 or newer is needed; {sys.executable} is {sys.version.split()[0]}.")
        return 1
    if (Path(folder) / "bin" / "python").exists():
        return 0
    made = subprocess.run(
        [sys.executable, "-m", "venv", folder], check=False, capture_output=True, text=True
    )
    if made.returncode and _install_venv():
        made = subprocess.run([sys.executable, "-m", "venv", folder], check=False, text=True)
    if made.returncode:
        print(made.stderr or "", end="")
        print("The environment could not be made.  On Debian: apt-get install python3-venv")
    return made.returncode


def _install_venv() -> bool:
    """Install Debian's venv module where that is possible (as root with apt); tell if it worked."""
    if os.geteuid() != 0 or not Path("/usr/bin/apt-get").exists():
        return False
    print("python3-venv is missing; installing it.", flush=True)
    steps = (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "python3-venv"])
    return all(_runs(step) for step in steps)


def _runs(step: list[str]) -> bool:
    """Run a step quietly and tell whether it worked."""
    return subprocess.run(step, check=False, stdout=subprocess.DEVNULL).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
