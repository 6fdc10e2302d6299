// Federated credentials. The standard's assertions are the app's own, so oidc-provider knows no others: jose, which it
// verifies with, verifies these here, and the provider then sees the app's secret in their place.
import { X509Certificate, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { errors, jwtVerify } from 'jose';

const CLAIMS = { iss: 700211, aud: 700212, sub: 700213 };

function refusedFor(error) {
  if (error instanceof errors.JWTExpired) return 700024;
  if (error instanceof errors.JWTClaimValidationFailed) return CLAIMS[error.claim] ?? 700024;
  return 50012;
}

// An app that is described with {"federated": {"issuer", "subject", "audience", "certificate"}} gets a secret of ours.
export function prepare(app) {
  if (app.federated) app.secret = randomBytes(24).toString('hex');
}

// Replaces the assertion in the form. Returns why it is refused: {code, text}; undefined if it holds.
export async function replaceAssertion(app, form, log) {
  const { issuer, subject, audience, certificate } = app.federated;
  try {
    const key = new X509Certificate(readFileSync(certificate)).publicKey;
    const { payload } = await jwtVerify(form.client_assertion, key, { issuer, subject, audience, clockTolerance: 300,
      algorithms: ['RS256'], requiredClaims: ['exp', 'sub'] });
    log({ federated: payload.sub, jti: payload.jti });
  } catch (error) {
    return { code: refusedFor(error), error: 'invalid_client', text: error.message };
  }
  delete form.client_assertion;
  delete form.client_assertion_type;
  form.client_secret = app.secret;
  return undefined;
}
