// One tenant: an oidc-provider that issues, checks and rotates as Entra does.
import { X509Certificate, createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

import Provider, { errors } from 'oidc-provider';

import { refusal, refusalBody } from './refusals.mjs';

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const SCOPES = ['.default', 'openid', 'offline_access'];

function thumbprint(certificate, kind) {
  return createHash(kind).update(certificate.raw).digest('base64url');
}

// Our description of an app -> the metadata of a client. An app signs in by secret or by certificate, not by both.
function clientOf(app) {
  const client = {
    client_id: app.client_id,
    redirect_uris: app.redirect_uris ?? [],
    response_types: app.redirect_uris ? ['code'] : [],
    grant_types: ['client_credentials', DEVICE_GRANT,
      ...(app.redirect_uris ? ['authorization_code', 'refresh_token'] : [])],
  };
  // Entra hands a device code to whoever names an app; here the app must be known by that name alone.
  if (app.public) {
    return { ...client, grant_types: [DEVICE_GRANT, 'refresh_token'], token_endpoint_auth_method: 'none' };
  }
  if (!app.certificate) return { ...client, client_secret: app.secret };
  const certificate = new X509Certificate(readFileSync(app.certificate));
  return {
    ...client,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [{ ...certificate.publicKey.export({ format: 'jwk' }), use: 'sig' }] },
  };
}

// oidc-provider finds the key by its type; Entra finds it by the thumbprint, and refuses one in the wrong member.
function checkThumbprint(app, header) {
  const certificate = new X509Certificate(readFileSync(app.certificate));
  const [member, kind] = header.alg === 'PS256' ? ['x5t#S256', 'sha256'] : ['x5t', 'sha1'];
  if (app.algorithms && !app.algorithms.includes(header.alg)) {
    throw new errors.InvalidClientAuth('thumbprint of an algorithm that this app does not take');
  }
  if (header[member] !== thumbprint(certificate, kind)) {
    throw new errors.InvalidClientAuth(`thumbprint in ${member} is not the certificate's`);
  }
}

function configuration(id, tenant, settings) {
  const apps = new Map(tenant.apps.map((app) => [app.client_id, app]));
  return {
    clients: tenant.apps.map(clientOf),
    jwks: { keys: [settings.signingKey] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    scopes: SCOPES,
    pkce: { required: () => false },
    rotateRefreshToken: true,
    clientAuthMethods: ['client_secret_post', 'client_secret_basic', 'private_key_jwt', 'none'],
    enabledJWA: { clientAuthSigningAlgValues: ['PS256', 'RS256'] },
    routes: { token: `/${id}/oauth2/v2.0/token`, authorization: `/${id}/oauth2/v2.0/authorize`,
      device_authorization: `/${id}/oauth2/v2.0/devicecode`, code_verification: `/${id}/device` },
    ttl: { AccessToken: settings.lifetime_s, ClientCredentials: settings.lifetime_s, AuthorizationCode: 600,
      DeviceCode: settings.device_s, RefreshToken: 90 * 86400, Grant: 90 * 86400, Session: 3600, Interaction: 600 },
    interactions: { url: (ctx, interaction) => `/${id}/interaction/${interaction.uid}` },
    // v1 always gives a refresh token, v2 when the scope asks for it.
    issueRefreshToken: (ctx) => ctx.req.asked.v1 || ctx.req.asked.offline,
    findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId,
        accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope(SCOPES.join(' '));
      settings.resources.forEach((resource) => grant.addResourceScope(resource, '.default'));
      await grant.save();
      return grant;
    },
    assertJwtClientAuthClaimsAndHeader: (ctx, claims, header, client) => {
      checkThumbprint(apps.get(client.clientId), header);
    },
    formats: { customizers: { jwt: (ctx, token, jwt) => {
      Object.assign(jwt.payload, { tid: id, appid: token.clientId, ver: ctx.req.asked.v1 ? '1.0' : '2.0',
        roles: apps.get(token.clientId).roles ?? [] });
    } } },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, resource) => {
          if (!settings.resources.includes(resource)) throw new errors.InvalidTarget('unknown resource');
          return { scope: '.default', audience: resource, accessTokenTTL: settings.lifetime_s,
            accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } };
        },
      },
    },
  };
}

