// What oidc-provider says against what Entra would: the first row whose pattern fits "error: detail" wins.
import { randomUUID } from 'node:crypto';

const TABLE = [
  // pattern, AADSTS code, Entra's error, status
  [/^invalid_client: invalid secret/, 7000215, 'invalid_client', 401],
  [/^invalid_client: client not found/, 700016, 'unauthorized_client', 400],
  [/^invalid_client: .*(jwt expired|not active yet|in the future)/, 700024, 'invalid_client', 401],
  [/^invalid_client: .*(thumbprint|signature|no applicable key)/, 700027, 'invalid_client', 401],
  [/^invalid_client: .*authentication mechanism/, 7000218, 'invalid_client', 401],
  [/^invalid_request: .*no client authentication/, 7000218, 'invalid_client', 401],
  [/^invalid_client: /, 50012, 'invalid_client', 401],
  [/^invalid_grant: authorization code already consumed/, 54005, 'invalid_grant', 400],
  [/^invalid_grant: authorization code is expired/, 70008, 'invalid_grant', 400],
  [/^invalid_grant: .*redirect_uri mismatch/, 500112, 'invalid_client', 400],
  [/^invalid_grant: .*code_verifier/, 501481, 'invalid_grant', 400],
  [/^invalid_grant: refresh token is expired/, 700082, 'invalid_grant', 400],
  [/^invalid_grant: grant (not found|is expired)/, 50173, 'invalid_grant', 400],
  [/^authorization_pending: /, 70016, 'authorization_pending', 400],
  [/^expired_token: /, 70019, 'expired_token', 400],
  [/^access_denied: /, 65004, 'authorization_declined', 400],
  [/^invalid_grant: device code/, 70018, 'bad_verification_code', 400],
  [/^invalid_grant: /, 70000, 'invalid_grant', 400],
  [/^invalid_target: /, 500011, 'invalid_resource', 400],
  [/^invalid_scope: /, 70011, 'invalid_scope', 400],
  [/^unsupported_grant_type: /, 70003, 'unsupported_grant_type', 400],
  [/^/, 900144, 'invalid_request', 400],
];

export function refusal(error, detail = '') {
  const [, code, name, status] = TABLE.find(([pattern]) => pattern.test(`${error}: ${detail}`));
  return { code, error: name, status, text: detail || error };
}

// The JSON that Entra sends with a refusal.
export function refusalBody({ code, error, text }) {
  const stamp = `${new Date().toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const [trace, correlation] = [randomUUID(), randomUUID()];
  return {
    error,
    error_description: [`AADSTS${code}: ${text}. `, `Trace ID: ${trace}`, `Correlation ID: ${correlation}`,
      `Timestamp: ${stamp}`].join('\r\n'),
    error_codes: [code],
    timestamp: stamp,
    trace_id: trace,
    correlation_id: correlation,
  };
}
