"""Who issues assertions for workload identity federation: an identity provider with a key, and with it the services of
Azure that give out the tokens of a machine's managed identities (a virtual machine's metadata service, Arc's agent).
Microsoft's own client works with both services (tests/vendor)."""
import base64
import json
import os
import secrets
import subprocess
import tempfile
import uuid

from .certs import signing_pair
from .httpd import Response, Service

PATH = '/metadata/identity/oauth2/token'
AUDIENCE = 'api://AzureADTokenExchange'
ARC_KEYS = '/var/opt/azcmagent/tokens'          # what Arc's challenges say; tests keep the files elsewhere


def _part(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


class Issuer:
    """An identity provider. federate(app) makes an app registration trust it."""

    def __init__(self, clock, issuer='https://issuer.example.test', audience=AUDIENCE):
        self.clock, self.issuer, self.audience = clock, issuer, audience
        self._folder = tempfile.TemporaryDirectory(prefix='world-issuer-')
        self.folder = self._folder.name
        self.pair = signing_pair(self.folder, 'issuer')

    def federate(self, app, subject, **changes):
        """Add the federated credential for this subject to the app registration."""
        app.federated.append({'issuer': self.issuer, 'subject': subject, 'audience': self.audience,
                              'cert': self.pair.cert, **changes})

    def token(self, subject, life_s=3600, **changes):
        """A signed JWT (RS256)."""
        now = int(self.clock.now())
        claims = {'iss': self.issuer, 'sub': subject, 'aud': self.audience, 'iat': now, 'nbf': now,
                  'exp': now + life_s, 'jti': str(uuid.uuid4()), **changes}
        claims = {name: value for name, value in claims.items() if value is not None}
        signed = '.'.join(_part(json.dumps(part).encode()) for part in ({'alg': 'RS256', 'typ': 'JWT', 'kid': 'one'},
                                                                        claims))
        made = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', self.pair.key], input=signed.encode(), check=True,
                              stdout=subprocess.PIPE).stdout
        return f'{signed}.{_part(made)}'

    def close(self):
        """Remove the key."""
        self._folder.cleanup()


class Metadata:
    """A virtual machine's metadata service, or with arc=True the agent of Azure Arc.

    identities: client ID -> subject (the identity's principal), None for the machine's own. life_s: of its tokens.
    outage: statuses that are answered first, in turn. asked: the queries of requests for a token. folder: Arc's key
    files; named: whether Arc's answers name the identity (older agents know only the machine's own)."""

    def __init__(self, world, arc=False):
        self.issuer = Issuer(world.clock, f'https://login.microsoftonline.com/{uuid.uuid4()}/v2.0')
        self.arc, self.named, self.life_s, self.outage, self.asked = arc, True, 86399, [], []
        self.identities, self.challenge = {None: str(uuid.uuid4())}, None
        self._temporary = tempfile.TemporaryDirectory(prefix='world-arc-')
        self.folder, self._keys = self._temporary.name, set()
        self.service = Service(world.loop, 'metadata', self._handle, clock=world.clock)

    @property
    def url(self):
        """The endpoint, as IDENTITY_ENDPOINT has it."""
        return self.service.url + PATH

    def _refuse(self, status, error, text):
        return Response(status, json.dumps({'error': error, 'error_description': text}).encode())

    def _shown_key(self, request):
        kind, _, key = request.headers.get('authorization', '').partition(' ')
        return kind == 'Basic' and key in self._keys

    def _ask_for_key(self):
        key, name = secrets.token_hex(16), f'{uuid.uuid4()}.key'
        self._keys.add(key)
        with open(os.path.join(self.folder, name), 'w', encoding='ascii') as file:
            file.write(key)
        return Response(401, b'', {'WWW-Authenticate': self.challenge or f'Basic realm={ARC_KEYS}/{name}'}.items())

    def _handle(self, request):
        query, version = request.args, '2020-06-01' if self.arc else '2018-02-01'
        if request.path != PATH or request.method != 'GET':
            return Response(404, b'', kind=None)
        if request.headers.get('metadata') != 'true' or 'x-forwarded-for' in request.headers:
            return self._refuse(400, 'invalid_request', 'Required metadata header not specified')
        if query.get('api-version') != version or not query.get('resource'):
            return self._refuse(400, 'invalid_request', 'Required query variables are missing or not supported')
        if self.outage:
            return self._refuse(self.outage.pop(0), 'server_error', 'not now')
        if self.arc and not self._shown_key(request):
            return self._ask_for_key()
        self.asked.append(query)
        client_id = query.get('client_id') if self.named else None
        if client_id not in self.identities:
            return self._refuse(400, 'invalid_request', 'Identity not found')
        return self._give(query, client_id)

    def _give(self, query, client_id):
        token = self.issuer.token(self.identities[client_id], self.life_s, aud=query['resource'])
        now = int(self.issuer.clock.now())
        body = {'access_token': token, 'client_id': client_id or str(uuid.uuid5(uuid.NAMESPACE_DNS, self.folder)),
                'expires_in': str(self.life_s), 'expires_on': str(now + self.life_s),
                'ext_expires_in': str(self.life_s), 'not_before': str(now), 'resource': query['resource'],
                'token_type': 'Bearer'}
        return Response(200, json.dumps(body).encode())

    def close(self):
        """Stop and remove the files."""
        self.service.stop()
        self.issuer.close()
        self._temporary.cleanup()
