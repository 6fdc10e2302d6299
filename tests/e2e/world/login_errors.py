"""The login service's refusals: one table, one shape."""
import json
import time
import uuid

from .httpd import Response

# code: (HTTP status, OAuth error, what it says)
TABLE = {
    7000215: (401, 'invalid_client', 'Invalid client secret provided.'),
    7000222: (401, 'invalid_client', 'The provided client secret keys for the app are expired.'),
    7000216: (401, 'invalid_client', 'A client assertion or secret is required.'),
    7000218: (401, 'invalid_client', "The request body must contain 'client_assertion' or 'client_secret'."),
    7000229: (401, 'invalid_client', 'The client application is missing service principal in the tenant.'),
    700024: (401, 'invalid_client', 'Client assertion is not within its valid time range.'),
    700211: (401, 'invalid_client', 'No matching federated identity record found for presented assertion issuer.'),
    700212: (401, 'invalid_client', 'No matching federated identity record found for presented assertion audience.'),
    700213: (401, 'invalid_client', 'No matching federated identity record found for presented assertion subject.'),
    700025: (401, 'invalid_client', 'Client is public so no secret or assertion should be presented.'),
    700027: (401, 'invalid_client', 'The certificate with the identifier used to sign is not registered.'),
    50012: (401, 'invalid_client', 'Client assertion failed signature validation.'),
    500014: (400, 'invalid_resource', 'The service principal for the resource is disabled.'),
    650052: (400, 'invalid_request', 'The app needs access to a service that your organization has not subscribed to.'),
    700016: (400, 'unauthorized_client', 'The application was not found in the directory.'),
    90002: (400, 'invalid_request', 'Tenant not found. Check that the tenant and cloud are right.'),
    9001023: (400, 'invalid_request', 'The grant type is not supported over the common endpoint.'),
    900144: (400, 'invalid_request', 'The request body misses a required parameter.'),
    901002: (400, 'invalid_request', "The 'resource' request parameter is not supported."),
    900561: (400, 'invalid_request', 'The endpoint only accepts POST requests.'),
    500011: (400, 'invalid_resource', 'The resource principal was not found in the tenant.'),
    50001: (400, 'invalid_resource', 'The resource is missing or disabled.'),
    70011: (400, 'invalid_scope', 'The provided scope is not valid.'),
    1002012: (400, 'invalid_scope', 'The scope for client credentials must end in /.default.'),
    70003: (400, 'unsupported_grant_type', 'The app requested an unsupported grant type.'),
    70000: (400, 'invalid_grant', 'The provided grant is invalid or malformed.'),
    70008: (400, 'invalid_grant', 'The provided authorization code or refresh token has expired.'),
    700082: (400, 'invalid_grant', 'The refresh token has expired due to inactivity.'),
    50173: (400, 'invalid_grant', 'The provided grant has expired due to it being revoked.'),
    54005: (400, 'invalid_grant', 'The authorization code was already redeemed.'),
    50011: (400, 'invalid_request', 'The redirect URI does not match one configured for the application.'),
    500112: (400, 'invalid_client', 'The reply address does not match the one used when requesting the code.'),
    501481: (400, 'invalid_grant', 'The code verifier does not match the code challenge.'),
    50049: (400, 'invalid_instance', 'Unknown or invalid instance.'),
    50020: (400, 'invalid_grant', 'The user account does not exist in this tenant.'),
    50076: (400, 'interaction_required', 'Multi-factor authentication is required.'),
    53003: (400, 'invalid_grant', 'Access has been blocked by conditional access policies.'),
    65001: (400, 'invalid_grant', 'The user or administrator has not consented to use the application.'),
    50196: (400, 'invalid_grant', 'The server terminated a request loop.'),
    90033: (503, 'temporarily_unavailable', 'A transient error has occurred. Please try again.'),
    70016: (400, 'authorization_pending', 'OAuth 2.0 device flow: authorization is pending.'),
    70018: (400, 'bad_verification_code', 'The device code is not valid.'),
    70019: (400, 'expired_token', 'The device code has expired.'),
    65004: (400, 'authorization_declined', 'The user declined to consent.'),
}
# What Entra adds for programs that talk to a user: who has to do what.
SUBERRORS = {65001: 'consent_required', 50173: 'bad_token', 50076: 'basic_action', 53003: 'message_only'}


class Refused(Exception):
    """Raised inside the login service; becomes the answer."""

    def __init__(self, code, *more, status=None, error=None):
        super().__init__(code)
        self.codes, self.status, self.error = (code,) + more, status, error


def answer(refused, clock=None, host='https://login.microsoftonline.com', one_line=False):
    """The JSON that Entra sends. one_line: blanks in place of line ends, as newer servers do."""
    code = refused.codes[0]
    status, error, text = TABLE.get(code, (400, 'invalid_request', 'Request refused.'))
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    stamp = time.strftime('%Y-%m-%d %H:%M:%SZ', time.gmtime(clock.now() if clock else None))
    gap = ' ' if one_line else '\r\n'
    description = gap.join((f'AADSTS{code}: {text} ', f'Trace ID: {trace}', f'Correlation ID: {correlation}',
                            f'Timestamp: {stamp}'))
    body = {'error': refused.error or error, 'error_description': description, 'error_codes': list(refused.codes),
            'timestamp': stamp, 'trace_id': trace, 'correlation_id': correlation,
            'error_uri': f'{host}/error?code={code}', **({'suberror': SUBERRORS[code]} if code in SUBERRORS else {})}
    return Response(refused.status or status, json.dumps(body).encode(), kind='application/json; charset=utf-8')


def refusing(code, *more, **how):
    """A fault (see faults.py): the login service refuses with this AADSTS code."""
    return lambda request, _: answer(Refused(code, *more, **how), request.service.clock)
