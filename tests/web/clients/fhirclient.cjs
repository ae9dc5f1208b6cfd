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
  seen.expand = (await client.request(
    'ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender')).resourceType;
  // What went wrong, as the client hands it over: status and the issue of the OperationOutcome.
  const failure = (promise) => promise.then(() => null, async (error) => {
    const body = error.response?.bodyUsed ? error.body : await error.response?.json();
    const text = error.message || '';
    const code = body?.issue?.[0]?.code ?? /"code":\s*"([^"]+)"/.exec(text)?.[1];
    return { status: error.status ?? error.statusCode, code };
  });
  seen.missing = await failure(client.request('PlanDefinition/nowhere'));
  seen.refused = await failure(client.request('PlanDefinition/mst-pathway/$apply?colour=red'));
  seen.patch = await failure(client.patch('PlanDefinition/mst-pathway',
    [{ op: 'replace', path: '/title', value: 'x' }]));
  console.log(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
