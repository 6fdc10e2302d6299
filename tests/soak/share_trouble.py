"""What happens to the forwarders, their links and their store: one thing after another, in an order from the seed.

All lengths of time are those of the programs' clocks."""
import collections
import random
import time

from world.store import INITIALIZING, READ_ONLY

TAKEOVER_S = 75         # 60, and the spread of first polls over 15
REST_S = (35, 60)       # between two things: half of them begin before tables are even again
FRESH_S = 130           # that long before its end, what a forwarder wrote may come again
RARE = ('full_pipe', 'no_microsoft')
LINKS = ('refused', 'silent', 'answers')


class Happenings:
    """Until the time is over."""

    def __init__(self, soak):
        self.soak, self.world, self.rng = soak, soak.world, random.Random(f'{soak.args.seed}/happenings')
        self.counts, self.now = collections.Counter(), ''
        self.kinds = [name[3:] for name in dir(self) if name.startswith('do_')]
        self.kinds = [kind for kind in self.kinds if not soak.args.only or kind in soak.args.only.split(',')]

    def run(self):
        """Each kind in turn, in a new order each time around."""
        until = time.monotonic() + self.soak.args.minutes * 60
        try:
            while time.monotonic() < until:
                for kind in self.rng.sample(self.kinds, len(self.kinds)):
                    if time.monotonic() >= until:
                        break
                    self.counts[kind] += 1
                    self.now = kind
                    self.soak.tell(f'begins: {kind}')
                    getattr(self, 'do_' + kind)()
                    self.now = ''
                    self.soak.tell(f'is over: {kind}')
                    self.sleep(self.rng.uniform(*REST_S))
        except Exception as problem:        # a thread that dies unseen would make the run worthless
            self.soak.complaints.append(f'the trouble {self.now} broke down: {problem!r}')
            raise

    def sleep(self, seconds):
        """Of the programs' clocks."""
        self.soak.sleep(seconds)

    def one(self):
        """A forwarder that runs; another one does, too."""
        running = [forwarder for forwarder in self.world.forwarders.values() if forwarder.running]
        return self.rng.choice(running)

    def lost(self, forwarder, what, seconds):
        """From now on it reads nothing: others have to take over, within the time that is given to it."""
        now = time.monotonic()
        held = self.soak.tables.held(forwarder.name)
        if seconds > TAKEOVER_S:
            self.soak.readers.awaits(held, forwarder.name, now, what)
        return now

    # --- ends -----------------------------------------------------------------------------------------------------

    def _dies(self, seconds):
        forwarder = self.one()
        self.lost(forwarder, 'kill', seconds)
        entry = self.soak.twice.explains('kill', forwarder.name, time.monotonic())
        self.soak.end(forwarder, 'kill')
        entry[3] = time.monotonic()
        self.sleep(seconds)
        self.soak.start(forwarder)

    def do_kill(self):
        """SIGKILL, and long after it a new start."""
        self._dies(self.rng.uniform(90, 130))

    def do_kill_and_restart(self):
        """As splunkd does with a program that ends."""
        self._dies(self.rng.uniform(0, 10))

    def do_leave(self):
        """SIGTERM, as when splunkd is stopped; it comes back after a while."""
        forwarder, seconds = self.one(), self.rng.uniform(90, 120)
        self.lost(forwarder, 'leave', seconds)
        self.soak.end(forwarder, 'term')
        self.sleep(seconds)
        self.soak.start(forwarder)

    def do_restart(self):
        """SIGTERM and a new start, as after an edit."""
        forwarder = self.one()
        self.soak.end(forwarder, 'term')
        self.soak.start(forwarder)

    def do_freeze(self):
        """SIGSTOP for 10 to 120 s."""
        forwarder, seconds = self.one(), self.rng.choice((10, 14, 18, 25, 40, 100, 120))
        begun = self.lost(forwarder, 'freeze', seconds)
        entry = self.soak.twice.explains('freeze', forwarder.name, begun)
        forwarder.freeze()
        self.soak.tell(f'{forwarder.name} stands still')
        self.sleep(seconds)
        self.soak.tell(f'{forwarder.name} goes on')
        forwarder.thaw()
        self.sleep(10)
        entry[3] = time.monotonic()

    # --- links ----------------------------------------------------------------------------------------------------

    def do_no_store(self):
        """One forwarder cannot reach the store; the others can, and take over."""
        forwarder, seconds = self.one(), self.rng.choice((10, 30, 100, 140))
        begun = time.monotonic()
        entry = self.soak.twice.explains('cut off from the store', forwarder.name, begun)
        excuse = self.soak.alone(forwarder.name)
        how = self.rng.choice(LINKS)
        self.soak.tell(f'{forwarder.name} cannot reach the store: {how}')
        forwarder.cut('store', how)
        self.sleep(seconds)
        self.soak.tell(f'{forwarder.name} can reach the store')
        forwarder.mend('store')
        self.sleep(25)
        entry[3] = time.monotonic()
        excuse()

    def do_no_splunkd(self):
        """Its own splunkd does not answer; what runs goes on."""
        forwarder = self.one()
        forwarder.cut('splunkd', self.rng.choice(('refused', 'silent')))
        self.sleep(self.rng.uniform(10, 50))
        forwarder.mend('splunkd')

    def do_no_microsoft(self):
        """One forwarder cannot reach Microsoft: it is not well, and all but one of its customers move."""
        forwarder = self.one()
        held = self.soak.tables.held(forwarder.name)
        # libcurl's clock, by which a silent connection is given up, is never fast.
        how = self.rng.choice(('refused', 'refused' if self.soak.args.haste > 1 else 'silent'))
        seconds = 240 if how == 'refused' else 420      # a poll, a minute without a byte, two minutes of that, a table
        self.soak.tell(f'{forwarder.name} cannot reach Microsoft: {how}')
        forwarder.cut('microsoft', how)
        self.soak.readers.awaits(held, forwarder.name, time.monotonic(), 'no Microsoft')
        self.sleep(seconds)
        left = self.soak.tables.held(forwarder.name)
        if len(left) > 1 and len(held) > 3:
            self.soak.complaints.append(f'{forwarder.name} cannot reach Microsoft for {seconds} s and still has '
                                        f'{len(left)} of {len(held)} customers')
        self.soak.readers.forget(left)
        forwarder.mend('microsoft')
        self.sleep(60)

    def do_full_pipe(self):
        """Its splunkd reads nothing for so long that others take over; then it reads on."""
        forwarder = self.one()
        forwarder.program.stall()
        begun = time.monotonic()
        self.sleep(self.rng.choice((40, 420)))
        entry = self.soak.twice.explains('full pipe', forwarder.name, begun)
        forwarder.program.resume()
        self.sleep(60)
        entry[3] = time.monotonic()

    # --- the store ------------------------------------------------------------------------------------------------

    def _store(self, seconds, begin, end):
        """The store fails for all: they go on with what they hold, and nothing comes twice but for what moved just
        before: the former reader could not save."""
        excuses = [self.soak.alone(name) for name in self.world.forwarders]
        now = time.monotonic()
        moved = self.soak.tables.moved(now - 45 / self.soak.args.haste)
        entry = self.soak.twice.explains('move, then no store', None, now, names=moved)
        begin()
        self.sleep(seconds)
        end()
        self.sleep(25)
        entry[3] = time.monotonic()
        for excuse in excuses:
            excuse()

    def do_store_gone(self):
        """503 for minutes."""
        kvstore = self.world.store.kvstore
        self._store(self.rng.choice((20, 90, 150)), lambda: setattr(kvstore, 'down', INITIALIZING),
                    lambda: setattr(kvstore, 'down', None))

    def do_store_read_only(self):
        """As during an upgrade of the store."""
        kvstore = self.world.store.kvstore
        self._store(self.rng.choice((20, 90)), lambda: setattr(kvstore, 'read_only', READ_ONLY),
                    lambda: setattr(kvstore, 'read_only', None))

    def do_store_behind(self):
        """The node that is asked shows what was true some seconds ago."""
        self.world.store.kvstore.engine.lag = self.rng.uniform(0.2, 4) / self.soak.args.haste
        self.sleep(self.rng.uniform(20, 60))
        self.world.store.kvstore.engine.lag = 0

    def do_rollback(self):
        """A failover that loses what was acknowledged; a table is among it."""
        engine = self.world.store.kvstore.engine
        if not engine.loses:
            return
        forwarder, count = self.one(), self.soak.tables.count
        engine.fresh = self.rng.random() < 0.7      # what is lost was seen before, or is shown by nobody
        self.soak.end(forwarder, 'term')            # its customers are given to others
        end = time.monotonic() + 40 / self.soak.args.haste
        if engine.fresh:
            engine.hold()
        while self.soak.tables.count == count and time.monotonic() < end:
            time.sleep(0.02)
        if not engine.fresh:
            engine.hold()
        self.sleep(self.rng.choice((0.5, 4, 12, 25)) if engine.fresh else 5)
        entry = self.soak.twice.explains('rollback', None, time.monotonic())
        self.soak.tell('failover of the store')
        self.soak.rolled_back(engine.failover)
        engine.fresh = False
        self.sleep(60)
        entry[3] = time.monotonic()
        self.soak.start(forwarder)

    # --- inputs ---------------------------------------------------------------------------------------------------

    def do_edit(self):
        """Some inputs change on all forwarders, one after the other."""
        names = self.rng.sample(sorted(self.world.feeds), max(1, len(self.world.feeds) // 50))
        for name in names:
            self.world.edit(name, poll_interval=self.soak.args.poll + self.rng.randrange(5))
        for forwarder in self.world.forwarders.values():
            if forwarder.running:
                self.soak.end(forwarder, 'term')
                self.soak.start(forwarder)
                self.sleep(self.rng.uniform(2, 20))

    def do_other_inputs(self):
        """One forwarder has not got some of the inputs for minutes, as while a deployment is under way."""
        forwarder = self.one()
        names = self.rng.sample(sorted(self.world.feeds), max(1, len(self.world.feeds) // 10))
        for name in names:
            self.world.edit(name, on=[forwarder.name], disabled='1')
        self.soak.end(forwarder, 'term')
        self.soak.start(forwarder)
        self.sleep(self.rng.uniform(60, 130))
        for name in names:
            self.world.edit(name, on=[forwarder.name], disabled='0')
        self.soak.end(forwarder, 'term')
        self.soak.start(forwarder)
