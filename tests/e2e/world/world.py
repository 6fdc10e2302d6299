"""All stand-ins together, wired up: the shortest way into a test."""
import threading

from . import inputxml
from .certs import Authority
from .clock import Clock
from .httpd import Loop
from .ledger import Tally
from .login import App
from .microsoft import Microsoft
from .proxy import Proxy
from .runner import Program, SplunkHome, validate
from .splunkd import KIND, Splunkd

OWN_HOSTS = {'login.microsoftonline.com': 'login', 'graph.microsoft.com': 'graph'}


class World:
    """Microsoft, splunkd, a SPLUNK_HOME and the program between them.

    tls=False: plain http on loopback everywhere. splunkd_names: names in splunkd's certificate (as shipped, it does
    not fit 127.0.0.1). ca_where: see SplunkHome. http2: Microsoft's side offers it. far: inputs name Microsoft's side
    by a name that is no loopback address, so that a proxy is used; without one it is reached all the same, since curl
    and the stand-in of a proxy resolve it to this machine. own_hosts: inputs use Microsoft's own names (sign-in and
    Graph), which a proxy leads to the stand-ins. Use it as a context manager: leaving it ends the program and
    fails if the program or a stand-in did what it never may (sanitizer report, broken stream, a crash of a
    stand-in)."""

    def __init__(self, tls=True, seed=0, clock=None, splunkd_names=('SplunkServerDefaultCert',), ca_where='auth',
                 arguments=None, http2=False, far=False, own_hosts=False):
        self.loop, self.clock, self.seed = Loop(), clock or Clock(), seed
        self.authority = Authority() if tls else None
        names = ('127.0.0.1', *OWN_HOSTS) if own_hosts else ()
        self.microsoft = Microsoft(self.authority and self.authority.server(*names), self.clock, self.loop, seed,
                                   http2)
        self.faults, self.ledger = self.microsoft.faults, self.microsoft.ledger
        self.splunkd = Splunkd(self.loop, self.authority and self.authority.server(*splunkd_names), self.clock,
                               self.faults, arguments)
        self.home = SplunkHome(self.authority and self.authority.cert, ca_where, self.splunkd.url)
        self.far = far
        self.splunkd.hosts = tuple(dict.fromkeys(self.url(service.name) for service in self.microsoft.services))
        self.proxy = Proxy(self.loop, places={f'{host}:443': self.microsoft.service(api).port for host, api in
                                              OWN_HOSTS.items()}) if own_hosts else None
        self.programs, self.feeds = [], {}
        self._shared, self._closed, self._starting = None, False, threading.RLock()

    # --- customers ------------------------------------------------------------------------------------------------

    def url(self, api):
        """The base address that inputs name for an API, or for 'login'."""
        url = self.microsoft.url(api)
        return url.replace('127.0.0.1', 'far.localhost') if self.far else url

    def shared_app(self):
        """One multitenant registration, as an MSSP uses it for all customers."""
        self._shared = self._shared or App()
        return self._shared

    def params(self, tenant, api, app=None, **changes):
        """Parameters of an input for this tenant; a change to None leaves the parameter out."""
        app = app or tenant.app
        params = {'tenant_id': tenant.id, 'client_id': app.client_id, 'client_secret': app.secret, 'api': api,
                  'login_url': self.url('login'), 'api_url': self.url(api), 'poll_interval': '1'}
        if self.authority:
            params['ca_file'] = self.authority.cert
        if self.proxy:
            del params['login_url'], params['api_url']
            params['proxy'] = self.proxy.url
        params.update(changes)
        return {name: str(value) for name, value in params.items() if value is not None}

    def customer(self, name, api='graph', shared=False, stored=True, where=None, app='search', **changes):
        """A tenant, an input of the same name that reads it, and the ledger's expectation. Returns the feed.

        stored: the secret already is in Splunk's store and masked in the input; False: it arrives in clear."""
        tenant = self.microsoft.tenant(name, self.shared_app() if shared else None)
        params = self.params(tenant, api, **changes)
        if stored and params.get('client_secret') == tenant.app.secret:
            hosts = {*self.splunkd.hosts, params.get('login_url'), params.get('api_url')} - {None}
            self.splunkd.store(f'client_secret.{params["client_id"]}', params['client_secret'], hosts=sorted(hosts))
            params['client_secret'] = '********'
        self.splunkd.add_input(name, app, **params)
        feed = self.feeds[name] = tenant.feed(api)
        self.ledger.bind(f'{KIND}://{name}', feed, where)
        return feed

    # --- the program ----------------------------------------------------------------------------------------------

    def xml(self, **variant):
        """The `<input>` document of all enabled inputs; variant: keywords of inputxml.stream_input."""
        return inputxml.stream_input(self.home.header(self.splunkd.session_key), self.splunkd.stanzas(), **variant)

    def start(self, xml=None, variant=None, **how):
        """Start the program in stream mode (keywords of Program); also kept as .program."""
        program = Program(self.home, self.xml(**(variant or {})) if xml is None else xml, **how)
        self.programs.append(program)
        return program

    program = property(lambda self: self.programs[-1])

    def restart(self, **how):
        """SIGTERM, then a new start, as splunkd does after an edit."""
        with self._starting:
            if self._closed:
                return None
            if self.program.running:
                self.program.terminate()
            return self.start(**how)

    def follow_edits(self, **how):
        """Restart the program by itself whenever an input is changed through REST, and validate before it is."""
        def check(name, params):
            result = validate(self.home, name, params, self.splunkd.session_key, how.get('environment'),
                              how.get('program'))
            return None if result.code == 0 else result.message or f'exited with code {result.code}'
        self.splunkd.validate = check
        self.splunkd.changed = lambda stanza: self.restart(**how)

    def events(self):
        """Everything that was read from all runs so far."""
        return [event for program in self.programs for event in program.events]

    def verdict(self, until=None):
        """The ledger's judgment over all runs."""
        return self.ledger.compare(self.events(), until)

    def tally(self):
        """A running count for long tests: start(take=tally.add, keep=False)."""
        return Tally(self.ledger)

    def problems(self):
        """Everything that no test may cause."""
        found = [text for program in self.programs for text in program.problems()]
        return found + self.microsoft.crashes() + self.splunkd.service.crashes

    def close(self):
        """Kill what runs and remove everything. A second call does nothing."""
        if self._closed:
            return
        with self._starting:            # a restart under way must not outlive us
            self._closed, self.splunkd.changed = True, None
        for program in self.programs:
            if program.running:
                program.kill()
        self.microsoft.close()
        self.splunkd.service.stop()
        if self.proxy:
            self.proxy.close()
        self.loop.close()
        self.home.close()
        if self.authority:
            self.authority.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            for program in self.programs if kind is None else ():
                if program.running:
                    program.terminate()
        finally:
            problems = self.problems()
            self.close()
        if problems and kind is None:
            raise AssertionError('\n'.join(problems[:10]))
