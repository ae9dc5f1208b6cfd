// fhir-kit-client against a live service: prints one JSON object with what it got.
import { readFileSync } from 'node:fs';
import { Client } from 'fhir-kit-client';

const [base, example] = process.argv.slice(2);
const client = new Client({ baseUrl: base });
const seen = {};

const failure = async (promise) => {
  try {
    await promise;
    return null;
  } catch (error) {
    return { status: error.response?.status, type: error.response?.data?.resourceType };
  }
};

seen.metadata = (await client.capabilityStatement()).fhirVersion;
const plan = await client.read({ resourceType: 'PlanDefinition', id: 'mst-pathway' });
seen.read = plan.id;
seen.vread = (await client.vread({
  resourceType: 'PlanDefinition', id: 'mst-pathway', version: plan.meta.versionId,
})).id;
seen.history = (await client.history({ resourceType: 'PlanDefinition', id: 'mst-pathway' })).type;
let page = await client.search({
  resourceType: 'PlanDefinition', searchParams: { _count: '3' },
});
seen.total = page.total;
seen.found = 0;
while (page) {
  seen.found += page.entry.length;
  page = await client.nextPage({ bundle: page });
}
seen.form = (await client.search({
  resourceType: 'PlanDefinition', searchParams: { _id: 'mst-pathway' }, options: { postSearch: true },
})).total;
const bundle = JSON.parse(readFileSync(example, 'utf8'));
seen.apply = (await client.operation({
  name: '$apply', resourceType: 'PlanDefinition', id: 'mst-pathway', input: bundle,
})).resourceType;
const pathways = await client.operation({ name: '$apply-pathways', input: bundle });
seen.pathways = `${pathways.entry[0].resource.resourceType} about `
  + pathways.entry[0].link[0].url.replace(/[^/]*$/, '');
seen.versions = (await client.operation({
  name: 'versions', method: 'GET',
})).resourceType;
const system = (await client.read({ resourceType: 'CodeSystem', id: 'mst-statements' }));
const told = await client.operation({
  name: 'lookup', resourceType: 'CodeSystem', method: 'GET',
  input: { system: system.url, code: system.concept[0].code },
});
seen.lookup = /statements/i.test(told.parameter.find((p) => p.name === 'name').valueString)
  ? 'Statements' : told;
seen.refused = await failure(client.operation({
  name: '$apply', resourceType: 'PlanDefinition', id: 'mst-pathway',
  input: { resourceType: 'Parameters', parameter: [{ name: 'colour', valueString: 'red' }] },
}));
seen.missing = await failure(client.read({ resourceType: 'PlanDefinition', id: 'nowhere' }));
seen.compartment = await failure(client.search({
  resourceType: 'CarePlan', compartment: { resourceType: 'Patient', id: 'p1' },
}));
seen.batch = await failure(client.batch({ body: bundle }));
seen.transaction = await failure(client.transaction({ body: bundle }));
seen.create = await failure(client.create({ resourceType: 'Patient', body: { resourceType: 'Patient' } }));
seen.smart = await client.smartAuthMetadata().then(() => 'answered', () => 'refused');
console.log(JSON.stringify(seen));
