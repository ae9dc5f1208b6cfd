"""Build the wheel, install it in an empty environment elsewhere, and use it there.

An example is applied, and what the front page of the service links is followed.

Usage: python tools/wheel_test.py
"""

import json
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
NEEDED = (
    "carepath/pathways/mst-pathway/plan-definition.json",
    "carepath/docs/http-api.md",
    "carepath/docs/integration/README.md",
    "carepath/examples/README.md",
    "carepath/examples/mcode-collection.json",
    "carepath/apply/drawing/templates/drawing.svg",
    "carepath/web/explorer/templates/base.html",
    "carepath/web/explorer/static/explorer.js",
)
"""Data of the package, one file of each kind."""
LINKS = """
import re
from carepath.web import Config, create_app

client = create_app(Config()).test_client()
page = {"headers": {"Accept": "text/html, */*;q=0.8"}}
front = client.get("/", **page).text
found = sorted(set(re.findall(r'href="(/[^"?#]*)', front)))
wrong = [link for link in found if client.get(link, **page).status_code != 200]
documents = sum(link.startswith("/docs/") for link in found)
raise SystemExit(f"broken: {wrong}" if wrong or not documents else 0)
"""
"""Follow what the front page of the installed service links, the documentation above all."""


def main() -> int:
    """Run the steps; raise on the first that fails."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        wheel = _build(place)
        _check_names(wheel)
        carepath = _install(wheel, place / "environment")
        example = ROOT / "examples" / "mcode-collection.json"
        command = [carepath, "apply", str(example), "--format", "decisions"]
        answer = subprocess.run(command, cwd=place, check=True, capture_output=True)
        met = [d["id"] for d in json.loads(answer.stdout)["decisions"] if d["outcome"] == "met"]
        if not met:
            print("The installed wheel applied the example, but nothing was met.")
            return 1
        python = str(Path(carepath).with_name("python"))
        subprocess.run([python, "-c", LINKS], cwd=place, check=True)
        print(f"{wheel.name}: one top-level name; applied elsewhere, {len(met)} actions met")
    return 0


def _build(place: Path) -> Path:
    """Build the wheel into `place` and return its path."""
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(place), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return next(place.glob("*.whl"))


def _check_names(wheel: Path) -> None:
    """Raise unless the wheel installs `carepath` and nothing else, with the content in it."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    others = {top for top in tops if not top.endswith(".dist-info")} - {"carepath"}
    if others:
        raise SystemExit(f"The wheel would install other top-level names: {sorted(others)}")
    lacking = [name for name in NEEDED if name not in names]
    if lacking:
        raise SystemExit(f"The wheel does not carry {', '.join(lacking)}.")


def _install(wheel: Path, environment: Path) -> str:
    """Install the wheel alone and return the path of its `carepath` command."""
    venv.create(environment, with_pip=True)
    python = str(environment / "bin" / "python")
    constraints = str(ROOT / "constraints.txt")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", constraints, str(wheel)], check=True)
    return str(environment / "bin" / "carepath")


if __name__ == "__main__":
    sys.exit(main())
