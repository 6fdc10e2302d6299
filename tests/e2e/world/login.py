"""The login service: Entra's token endpoints, v1 and v2, for many tenants. Microsoft's own client works with it
(tests/vendor).

Stricter than the real one where being lenient would hide a mistake of the client, e.g. a `resource` sent to v2.
"""
import base64
import dataclasses
import hashlib
import json
import secrets
import urllib.parse
import uuid

from . import assertion, discovery
from .httpd import Response
from .login_errors import Refused, answer

GRAPH = frozenset({'https://graph.microsoft.com', 'https://graph.microsoft.us', 'https://dod-graph.microsoft.us'})
AUDIENCES = {
    'graph': GRAPH, 'incidents': GRAPH, 'siem': frozenset({'https://graph.windows.net'}),
    'endpoint': frozenset({'https://api.securitycenter.microsoft.com', 'https://api-gcc.securitycenter.microsoft.us',
                           'https://securitycenter.onmicrosoft.com/windowsatpservice',
                           'https://api-gov.securitycenter.microsoft.us'}),
    'xdr': frozenset({'https://api.security.microsoft.com'})}
ROLES = {'graph': ['SecurityAlert.Read.All'], 'incidents': ['SecurityIncident.Read.All'],
         'endpoint': ['Alert.Read.All'], 'siem': [], 'xdr': ['Incident.Read.All']}
_DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'
_CODE_LIFE_S, _IDLE_S = 600, 90 * 86400
_NO_RESOURCE = {'offline_access', 'openid', 'profile', 'email'}
_DOCUMENTS = {'v2.0/.well-known/openid-configuration': 2, '.well-known/openid-configuration': 1}


class App:
    """An app registration. secrets: text -> expiry (epoch seconds) or None. certificates: PEM files. federated:
    see metadata.py. granted: the APIs whose application permission was consented to. writes: permissions to change
    alerts or incidents. public: a client that must not show a secret. home: the tenant that it is registered in (its
    ID; the first one that knows it). at_home: permissions of Graph that it has there. key_credentials: as Graph tells
    them of its certificates."""

    def __init__(self, client_id=None, secret=None, redirect_uris=('https://SiemMsspConnector',), public=False):
        self.client_id = client_id or str(uuid.uuid4())
        # Characters that a form must percent-encode stand in every secret.
        self.secret = secret or 'Aa8Q~' + secrets.token_urlsafe(24) + '+/=.&%'
        self.secrets, self.certificates, self.federated = {self.secret: None}, [], []
        self.redirect_uris, self.public = list(redirect_uris), public
        self.granted, self.writes = set(AUDIENCES), set()
        self.home, self.at_home, self.key_credentials = None, set(), []


@dataclasses.dataclass
class Token:
    """An issued token or code. Times are steady seconds."""
    tenant: object
    app: App
    audience: str = ''
    version: int = 2
    expires: float = 0
    revoked: bool = False
    used: bool = False
    details: dict = dataclasses.field(default_factory=dict)


