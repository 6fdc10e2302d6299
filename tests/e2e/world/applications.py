"""What Graph tells of an app registration: its service principal in a tenant, and its credentials at home."""
import datetime
import json
import re
import uuid

from .httpd import Response

_PATH = re.compile(r"/v1\.0/(applications|servicePrincipals)\(appId='([0-9a-f-]+)'\)\Z")
_LIFE_S = 730 * 86400
READS = {'Application.Read.All', 'Application.ReadWrite.OwnedBy', 'Application.ReadWrite.All'}


def kind_of(path):
    """'applications', 'servicePrincipals' or None."""
    match = _PATH.match(path)
    return match and match[1]


def _error(status, code, message):
    return Response(status, json.dumps({'error': {'code': code, 'message': message, 'innerError': {
        'date': '2026-11-01T08:00:00', 'request-id': str(uuid.uuid4())}}}).encode(), {'request-id': str(uuid.uuid4())})


def _iso(seconds):
    return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')


def credentials(app, now):
    """passwordCredentials as Graph shows them: never the secret itself, but its first three characters."""
    return [{'customKeyIdentifier': None, 'displayName': 'made by a test', 'hint': secret[:3],
             'startDateTime': _iso(now - 86400), 'endDateTime': _iso(ends or now + _LIFE_S),
             'keyId': str(uuid.uuid5(uuid.NAMESPACE_OID, secret)), 'secretText': None}
            for secret, ends in app.secrets.items()]


def answer(request, token, now):
    """Answer one request; token: a valid one for Graph."""
    kind, client_id = _PATH.match(request.path).groups()
    wanted = request.args.get('$select', '').split(',')
    app = token.tenant.apps.get(client_id)
    own = token.app.client_id == client_id
    if kind == 'servicePrincipals':
        if not own:                         # an app may read its own without any permission
            return _error(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.')
        whole = {'id': str(uuid.uuid5(uuid.NAMESPACE_OID, token.tenant.id)), 'appId': client_id,
                 'appOwnerOrganizationId': app.home}
    else:
        if not token.app.at_home & READS or token.tenant.id != token.app.home:
            return _error(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.')
        if app is None or app.home != token.tenant.id:
            return _error(404, 'Request_ResourceNotFound', f"Resource '{client_id}' does not exist.")
        whole = {'id': str(uuid.uuid5(uuid.NAMESPACE_OID, client_id)), 'appId': client_id,
                 'passwordCredentials': credentials(app, now), 'keyCredentials': app.key_credentials}
    fields = {name: value for name, value in whole.items() if wanted == [''] or name in wanted}
    return Response(200, json.dumps({'@odata.context': f'{request.base}/v1.0/$metadata#{kind}/$entity',
                                     **fields}).encode(), {'request-id': str(uuid.uuid4())})
