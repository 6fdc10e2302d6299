"""What the self-tests share: a world per test, and clients of its services."""
import http.client
import json
import unittest
import urllib.parse

from ..world import World

GRAPH, ENDPOINT = 'https://graph.microsoft.com', 'https://api.securitycenter.microsoft.com'


class Client:
    """A plain HTTP client for one service."""

    def __init__(self, world, service):
        self.world, self.service = world, service
        if service.pair:
            context = world.authority.client_context()
            context.check_hostname = service.name != 'splunkd'
            self.link = http.client.HTTPSConnection('127.0.0.1', service.port, context=context, timeout=10)
        else:
            self.link = http.client.HTTPConnection('127.0.0.1', service.port, timeout=10)

    def ask(self, target, query=None, form=None, method=None, **headers):
        """(status, parsed body or bytes, headers)."""
        headers = {name.replace('_', '-'): value for name, value in headers.items()}
        if query:
            target += '?' + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers['Content-Type'] = 'application/x-www-form-urlencoded'
        try:
            self.link.request(method or ('POST' if form is not None else 'GET'), target, body, headers)
            answer = self.link.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            self.link.close()
            raise
        try:
            data = json.loads(data)
        except ValueError:
            pass
        return answer.status, data, answer.headers


class WithWorld(unittest.TestCase):
    """A fresh world per test."""
    tls = False

    def setUp(self):
        self.world = World(tls=self.tls)
        self.addCleanup(self.world.close)
        self.microsoft, self.identity = self.world.microsoft, self.world.microsoft.identity
        self.tenant = self.microsoft.tenant('acme')

    def link(self, service):
        """A client for a service, closed after the test."""
        client = Client(self.world, service)
        self.addCleanup(client.link.close)
        return client

    def login(self, version=2, tenant=None, client=None, **form):
        """Ask the token endpoint; the tenant's own app unless the form says otherwise."""
        tenant = tenant or self.tenant
        form = dict({'client_id': tenant.app.client_id, 'client_secret': tenant.app.secret}, **form)
        form = {name: value for name, value in form.items() if value is not None}
        path = f'/{tenant.id}/oauth2{"/v2.0" if version == 2 else ""}/token'
        return (client or self.link(self.microsoft.login)).ask(path, form=form)

    def token(self, scope=GRAPH, tenant=None):
        """An access token of an app-only sign-in."""
        return self.login(tenant=tenant, grant_type='client_credentials', scope=scope + '/.default')[1]['access_token']

    def client(self, api, token):
        """A function that asks an alert API: ask(top=10, filter=...) or ask(path)."""
        link = self.link(self.microsoft.service(api))
        path = {'graph': '/v1.0/security/alerts_v2', 'incidents': '/v1.0/security/incidents'}.get(api, '/api/alerts')
        return lambda target=None, **query: link.ask(target or path, {
            name if name.endswith('Utc') or name in ('ago', 'limit') else '$' + name: value
            for name, value in query.items()}, Authorization='Bearer ' + token)
