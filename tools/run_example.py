"""Start the service, print its address, send it an example, print the plan, leave it running.

Usage: python tools/run_example.py [--host 127.0.0.1] [--port 8080] [--example FILE]
Ctrl-C stops the service.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from carepath.command.plan_text import care_plan_text

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "mcode-collection.json"
PATHWAY = "mst-pathway"
WAIT_SECONDS = 30


def main() -> int:
    """Run the whole thing; return the service's exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--example", type=Path, default=EXAMPLE)
    options = parser.parse_args()
    base = f"http://{options.host}:{options.port}"
    if _answers(base):
        print(f"Something already answers on {base}; stop it or choose another PORT.")
        return 1
    print("Starting the service.", flush=True)
    command = [sys.executable, "-m", "carepath", "serve"]
    service = subprocess.Popen(
        [*command, "--host", options.host, "--port", str(options.port)],
        env={"CAREPATH_LOG_LEVEL": "warning", **os.environ},
    )
    # Ctrl-C reaches the service by itself, as it is in the same group; this process only waits.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: service.terminate())
    if not _wait(base, service):
        service.terminate()
        print("The service did not start.")
        return service.wait() or 1
    _show(base, options.example)
    return service.wait()


def _answers(base: str) -> bool:
    """Tell whether a server answers there."""
    try:
        httpx.get(f"{base}/readyz", timeout=2)
    except httpx.HTTPError:
        return False
    return True


def _wait(base: str, service: "subprocess.Popen[bytes]") -> bool:
    """Wait until the service answers; false when it ended or took too long."""
    for _ in range(WAIT_SECONDS * 20):
        if service.poll() is not None:
            return False
        if _answers(base):
            return True
        time.sleep(0.05)
    return False


def _show(base: str, example: Path) -> None:
    """Print where to look, send the example and print the plan that comes back."""
    print(f"Open {base}/ in a browser: the pathways, and patients on them.\n")
    url = f"{base}/fhir/PlanDefinition/{PATHWAY}/$apply"
    headers = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
    answer = httpx.post(url, content=example.read_bytes(), headers=headers, timeout=30)
    where = example.relative_to(ROOT) if example.is_relative_to(ROOT) else example
    print(f"POST {url}\n  with {where}: {answer.status_code}\n")
    print(care_plan_text(answer.json()))
    print(
        f"\nThe service runs: pages on {base}/, FHIR on {base}/fhir. Ctrl-C stops it.", flush=True
    )


if __name__ == "__main__":
    sys.exit(main())
