// Stands in for Entra: node server.mjs CONFIG.json
//
// CONFIG: { "port": 0, "cert": "...pem", "key": "...pem", "lifetime_s": 3599, "padding": 1200,
//           "device_s": 900, "interval_s": 5,     life of a device code, pause between two questions about it
//           "resources": ["https://graph.microsoft.com"],
//           "tenants": { "<id>": { "domains": [], "rotation": "entra" | "strict", "apps": [
//               { "client_id": "...", "secret": "..." | "certificate": "...pem" | "public": true |
//                 "federated": { "issuer": "...", "subject": "...", "audience": "...", "certificate": "...pem" },
//                 "algorithms": ["PS256"],
//                 "redirect_uris": ["https://SiemMsspConnector"], "roles": ["SecurityAlert.Read.All"] } ] } } }
//
// Prints {"ready": <port>} and then a line for each token request. Reads steering, a JSON object a line, from stdin:
//   {"tenant": "<id>", "do": "deny"}                                    the next sign-in is declined
//   {"tenant": "<id>", "do": "fail", "status": 429, "headers": {}, "body": "...", "times": 1}
// and ends when stdin does.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createInterface } from 'node:readline';

import { prepare, replaceAssertion } from './federation.mjs';
import { refusalBody } from './refusals.mjs';
import { DEVICE_GRANT, makeTenant } from './tenant.mjs';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const padding = '~'.padEnd(config.padding ?? 1200, 'x');    // Entra's codes and tokens are 1 to 2 KB, these 43 bytes
const log = (line) => console.log(JSON.stringify(line));

// What the test ordered, first in first out for each tenant and kind.
const steering = {
  orders: [],
  take(kind, tenant) {
    const at = this.orders.findIndex((order) => order.do === kind && order.tenant === tenant);
    if (at < 0) return undefined;
    const order = this.orders[at];
    order.times = (order.times ?? 1) - 1;
    if (order.times <= 0) this.orders.splice(at, 1);
    return order;
  },
};

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'one' };
}

async function form(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
}

const unpadded = (value) => value?.split('~')[0];

function algorithmOf(assertion) {
  try {
    return JSON.parse(Buffer.from(assertion.split('.')[0], 'base64url')).alg;
  } catch {
    return undefined;
  }
}

// Entra's parameters -> the standard's. v2 names the resource inside the scope, v1 knows no scope.
function translate(fields, v1) {
  const scopes = v1 ? ['.default'] : (fields.scope ?? '').split(' ').filter(Boolean);
  const target = scopes.find((scope) => scope.endsWith('/.default'));
  const resource = v1 ? fields.resource : target?.slice(0, -'/.default'.length);
  const asked = { v1, resource, offline: scopes.includes('offline_access'), grant: fields.grant_type,
    client: fields.client_id, alg: algorithmOf(fields.client_assertion ?? '') };
  const plain = { ...fields, scope: '.default', resource };
  if (fields.code) plain.code = unpadded(fields.code);
  if (v1 && fields.grant_type === 'device_code') {
    delete plain.code;
    Object.assign(plain, { grant_type: DEVICE_GRANT, device_code: fields.code });
    asked.grant = DEVICE_GRANT;
  }
  if (fields.refresh_token) plain.refresh_token = unpadded(fields.refresh_token);
  return { plain, asked };
}

// Lengthens what goes out: refresh tokens in a JSON body, the code in a redirect.
function padAnswers(response) {
  const { end, setHeader } = response;
  response.setHeader = function lengthened(name, value) {
    const longer = name.toLowerCase() === 'location' ? `${value}`.replace(/([?&]code=[^&]*)/, `$1${padding}`) : value;
    return setHeader.call(this, name, longer);
  };
  response.end = function lengthened(body, ...more) {
    if (!body || !`${body}`.includes('"refresh_token"')) return end.call(this, body, ...more);
    const answer = JSON.parse(`${body}`);
    answer.refresh_token += padding;
    const longer = JSON.stringify(answer);
    setHeader.call(this, 'Content-Length', Buffer.byteLength(longer));
    return end.call(this, longer, ...more);
  };
}

function refuse(response, status, body, headers = {}) {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', ...headers });
  response.end(body);
}