// What Entra's answers carry beyond the standard's, and v1's numbers as text.
function shape(body, { v1, resource }) {
  const now = Math.floor(Date.now() / 1000);
  delete body.scope;
  body.ext_expires_in = body.expires_in;
  if (!v1) return body;
  const text = { expires_in: `${body.expires_in}`, ext_expires_in: '0', expires_on: `${now + body.expires_in}`,
    not_before: `${now}`, resource };
  return Object.assign(body, text);
}

// Entra names a pause between two questions, and no address that holds the code already.
function shapeDevice(ctx, settings) {
  delete ctx.body.verification_uri_complete;
  ctx.body.interval = settings.interval_s;
  ctx.body.message = `To sign in, open ${ctx.body.verification_uri} and enter the code ${ctx.body.user_code}.`;
  if (!ctx.req.asked.v1) return;
  ctx.body.verification_url = ctx.body.verification_uri;
  delete ctx.body.verification_uri;
  ctx.body.expires_in = `${ctx.body.expires_in}`;
  ctx.body.interval = `${ctx.body.interval}`;
}

// Answers at the token endpoint become Entra's; every one is told to the log.
function shaper(id, settings, log) {
  return async (ctx, next) => {
    await next();
    if (ctx.path.endsWith('/devicecode') && ctx.status === 200) shapeDevice(ctx, settings);
    if (!/\/(token|devicecode)$/.test(ctx.path) || (ctx.status === 200 && !ctx.body.access_token)) return;
    const { asked } = ctx.req;
    const line = { tenant: id, grant: asked.grant, client: asked.client, v1: asked.v1, alg: asked.alg };
    if (ctx.status === 200) {
      ctx.body = shape(ctx.body, asked);
      const token = createHash('sha256').update(ctx.body.access_token).digest('hex');
      log({ ...line, ok: true, rotated: Boolean(ctx.body.refresh_token), token });
      return;
    }
    const refused = refusal(ctx.body?.error, ctx.refusedFor ?? ctx.body?.error_description);
    ctx.status = refused.status;
    ctx.body = refusalBody(refused);
    log({ ...line, ok: false, code: refused.code, why: refused.text });
  };
}

// Signs the user in without a form; denied once when the test asked for it.
function interaction(id, provider, steering) {
  return async (ctx, next) => {
    if (!ctx.path.startsWith(`/${id}/interaction/`)) return next();
    ctx.respond = false;
    const denied = steering.take('deny', id);
    await provider.interactionFinished(ctx.req, ctx.res, denied
      ? { error: 'access_denied', error_description: 'AADSTS65004: User declined to consent to access the app.' }
      : { login: { accountId: 'user@example.test' }, consent: {} });
    return undefined;
  };
}

// Both token addresses, by id and by each domain, are audiences of an assertion.
function widenAudience(provider, origin, names) {
  const addresses = names.flatMap((name) => [`${origin}/${name}/oauth2/token`, `${origin}/${name}/oauth2/v2.0/token`]);
  provider.OIDCContext.prototype.clientJwtAuthExpectedAudience = () => new Set([provider.issuer, ...addresses]);
}

export function makeTenant(origin, id, tenant, settings, steering, log) {
  const provider = new Provider(`${origin}/${id}/v2.0`, configuration(id, tenant, settings));
  // Entra lets a redeemed refresh token go on working; oidc-provider takes its second use for theft and revokes all.
  if (tenant.rotation !== 'strict') provider.RefreshToken.prototype.consume = async () => {};
  widenAudience(provider, origin, [id, ...(tenant.domains ?? [])]);
  provider.on('grant.error', (ctx, error) => { ctx.refusedFor = error.error_detail ?? error.error_description; });
  provider.on('server_error', (ctx, error) => console.error(error));
  provider.use(shaper(id, settings, log));
  provider.use(interaction(id, provider, steering));
  return provider.callback();
}
