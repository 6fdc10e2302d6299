"""Microsoft's side of a test: the login service and the alert APIs, steered from the test itself."""
import collections
import uuid

from .alerts import AlertApi
from .clock import Clock
from .faults import Faults
from .feed import Feed
from .generate import Maker
from .httpd import Loop, Service
from .ledger import Ledger
from .limits import Limits
from .login import App, Login


class Tenant:
    """A customer's directory. app is the registration used unless a test asks for another one; feeds maps the API's
    name to what it shows."""

    def __init__(self, microsoft, name, app, seed):
        self.id = str(uuid.uuid5(uuid.NAMESPACE_DNS, f'{seed}/{name}.example.test'))
        self.name, self.domain, self.app = name, f'{name}.example.test', app
        self.apps, self.feeds = {}, {}
        self._microsoft, self._seed = microsoft, seed
        self._refusing = set()
        self.add_app(app)

    def add_app(self, app):
        """Make another registration known in this tenant."""
        app.home = app.home or self.id
        self.apps[app.client_id.lower()] = app
        return app

    def consent(self, app=None, given=True):
        """Give or withdraw the customer's consent. Without it an app still gets tokens, with which the APIs answer 403.
        A refresh token is refused, and so is a sign-in."""
        (self._refusing.discard if given else self._refusing.add)((app or self.app).client_id)

    def consented(self, app):
        """Did the customer agree to this app?"""
        return app.client_id not in self._refusing

    def feed(self, api):
        """The alerts of this tenant at 'graph', 'endpoint', 'siem' or 'incidents'; made on first use. An API whose
        feed was never asked for answers 403, as for a customer without the license."""
        if api not in self.feeds:
            self.feeds[api] = Feed(self, api, self._microsoft.clock, Maker(api, self.id, self._seed))
        return self.feeds[api]

    def __repr__(self):
        return f'<tenant {self.name} {self.id}>'


class Microsoft:
    """All services, each on a port of its own on loopback.

    login, graph (alerts_v2 and incidents), endpoint, siem: the Service objects (url, log, stop(), start(), ...).
    identity: tokens and their steering. faults, limits, clock, ledger: see their modules. pair: certificate for TLS,
    None for plain http. http2: offered by all of them."""

    def __init__(self, pair=None, clock=None, loop=None, seed=0, http2=False):
        self._own_loop = None if loop else Loop()
        self.loop = loop or self._own_loop
        self.clock, self.seed = clock or Clock(), seed
        self.faults, self.limits, self.ledger = Faults(seed), Limits(self.clock), Ledger()
        self.identity = Login(self.clock)
        self.tenants = {}
        api = AlertApi(self.identity, self.limits, self.clock)
        how = {'pair': pair, 'clock': self.clock, 'faults': self.faults, 'http2': http2}
        self.login = Service(self.loop, 'login', self.identity.handle, identify=self.identity.identify, **how)
        self.graph, self.endpoint, self.siem = (
            Service(self.loop, name, api.handle, identify=api.identify, **how) for name in
            ('graph', 'endpoint', 'siem'))
        self.services = (self.login, self.graph, self.endpoint, self.siem)
        self.doors = {}         # forwarder -> service's name -> Service

    def tenant(self, name, app=None):
        """The tenant of this name, made on first use, with its own app registration unless one is given."""
        if name not in self.tenants:
            tenant = Tenant(self, name, app or App(), self.seed)
            self.tenants[name] = tenant
            self.identity.tenants[tenant.id] = self.identity.tenants[tenant.domain] = tenant
        return self.tenants[name]

    def service(self, api):
        """The service at which an API lives."""
        return self.graph if api == 'incidents' else getattr(self, api)

    def url(self, api):
        """The base address to configure for an API, or for 'login'."""
        return self.service(api).url

    def door(self, forwarder):
        """Ports of its own for a forwarder to each of the services, so that its link can be cut alone, and requests say
        who sent them: request.service.forwarder. Service's name -> Service."""
        if forwarder not in self.doors:
            self.doors[forwarder] = {each.name: each.twin() for each in self.services}
            for door in self.doors[forwarder].values():
                door.forwarder = forwarder
        return self.doors[forwarder]

    def _all(self, forwarder=None):
        if forwarder:
            return list(self.doors[forwarder].values())
        return [*self.services, *(door for doors in self.doors.values() for door in doors.values())]

    def requests(self, tenant=None, service=None, kind=None, forwarder=None):
        """The request log of all services, in order of arrival, reduced to what is asked for."""
        wanted = getattr(tenant, 'id', tenant)
        found = [entry for each in self._all(forwarder) for entry in list(each.log)
                 if wanted in (None, entry.tenant) and service in (None, entry.service) and kind in (None, entry.kind)]
        return sorted(found, key=lambda entry: entry.when)

    def limit_logs(self, count):
        """Keep only the last requests of each service: for runs of hours."""
        for service in self._all():
            service.log = collections.deque(service.log, maxlen=count)

    def crashes(self):
        """Tracebacks of stand-ins that broke; anything here makes a test worthless."""
        return [text for service in self._all() for text in service.crashes]

    def close(self):
        """Stop everything."""
        for service in self._all():
            service.stop()
        if self._own_loop:
            self._own_loop.close()