function ordered(response, order, tenant, asked) {
  log({ tenant, grant: asked.grant, client: asked.client, v1: asked.v1, ok: false, status: order.status });
  refuse(response, order.status, order.body ?? '', order.headers);
}

async function token(tenant, v1, request, response) {
  const { plain, asked } = translate(await form(request), v1);
  const order = steering.take('fail', tenant.id);
  if (order) return ordered(response, order, tenant.id, asked);
  request.body = plain;
  request.asked = asked;
  const app = tenant.apps.find((each) => each.client_id === plain.client_id && each.federated);
  const refused = app && plain.client_assertion && await replaceAssertion(app, plain, (line) => log(
    { tenant: tenant.id, ...line }));
  if (refused) {
    log({ tenant: tenant.id, grant: asked.grant, client: asked.client, v1: asked.v1, ok: false, code: refused.code });
    return refuse(response, 401, JSON.stringify(refusalBody(refused)));
  }
  padAnswers(response);
  return tenant.handle(request, response);
}

// As at authorize: a refresh token of Entra's serves every resource.
async function devicecode(tenant, v1, request, response) {
  const { plain, asked } = translate(await form(request), v1);
  request.body = { client_id: plain.client_id, scope: plain.scope, resource: config.resources };
  request.asked = asked;
  request.url = `/${tenant.id}/oauth2/v2.0/devicecode`;
  return tenant.handle(request, response);
}

function authorize(tenant, v1, url, request, response) {
  const { plain, asked } = translate(Object.fromEntries(url.searchParams), v1);
  const query = new URLSearchParams();
  for (const name of ['client_id', 'response_type', 'response_mode', 'redirect_uri', 'state', 'code_challenge',
    'code_challenge_method', 'scope']) {
    if (plain[name]) query.set(name, plain[name]);
  }
  // A refresh token of Entra's serves every resource that was consented to, so all are asked for.
  config.resources.forEach((resource) => query.append('resource', resource));
  request.url = `/${tenant.id}/oauth2/v2.0/authorize?${query}`;
  request.asked = asked;
  padAnswers(response);
  return tenant.handle(request, response);
}

function dispatch(tenants, request, response) {
  const url = new URL(request.url, 'https://host');
  const [, name, rest] = /^\/([^/]+)\/(.*)$/.exec(url.pathname) ?? [];
  const tenant = tenants.get(name?.toLowerCase());
  if (!tenant) {
    const refused = { code: 90002, error: 'invalid_request', text: `Tenant '${name}' not found` };
    return refuse(response, 400, JSON.stringify(refusalBody(refused)));
  }
  const [, v2, what] = /^oauth2\/(v2\.0\/)?(token|authorize|devicecode)$/.exec(rest) ?? [];
  request.asked = {};
  if (what === 'authorize' && request.method === 'GET' && url.searchParams.has('client_id')) {
    return authorize(tenant, !v2, url, request, response);
  }
  if (what === 'devicecode' && request.method === 'POST') return devicecode(tenant, !v2, request, response);
  padAnswers(response);
  if (what !== 'token' || request.method !== 'POST') return tenant.handle(request, response);
  request.url = `/${tenant.id}/oauth2/v2.0/token`;
  return token(tenant, !v2, request, response);
}

const tenants = new Map();
const server = createServer({ cert: readFileSync(config.cert), key: readFileSync(config.key) }, (request, response) => {
  Promise.resolve(dispatch(tenants, request, response)).catch((error) => {
    console.error(error);
    response.destroy();
  });
});

server.listen(config.port ?? 0, '127.0.0.1', () => {
  const { port } = server.address();
  const settings = { signingKey: signingKey(), resources: config.resources, lifetime_s: config.lifetime_s ?? 3599,
    device_s: config.device_s ?? 900, interval_s: config.interval_s ?? 5 };
  for (const [id, tenant] of Object.entries(config.tenants)) {
    tenant.apps.forEach(prepare);
    const entry = { id, apps: tenant.apps, handle: makeTenant(`https://127.0.0.1:${port}`, id, tenant, settings, steering, log) };
    [id, ...(tenant.domains ?? [])].forEach((name) => tenants.set(name.toLowerCase(), entry));
  }
  log({ ready: port });
});

createInterface({ input: process.stdin })
  .on('line', (line) => steering.orders.push(JSON.parse(line)))
  .on('close', () => process.exit(0));
