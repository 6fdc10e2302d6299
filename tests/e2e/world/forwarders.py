"""A world in which several forwarders get the same inputs and share the customers by a KV store that all can reach."""
import os
import signal

from . import inputxml
from .runner import Program, SplunkHome, call
from .splunkd import KIND, MASK, Splunkd
from .store import Store, cut
from .world import World

GROUP = 'default'


class Forwarder:
    """A host: splunkd, a SPLUNK_HOME, ports to Microsoft and to the store that nobody else uses, and the program.

    links: what cut() and mend() know: 'store', 'splunkd', 'login', 'graph', 'endpoint', 'siem', and 'microsoft', which
    is the last four together."""

    def __init__(self, world, name):
        self.world, self.name, self.programs, self._cuts = world, name, [], {}
        pair = world.authority and world.authority.server('SplunkServerDefaultCert')
        self.splunkd = Splunkd(world.loop, pair, world.clock, world.faults)
        self.splunkd.service.forwarder = name
        self.home = SplunkHome(world.authority and world.authority.cert, uri=self.splunkd.url, name=name)
        self.doors = world.microsoft.door(name)
        self.splunkd.hosts = tuple(door.url for door in self.doors.values())
        self.store = world.store.door(name)
        self.links = {'store': [self.store], 'splunkd': [self.splunkd.service], 'microsoft': list(self.doors.values()),
                      **{link: [door] for link, door in self.doors.items()}}

    program = property(lambda self: self.programs[-1])
    running = property(lambda self: bool(self.programs) and self.program.running)

    def sign_in(self, **token):
        """Put a token of the store into the password store, as `share token` does. Returns it."""
        made = self.world.store.token(**token)
        self.splunkd.store(f'share_token.{self.world.group}', made, hosts=[self.store.url])
        return made

    def add_input(self, name, params, secret):
        """Put the customer's stanza into inputs.conf, and the secret of its app into the password store."""
        self.splunkd.store(f'client_secret.{params["client_id"]}', secret)
        self.splunkd.add_input(name, **params)

    def xml(self):
        """The `<input>` document of all enabled inputs."""
        return inputxml.stream_input(self.home.header(self.splunkd.session_key), self.splunkd.stanzas())

    def start(self, **how):
        """Start the program in stream mode (keywords of Program)."""
        program = Program(self.home, self.xml(), **how)
        program.forwarder = self.name
        self.programs.append(program)
        self.world.programs.append(program)
        return program

    def restart(self, **how):
        """SIGTERM, then a new start, as splunkd does after an edit."""
        self.program.terminate()
        return self.start(**how)

    def call(self, *arguments, **how):
        """Run a command, such as `share status`, with the inputs on its stdin."""
        return call(self.home, *arguments, stdin=how.pop('stdin', self.xml()), **how)

    def freeze(self):
        """SIGSTOP: the process stands still, as on a suspended host."""
        os.kill(self.program.pid, signal.SIGSTOP)

    def thaw(self):
        """SIGCONT."""
        os.kill(self.program.pid, signal.SIGCONT)

    def cut(self, link, how='refused'):
        """Cut a link: 'refused' connections, 'silent' ones, or only the 'answers' get lost."""
        self.mend(link)
        self._cuts[link] = [cut(service, self.world.faults, how) for service in self.links[link]]

    def mend(self, link):
        """It works again."""
        for mend in self._cuts.pop(link, ()):
            mend()

    def close(self):
        """Kill what runs, remove everything."""
        for program in self.programs:
            if program.running:
                program.kill()
        self.splunkd.service.stop()
        self.home.close()


class SharedWorld(World):
    """Several forwarders: world['hf1'].start(). engine: of the store, see records.py.

    customer() gives the input to all of them, or to those that `on` names; edit() changes it on some or all. The own
    splunkd and home of World are not used."""

    def __init__(self, names=('hf1', 'hf2'), engine=None, group=GROUP, **how):
        super().__init__(**how)
        self.group = group
        pair = self.authority and self.authority.server('127.0.0.1')
        self.store = Store(self.loop, pair, self.clock, self.faults, engine)
        self.forwarders = {}
        for name in names:
            self.join(name)

    def __getitem__(self, name):
        return self.forwarders[name]

    def join(self, name):
        """A new forwarder, which knows the token, and no input so far."""
        forwarder = self.forwarders[name] = Forwarder(self, name)
        forwarder.sign_in()
        return forwarder

    def customer(self, name, api='graph', shared=False, on=None, where=None, **changes):
        """A tenant, an input of the same name on the forwarders, and the ledger's expectation. Returns the feed."""
        tenant = self.microsoft.tenant(name, self.shared_app() if shared else None)
        feed = self.feeds[name] = tenant.feed(api)
        self.ledger.bind(f'{KIND}://{name}', feed, where)
        for forwarder in on or self.forwarders:
            self.give(forwarder, name, **changes)
        return feed

    def give(self, forwarder, name, **changes):
        """The customer's input also for this forwarder."""
        forwarder, feed = self.forwarders[forwarder], self.feeds[name]
        service = self.microsoft.service(feed.api).name
        params = self.params(feed.tenant, feed.api, **{
            'login_url': forwarder.doors['login'].url, 'api_url': forwarder.doors[service].url,
            'share_url': forwarder.store.url, 'share_group': self.group,
            'share_ca_file': self.authority and self.authority.cert, 'client_secret': MASK, **changes})
        forwarder.add_input(name, params, feed.tenant.app.secret)

    def edit(self, name, on=None, **changes):
        """Change an input on some forwarders or all. Each has to be restarted to see it."""
        for forwarder in on or self.forwarders:
            self.forwarders[forwarder].splunkd.inputs[name][1].update(
                {key: str(value) for key, value in changes.items()})

    def start_all(self, **how):
        """Every forwarder's program."""
        return [forwarder.start(**how) for forwarder in self.forwarders.values()]

    def problems(self):
        return super().problems() + self.store.crashes() + [
            text for forwarder in self.forwarders.values() for text in forwarder.splunkd.service.crashes]

    def close(self):
        if not self._closed:
            for forwarder in self.forwarders.values():
                forwarder.close()
            self.store.close()
        super().close()
