// fhirclient (SMART's client) against a live service: prints one JSON object with what it got.
const { readFileSync } = require('node:fs');
const Client = require('fhirclient/lib/Client').default;

const [base, example] = process.argv.slice(2);

async function main() {
  const environment = {
    fhir: require('fhirclient'), getUrl: () => new URL(base), getStorage: () => null,
    getAbortController: () => AbortController, options: {}, base64urlencode: String,
  };
  const client = new Client(environment, { serverUrl: base });
  const seen = {};
  seen.release = await client.getFhirRelease();
  seen.version = await client.getFhirVersion();
  seen.read = (await client.request('PlanDefinition/mst-pathway')).id;
  seen.pages = (await client.request('PlanDefinition?_count=3', { pageLimit: 0, flat: true })).length;
  seen.apply = (await client.request({
    url: 'PlanDefinition/mst-pathway/$apply',
    method: 'POST',
    body: readFileSync(example, 'utf8'),
    headers: { 'content-type': 'application/json' },
  })).resourceType;
  seen.missing = await client.request('PlanDefinition/nowhere').then(() => null, (error) => error.status ?? error.statusCode);
  seen.patch = await client.patch('PlanDefinition/mst-pathway', [{ op: 'replace', path: '/title', value: 'x' }])
    .then(() => null, (error) => error.status ?? error.statusCode);
  console.log(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
