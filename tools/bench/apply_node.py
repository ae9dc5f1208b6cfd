"""The benchmark's plan walked by fhirpath.js, where node and the package are there.

The program gets definitions and Bundle, evaluates each fact, condition and dynamicValue where the
walk comes to it, and builds nothing else: less work than an application, which flatters it.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from apply_case import FACTS, bundle, definitions

INSTALLED = Path(__file__).parents[2] / ".bench" / "js"
_PROGRAM = """
const fs = require('fs');
const fhirpath = require('fhirpath');
const model = require('fhirpath/fhir-context/r4');
const input = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const text = JSON.stringify(input.bundle);
const cache = new Map();
function compiled(expression) {
  let found = cache.get(expression);
  if (!found) { found = fhirpath.compile(expression, model); cache.set(expression, found); }
  return found;
}
function walk(actions, patient, variables, made) {
  for (const action of actions) {
    const met = compiled(action.condition[0].expression.expression)(patient, variables);
    if (met[0] !== true) continue;
    if (action.action) { walk(action.action, patient, variables, made); continue; }
    const activity = input.activities[action.definitionCanonical];
    const request = {resourceType: 'ServiceRequest', code: activity.code};
    for (const value of [...(activity.dynamicValue || []), ...(action.dynamicValue || [])])
      request[value.path] = compiled(value.expression.expression)(patient, variables)[0];
    made.push(request);
  }
}
function apply() {
  const resources = JSON.parse(text).entry.map(e => e.resource);
  const patient = resources[0];
  const variables = {observations: resources.filter(r => r.resourceType === 'Observation')};
  for (const [name, expression] of input.facts)
    variables[name] = compiled(expression)(patient, variables);
  const made = [];
  walk(input.plan.action, patient, variables, made);
  return JSON.stringify(made);
}
for (let i = 0; i < 20; i++) apply();
let best = Infinity;
for (let i = 0; i < 10; i++) {
  const start = process.hrtime.bigint();
  for (let j = 0; j < 5; j++) apply();
  best = Math.min(best, Number(process.hrtime.bigint() - start) / 5e6);
}
console.log(best);
"""


def node_milliseconds() -> float | None:
    """Return what a walk costs, None when node or fhirpath.js is missing.

    `FHIRPATH_JS` names the folder whose node_modules hold the package; without it the place
    where `make bench-fhirpath` installs it.
    """
    node = shutil.which("node")
    modules = Path(os.environ.get("FHIRPATH_JS", INSTALLED)) / "node_modules"
    if node is None or not (modules / "fhirpath").is_dir():
        return None
    plan, _, *activities = definitions()
    content = {
        "plan": plan,
        "activities": {activity["url"]: activity for activity in activities},
        "bundle": json.loads(bundle()),
        "facts": [
            (name, f"%observations.where(code.coding.code = '{code}').{path}")
            for name, code, path in FACTS
        ],
    }
    with tempfile.TemporaryDirectory() as folder:
        program, data = Path(folder) / "walk.js", Path(folder) / "data.json"
        program.write_text(_PROGRAM, "utf-8")
        data.write_text(json.dumps(content), "utf-8")
        done = subprocess.run(
            [node, str(program), str(data)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "NODE_PATH": str(modules.resolve())},
        )
    return float(done.stdout)
