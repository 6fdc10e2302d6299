"""A world whose customers sign in at the real OAuth server; the alerts still come from the stand-ins."""
import base64
import json
import os
import tempfile

from oidc import Oidc
from world.certs import signing_pair
from world.login import AUDIENCES, App, Token
from world.runner import wait_for
from world.world import World

REDIRECT = 'https://SiemMsspConnector'


class _Issued(dict):
    """The alert APIs' view of access tokens: good are those that the OAuth server issued, and for what they say."""

    def __init__(self, server, microsoft, lifetime_s):
        super().__init__()
        self._server, self._microsoft, self._lifetime_s = server, microsoft, lifetime_s

    def get(self, text, default=None):
        if text and text not in self:
            try:
                # The answer may be here before the server's line about it.
                wait_for(lambda: self._server.issued(text), 2)
            except TimeoutError:
                return default
            self[text] = self._token(text)
        return super().get(text, default)

    def _token(self, text):
        part = text.split('.')[1]
        claims = json.loads(base64.urlsafe_b64decode(part + '=' * (-len(part) % 4)))
        tenant = next(each for each in self._microsoft.tenants.values() if each.id == claims['tid'])
        return Token(tenant, tenant.apps[claims['appid']], claims['aud'], 1 if claims['ver'] == '1.0' else 2,
                     self._microsoft.clock.steady() + self._lifetime_s)


class RealWorld(World):
    """names: the customers. rotation: 'strict' or 'entra'. certificates: names of those whose app has a certificate
    instead of a secret; algorithms: what those accept; federated: {name: what the app's federated credential
    is (oidc/server.mjs)}, whose inputs use Microsoft's own sign-in host (World(own_hosts=True)); more: of the server's
    configuration (oidc/server.mjs)."""

    def __init__(self, names, rotation='strict', lifetime_s=3599, certificates=(), algorithms=None,
                 federated=(), **more):
        super().__init__(own_hosts=bool(federated))
        self._federated = dict(federated)
        self._folder = tempfile.TemporaryDirectory(prefix='real-world-')
        self.oidc, self.pems, self.devices = None, {}, {}
        try:
            tenants = dict(self._tenant(name, rotation, name in certificates, algorithms) for name in names)
            hosts = ('127.0.0.1', 'login.microsoftonline.com') if federated else ()
            self.oidc = Oidc(self.authority.server(*hosts), self.authority.cert, self._folder.name, tenants,
                             sorted(set().union(*AUDIENCES.values())), lifetime_s=lifetime_s, **more)
        except BaseException:
            self.close()
            raise
        if federated:
            self.proxy.places['login.microsoftonline.com:443'] = int(self.oidc.url.rpartition(':')[2])
        self.microsoft.identity.access = _Issued(self.oidc, self.microsoft, lifetime_s)

    def _tenant(self, name, rotation, by_certificate, algorithms):
        tenant = self.microsoft.tenant(name)
        app = {'client_id': tenant.app.client_id, 'redirect_uris': [REDIRECT], 'roles': ['SecurityAlert.Read.All']}
        if by_certificate:
            pair = signing_pair(self._folder.name, name)
            app.update(certificate=pair.cert, algorithms=algorithms)
            self.pems[name] = self.one_file(pair)
        elif name in self._federated:
            app['federated'] = self._federated[name]
        else:
            app['secret'] = tenant.app.secret
        public = {'client_id': self.public_client(name), 'public': True, 'redirect_uris': [REDIRECT]}
        return tenant.id, {'domains': [tenant.domain], 'rotation': rotation, 'apps': [app, public]}

    def public_client(self, name):
        """Client id of the customer's app for device codes, which has no secret."""
        return self.devices.setdefault(name, self.microsoft.tenant(name).add_app(App(public=True))).client_id

    def one_file(self, pair):
        """Certificate and key in one file, as client_certificate wants them."""
        path = pair.cert[:-4] + '.both.pem'
        with open(path, 'wb') as both:
            for name in (pair.key, pair.cert):
                with open(name, 'rb') as part:
                    both.write(part.read())
        os.chmod(path, 0o600)
        return path

    def params(self, tenant, api, app=None, **changes):
        """As in World, signing in at the OAuth server."""
        if not self._federated:
            changes.setdefault('login_url', self.oidc.url)
        if tenant.name in self.pems:
            changes.setdefault('client_secret', None)
            changes.setdefault('client_certificate', self.pems[tenant.name])
        return super().params(tenant, api, app, **changes)

    def landing(self, name, v1=True, resource='https://graph.windows.net'):
        """Sign in as a person would; the address of the page on which it ends."""
        tenant = self.microsoft.tenant(name)
        return self.oidc.sign_in(self.oidc.address(tenant.id, tenant.app.client_id, REDIRECT, resource, v1))

    def granted(self, name, at_least=0, **facts):
        """The OAuth server's lines about this customer. They may come after its answers: this waits for at_least."""
        def lines():
            return self.oidc.requests(self.microsoft.tenant(name).id, **facts)

        wait_for(lambda: len(lines()) >= at_least, 10, lambda: f'{at_least} token requests; {lines()}')
        return lines()

    def refresh_token(self, name):
        """What stands in Splunk's password store."""
        tenant = self.microsoft.tenant(name)
        return self.splunkd.password(f'refresh_token.{tenant.id}.{tenant.app.client_id}')

    def close(self):
        super().close()
        if self.oidc:
            self.oidc.close()
        self._folder.cleanup()
