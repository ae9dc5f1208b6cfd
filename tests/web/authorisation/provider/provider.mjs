// An OpenID provider that makes tokens out for programs: provider.mjs ISSUER AUDIENCE
import Provider from 'oidc-provider';

const [issuer, audience] = process.argv.slice(2);
const client = (id) => ({
  client_id: id, client_secret: `${id}-secret`, grant_types: ['client_credentials'],
  redirect_uris: [], response_types: [], token_endpoint_auth_method: 'client_secret_basic',
});
const scopes = ['system/PlanDefinition.rs', 'system/ValueSet.rs'];
const provider = new Provider(issuer, {
  clients: [client('engine')],
  scopes,
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      getResourceServerInfo: (_, resource) => ({
        scope: scopes.join(' '), audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 60,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});
provider.listen(Number(new URL(issuer).port), '127.0.0.1', () => console.log('ready'));