class Login:
    """State and handlers. rotation: 'keep' (old refresh tokens stay good, as Entra), 'strict' (a used one is dead and
    takes its successors with it), 'same' (no new one is issued)."""

    def __init__(self, clock):
        self.clock, self.tenants = clock, {}
        self.access, self.refresh, self.codes, self.devices = {}, {}, {}, {}
        self.rotation, self.life_s, self.token_size, self.refresh_size = 'keep', 3599, 1500, 1300
        self.one_line_errors = False
        self.issued = 0

    # --- what tests use -------------------------------------------------------------------------------------------

    def new_refresh_token(self, tenant, app=None, family=None):
        """A refresh token as an interactive sign-in would have given it."""
        text = '1.A' + secrets.token_urlsafe(self.refresh_size * 3 // 4)
        token = Token(tenant, app or tenant.app, expires=self.clock.steady() + _IDLE_S)
        token.details['family'] = family if family is not None else text
        self.refresh[text] = token
        return text

    def new_code(self, tenant, app=None, redirect_uri=None, resource=None, scope='', challenge=None, method='plain',
                 nonce=None):
        """An authorization code, as the sign-in page would have sent it to redirect_uri."""
        text = '1.B' + secrets.token_urlsafe(700) + '_'
        app = app or tenant.app
        self.codes[text] = Token(tenant, app, expires=self.clock.steady() + _CODE_LIFE_S, details={
            'redirect_uri': redirect_uri or app.redirect_uris[0], 'resource': resource, 'scope': scope,
            'challenge': challenge, 'method': method, 'nonce': nonce})
        return text

    def landing_address(self, code, redirect_uri='https://SiemMsspConnector', **more):
        """The address a browser shows after the sign-in: host in lower case and a slash after it."""
        scheme, _, host = redirect_uri.partition('://')
        host, slash, path = host.partition('/')
        query = urllib.parse.urlencode({'code': code, **more, 'session_state': str(uuid.uuid4())})
        return f'{scheme}://{host.lower()}{slash or "/"}{path}?{query}'

    def revoke(self, tenant=None, access=True, refresh=False):
        """Make the tokens of a tenant (None: of all) useless, e.g. in the middle of paging."""
        for table, wanted in ((self.access, access), (self.refresh, refresh)):
            for token in list(table.values()) if wanted else ():
                if tenant is None or token.tenant is tenant:
                    token.revoked = True

    def approve_device(self, user_code, declined=False):
        """The user typed the code (or said no)."""
        for token in self.devices.values():
            if token.details['user_code'] == user_code:
                token.details['state'] = 'declined' if declined else 'approved'

    # --- requests -------------------------------------------------------------------------------------------------

    def identify(self, request):
        """Fill in kind and tenant from the path."""
        parts = request.path.strip('/').split('/')
        tenant = self.tenants.get(parts[0].lower()) if parts else None
        request.tenant = tenant.id if tenant else None
        request.kind = parts[-1]

    def handle(self, request):
        """Answer one request."""
        parts = request.path.strip('/').split('/')
        version = 2 if parts[1:-1] == ['oauth2', 'v2.0'] else 1 if parts[1:-1] == ['oauth2'] else 0
        handlers = {'token': self._token, 'devicecode': self._devicecode, 'authorize': self._authorize}
        document = _DOCUMENTS.get('/'.join(parts[1:]))
        if not document and parts[1:] != ['discovery', 'instance'] and (not version or parts[-1] not in handlers):
            return Response(404, b'', kind=None)
        try:
            tenant = self.tenants.get(parts[0].lower())
            if document:
                response = discovery.tenant(request, tenant, parts[0].lower(), document)
            elif parts[1] == 'discovery':
                response = discovery.instance(request)
            elif tenant is None:
                raise Refused(9001023 if parts[0] in discovery.ALIASES else 90002)
            else:
                response = handlers[parts[-1]](request, tenant, version)
        except Refused as refused:
            response = answer(refused, self.clock, request.base, self.one_line_errors)
        response.headers.update({'Cache-Control': 'no-store, no-cache', 'x-ms-request-id': str(uuid.uuid4())})
        return response

    def _token(self, request, tenant, version):
        if request.method != 'POST':
            raise Refused(900561)
        if 'application/x-www-form-urlencoded' not in request.headers.get('content-type', ''):
            raise Refused(900144)
        form = request.form
        if version == 2 and 'resource' in form:
            raise Refused(901002)
        grants = {'client_credentials': self._client_credentials, 'refresh_token': self._redeem_refresh,
                  'authorization_code': self._redeem_code, _DEVICE: self._redeem_device,
                  'device_code': self._redeem_device}
        grant = grants.get(form.get('grant_type'))
        if grant is None:
            raise Refused(70003 if form.get('grant_type') else 900144)
        app = self._client(request, form, tenant, grant == self._client_credentials)
        return grant(form, tenant, app, version)

    def _client(self, request, form, tenant, secret_needed):
        basic = request.basic_auth() or (None, None)
        client_id = form.get('client_id') or basic[0]
        secret = form.get('client_secret') or (urllib.parse.unquote_plus(basic[1]) if basic[1] else None)
        if not client_id:
            raise Refused(900144)
        app = tenant.apps.get(client_id.lower())
        if app is None:
            raise Refused(700016)
        signed = form.get('client_assertion')
        if app.public and not secret_needed:
            if secret or signed:
                raise Refused(700025)
            return app
        if signed and assertion.is_federated(signed):
            assertion.check_federated(signed, app.federated, self.clock.now())
        elif signed:
            audiences = {f'{request.base}/{name}/oauth2{middle}/token' for name in (tenant.id, tenant.domain)
                         for middle in ('', '/v2.0')}
            assertion.check(signed, app.client_id, app.certificates, audiences, self.clock.now())
        elif not secret:
            raise Refused(7000218)
        elif secret not in app.secrets:
            raise Refused(7000215)
        elif app.secrets[secret] is not None and app.secrets[secret] <= self.clock.now():
            raise Refused(7000222)
        return app

    def _audience(self, form, version, granted_before=None, default_needed=False):
        """The one resource a request is about, checked against those that exist."""
        if version == 1:
            resource = form.get('resource') or granted_before
            if not resource:
                raise Refused(50001)
        else:
            scopes = [scope for scope in form.get('scope', '').split() if scope not in _NO_RESOURCE]
            if not scopes and granted_before:
                return granted_before
            if not scopes:
                raise Refused(900144)
            heads = {scope.rpartition('/')[0] for scope in scopes}
            if len(heads) != 1 or '' in heads:
                raise Refused(70011)
            if default_needed and scopes[0].rpartition('/')[2] != '.default':
                raise Refused(1002012)
            resource = heads.pop()
        resource = resource.rstrip('/')
        if not any(resource in known for known in AUDIENCES.values()):
            raise Refused(500011)
        return resource

    def _client_credentials(self, form, tenant, app, version):
        audience = self._audience(form, version, default_needed=True)
        return self._grant(form, tenant, app, audience, version, None)

    def _redeem_refresh(self, form, tenant, app, version):
        text = form.get('refresh_token')
        token = self.refresh.get(text)
        if not text:
            raise Refused(900144)
        if token is None or token.app is not app:
            raise Refused(70000)
        if token.tenant is not tenant:
            raise Refused(50020)
        family = token.details['family']
        if self.rotation == 'strict' and token.used:
            for other in self.refresh.values():
                other.revoked = other.revoked or other.details['family'] == family
        if token.revoked:
            raise Refused(50173)
        if token.expires <= self.clock.steady():
            raise Refused(700082, 70008)
        if not tenant.consented(app):
            raise Refused(65001)
        audience = self._audience(form, version, token.audience or None)
        token.used, token.expires = True, self.clock.steady() + _IDLE_S
        fresh = None if self.rotation == 'same' else self.new_refresh_token(tenant, app, family)
        return self._grant(form, tenant, app, audience, version, fresh, {})

    def _redeem_code(self, form, tenant, app, version):
        code = self.codes.get(form.get('code', ''))
        if code is None or code.app is not app or code.tenant is not tenant:
            raise Refused(70000)
        if code.used:
            raise Refused(54005)
        if code.expires <= self.clock.steady():
            raise Refused(70008)
        if form.get('redirect_uri') != code.details['redirect_uri']:
            raise Refused(500112)
        if not _verifier_fits(form.get('code_verifier'), code.details):
            raise Refused(501481)
        audience = self._audience(form, version, code.details['resource'])
        if code.details['resource'] and version == 1 and audience != code.details['resource'].rstrip('/'):
            raise Refused(500011)
        code.used = True
        wanted = version == 1 or 'offline_access' in (form.get('scope', '') + ' ' + code.details['scope']).split()
        return self._grant(form, tenant, app, audience, version,
                           self.new_refresh_token(tenant, app) if wanted else None, code.details)

    def _redeem_device(self, form, tenant, app, version):
        device = self.devices.get(form.get('device_code') or form.get('code', ''))
        if device is None or device.app is not app or device.used:
            raise Refused(70018)
        if device.expires <= self.clock.steady():
            raise Refused(70019)
        if device.details['state'] != 'approved':
            raise Refused(65004 if device.details['state'] == 'declined' else 70016)
        device.used = True
        wanted = version == 1 or 'offline_access' in device.details['scope'].split()
        return self._grant(form, tenant, app, device.audience, version,
                           self.new_refresh_token(tenant, app) if wanted else None, device.details)

    def _grant(self, form, tenant, app, audience, version, refresh, details=None):
        """The token response. details: of the code that is redeemed, {} for a refresh; None if there is no user."""
        self.issued += 1
        text = self._access_text(tenant, app, audience, version, details is not None)
        self.access[text] = Token(tenant, app, audience, version, self.clock.steady() + self.life_s)
        if self.issued % 4096 == 0:
            self._forget_expired()
        body = {'token_type': 'Bearer', 'expires_in': self.life_s, 'ext_expires_in': self.life_s}
        if version == 1:
            now = int(self.clock.now())
            body.update({'expires_in': str(self.life_s), 'ext_expires_in': str(self.life_s), 'resource': audience,
                         'expires_on': str(now + self.life_s), 'not_before': str(now - 300)})
        body['access_token'] = text
        if details is not None:
            scopes = set(f'{form.get("scope", "")} {details.get("scope", "")}'.split())
            granted = {f'{audience}/.default', *(scopes - _NO_RESOURCE)}
            body['scope'] = 'user_impersonation' if version == 1 else ' '.join(sorted(granted))
            body.update(discovery.user(tenant, app, self.clock.now(), scopes, details.get('nonce'),
                                       form.get('client_info') == '1'))
        if refresh:
            self.refresh[refresh].audience = audience
            body['refresh_token'] = refresh
        return Response(200, json.dumps(body).encode(), kind='application/json; charset=utf-8')

    def _access_text(self, tenant, app, audience, version, user):
        """A JWT that says what was granted, in the shape of Entra's; its signature is noise up to token_size."""
        granted = sorted(role for api, roles in ROLES.items() if api in app.granted and audience in AUDIENCES[api]
                         for role in roles) + sorted(app.writes) if tenant.consented(app) else []
        if audience in GRAPH and tenant.id == app.home:
            granted += sorted(app.at_home)
        claims = {'aud': audience, 'tid': tenant.id, 'appid': app.client_id, 'ver': f'{version}.0',
                  'uti': secrets.token_urlsafe(9), 'n': self.issued}
        if user:
            claims['scp'] = ' '.join(granted)
        elif granted:
            claims['roles'] = granted
        head = '.'.join(discovery.pack(part) for part in ({'typ': 'JWT', 'alg': 'RS256'}, claims))
        return head + '.' + secrets.token_urlsafe(max(32, (self.token_size - len(head)) * 3 // 4))

    def _forget_expired(self):
        now = self.clock.steady()
        self.access = {text: token for text, token in self.access.items() if token.expires > now - 600}

    def _devicecode(self, request, tenant, version):
        form = request.form if request.method == 'POST' else request.args
        app = tenant.apps.get(form.get('client_id', '').lower())
        if app is None:
            raise Refused(700016)
        text, user_code = secrets.token_urlsafe(600), secrets.token_hex(4).upper()
        self.devices[text] = Token(tenant, app, self._audience(form, version), version, self.clock.steady() + 900,
                                   details={'user_code': user_code, 'state': 'pending',
                                            'scope': form.get('scope', '')})
        where = f'{request.base}/device'
        number = (lambda value: str(value)) if version == 1 else (lambda value: value)
        body = {'user_code': user_code, 'device_code': text, 'expires_in': number(900), 'interval': number(1),
                'message': f'To sign in, open {where} and enter the code {user_code}.',
                'verification_url' if version == 1 else 'verification_uri': where}
        return Response(200, json.dumps(body).encode())

    def _authorize(self, request, tenant, version):
        """Signs the imagined user in at once and redirects as the browser would be."""
        args = request.args
        app = tenant.apps.get(args.get('client_id', '').lower())
        target = args.get('redirect_uri', '')
        if app is None or target not in app.redirect_uris or args.get('response_type') != 'code':
            code = 700016 if app is None else 50011 if target not in app.redirect_uris else 900144
            page = f'<html><body>Sorry, but we are having trouble: AADSTS{code}</body></html>'
            return Response(400, page.encode(), kind='text/html; charset=utf-8')
        more = {'state': args['state']} if 'state' in args else {}
        if not tenant.consented(app):       # the user was asked again, and said no
            more.update(error='access_denied', error_description='AADSTS65004: User declined to consent to access the '
                                                                 'app.')
            return Response(302, b'', {'Location': f'{target}?{urllib.parse.urlencode(more)}'})
        code = self.new_code(tenant, app, target, args.get('resource'), args.get('scope', ''),
                             args.get('code_challenge'), args.get('code_challenge_method', 'plain'), args.get('nonce'))
        if args.get('client_info') == '1':
            more['client_info'] = discovery.user(tenant, app, 0, (), client_info=True)['client_info']
        return Response(302, b'', {'Location': self.landing_address(code, target, **more)})


def _verifier_fits(verifier, details):
    if not details['challenge']:
        return not verifier
    if not verifier or not 43 <= len(verifier) <= 128:
        return False
    if details['method'] == 'S256':
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).rstrip(b'=').decode()
    return verifier == details['challenge']
