// Times fhirpath.js on the expressions of the speed suite; prints one JSON object.
// node bench.js SUITE MODULES ROUNDS
const fs = require('fs');
const path = require('path');
const [suite, modules, rounds] = process.argv.slice(2);
const fhirpath = require(path.join(modules, 'fhirpath'));
const model = require(path.join(modules, 'fhirpath', 'fhir-context', 'r4'));

const bundle = JSON.parse(fs.readFileSync(path.join(suite, 'bundle50.json'), 'utf8'));
const first = (type) => bundle.entry.map((e) => e.resource).find((r) => r.resourceType === type);
const contexts = { bundle, condition: first('Condition'), patient: first('Patient') };

const result = {};
for (const [name, context, expression] of JSON.parse(fs.readFileSync(path.join(suite, 'exprs.json'), 'utf8'))) {
  const resource = contexts[context];
  const compiled = fhirpath.compile(expression, model);
  const run = () => compiled(resource, { resource });
  const answer = run().map((value) => (value !== null && typeof value === 'object' ? value.toString() : value));
  for (let i = 0; i < 200; i++) run();
  let best = Infinity;
  for (let round = 0; round < Number(rounds); round++) {
    let count = 0;
    const start = process.hrtime.bigint();
    let spent = 0;
    while (spent < 5e7) {
      for (let i = 0; i < 20; i++) run();
      count += 20;
      spent = Number(process.hrtime.bigint() - start);
    }
    best = Math.min(best, spent / count / 1000);
  }
  const parseStart = process.hrtime.bigint();
  for (let i = 0; i < 50; i++) fhirpath.compile(expression, model);
  result[name] = { answer, micros: best, compile: Number(process.hrtime.bigint() - parseStart) / 50 / 1000 };
}
console.log(JSON.stringify(result));
