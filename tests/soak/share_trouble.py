"""What happens to the forwarders, their links and their store: one thing after another, in an order from the seed.

All lengths of time are those of the programs' clocks. What happens, for how long and to whom is decided by the seed,
the kind and how often it has happened; only who runs at that moment may differ."""
import collections
import os
import random
import shutil
import time

from world.store import INITIALIZING, READ_ONLY

TAKEOVER_S = 60         # at worst; 45 as a rule
SPREAD_S = 15           # of the first polls of those that are taken over
REST_S = (15, 45)       # between two things: many of them begin before tables are even again
# How long each kind lasts: one of these, each time another.
LENGTHS = {
    'kill': (90, 110, 130),
    'kill_and_restart': (0, 5, 10),
    'leave': (90, 120),
    'restart': (0,),
    'drain': (60,),
    'freeze': (10, 14, 18, 25, 40, 100, 120),
    'no_store': (10, 30, 100, 140),
    'no_splunkd': (10, 30, 50),
    'no_microsoft': (240,),
    'full_pipe': (40, 420),
    'store_gone': (20, 90, 150),
    'store_read_only': (20, 90),
    'store_behind': (20, 60),
    'rollback': (0.5, 4, 12, 25),
    'edit': (0,),
    'other_inputs': (60, 130),
}
STUCK_S = 400           # five minutes, a round, a minute until the next table
SILENT_S = 180          # longer, where a silent connection has to be given up first: a minute without a byte
OWN_S = 190             # so old is a forwarder's own file: two minutes between saves, a minute in splunkd
LINKS = ('refused', 'silent', 'answers')


def rng_of(seed, kind, number):
    """What decides the happening of that kind the number-th time."""
    return random.Random(f'{seed}/{kind}/{number}')


def length_of(seed, kind, number):
    """How long it lasts."""
    return rng_of(seed, kind, number).choice(LENGTHS[kind])


class Happenings:
    """Until the time is over."""

    def __init__(self, soak):
        self.soak, self.world, self.seed = soak, soak.world, soak.args.seed
        self.counts, self.now, self.rng = collections.Counter(), '', random.Random(f'{self.seed}/happenings')
        self.kinds = [kind for kind in LENGTHS if not soak.args.only or kind in soak.args.only.split(',')]

    untried = property(lambda self: [kind for kind in self.kinds if not self.counts[kind]])

    def run(self):
        """Each kind in turn, in a new order each time around. With --minutes 0 each kind once."""
        until = time.monotonic() + self.soak.args.minutes * 60
        order = random.Random(f'{self.seed}/happenings')
        try:
            while self.untried if not self.soak.args.minutes else time.monotonic() < until:
                for kind in order.sample(self.kinds, len(self.kinds)):
                    if self.soak.args.minutes and time.monotonic() >= until:
                        break
                    self._one(kind)
                    self.sleep(order.uniform(*REST_S))
        except Exception as problem:        # a thread that dies unseen would make the run worthless
            self.soak.complaints.append(f'the trouble {self.now} broke down: {problem!r}')
            raise

    def _one(self, kind):
        number = self.counts[kind]
        self.counts[kind] += 1
        self.rng, seconds = rng_of(self.seed, kind, number), length_of(self.seed, kind, number)
        self.rng.random()
        self.now = kind
        self.soak.tell(f'begins: {kind}, {seconds} s')
        getattr(self, 'do_' + kind)(seconds)
        self.now = ''
        self.soak.tell(f'is over: {kind}')

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
        if seconds > TAKEOVER_S + SPREAD_S:
            self.soak.readers.awaits(held, forwarder.name, now, what)
        return now

    # --- ends -----------------------------------------------------------------------------------------------------

    def _dies(self, what, seconds, unsaved_s=None):
        forwarder = self.one()
        self.lost(forwarder, what, seconds)
        entry = self.soak.twice.explains(what, forwarder.name, time.monotonic(), unsaved_s=unsaved_s)
        self.soak.end(forwarder, 'kill')
        entry[3] = time.monotonic()
        self.sleep(seconds)
        self.soak.start(forwarder)

    def do_kill(self, seconds):
        """SIGKILL, and long after it a new start: others go on with what the store has."""
        self._dies('kill', seconds)

    def do_kill_and_restart(self, seconds):
        """As splunkd does with a program that ends: it goes on with its own files."""
        self._dies('kill and restart', seconds, OWN_S)

    def do_leave(self, seconds):
        """SIGTERM, as when splunkd is stopped. It joins again after a while: as it was, or as a new host of that name,
        which has nothing of what the former one had on its disk."""
        forwarder, new = self.one(), self.rng.random() < 0.5
        self.lost(forwarder, 'leave', seconds)
        self.soak.end(forwarder, 'term')
        self.sleep(seconds)
        if new:
            self.soak.tell(f'{forwarder.name} has nothing on its disk')
            shutil.rmtree(forwarder.home.checkpoints)
            os.mkdir(forwarder.home.checkpoints)
        self.soak.start(forwarder)

    def do_drain(self, seconds):
        """Planned work: `share drain`, and once the others have all, a stop, a new start and `share undrain`."""
        forwarder = self.one()
        began = self.lost(forwarder, 'drain', 2 * TAKEOVER_S)
        self._wish(forwarder, 'drain')
        end = began + 2 * TAKEOVER_S / self.soak.args.haste      # a table a minute, and everything is on its way
        while self.soak.tables.held(forwarder.name) and time.monotonic() < end:
            time.sleep(0.1)
        if self.soak.tables.held(forwarder.name):
            self.soak.complaints.append(f'{forwarder.name} is to be drained and still has customers')
        self.sleep(seconds / 2)
        self.soak.end(forwarder, 'term')
        self.sleep(seconds / 2)
        self.soak.start(forwarder)
        self._wish(forwarder, 'undrain')

    def _wish(self, forwarder, what):
        self.soak.tell(f'{forwarder.name}: share {what}')
        result = forwarder.call('share', what, '--wait', '0', seconds=60)
        if result.code:
            self.soak.complaints.append(f'share {what} of {forwarder.name} said: {result.out} {result.err}')

    def do_restart(self, _):
        """SIGTERM and a new start, as after an edit."""
        forwarder = self.one()
        self.soak.end(forwarder, 'term')
        self.soak.start(forwarder)

    def do_freeze(self, seconds):
        """SIGSTOP for 10 to 120 s."""
        forwarder = self.one()
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

    def do_no_store(self, seconds):
        """One forwarder cannot reach the store; the others can, and take over."""
        forwarder = self.one()
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

    def do_no_splunkd(self, seconds):
        """Its own splunkd does not answer; what runs goes on."""
        forwarder = self.one()
        forwarder.cut('splunkd', self.rng.choice(('refused', 'silent')))
        self.sleep(seconds)
        forwarder.mend('splunkd')

    def do_no_microsoft(self, seconds):
        """One forwarder cannot reach Microsoft: it is not well, and all but one of its customers move."""
        forwarder = self.one()
        held = self.soak.tables.held(forwarder.name)
        # libcurl's clock, by which a silent connection is given up, is never fast.
        how = self.rng.choice(('refused', 'refused' if self.soak.args.haste > 1 else 'silent'))
        seconds += SILENT_S * (how == 'silent')
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

    def do_full_pipe(self, seconds):
        """Its splunkd reads nothing for so long that others take over; then it reads on."""
        forwarder = self.one()
        held = self.soak.tables.held(forwarder.name)
        forwarder.program.stall()
        begun = time.monotonic()
        self.sleep(seconds)
        entry = self.soak.twice.explains('full pipe', forwarder.name, begun)
        left = self.soak.tables.held(forwarder.name)
        if seconds > STUCK_S and len(left) > 1 and len(held) > 3:
            self.soak.complaints.append(f'{forwarder.name} wrote nothing for {seconds} s and still has {len(left)} of '
                                        f'{len(held)} customers')
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

    def do_store_gone(self, seconds):
        """503 for minutes."""
        kvstore = self.world.store.kvstore
        self._store(seconds, lambda: setattr(kvstore, 'down', INITIALIZING),
                    lambda: setattr(kvstore, 'down', None))

    def do_store_read_only(self, seconds):
        """As during an upgrade of the store."""
        kvstore = self.world.store.kvstore
        self._store(seconds, lambda: setattr(kvstore, 'read_only', READ_ONLY),
                    lambda: setattr(kvstore, 'read_only', None))

    def do_store_behind(self, seconds):
        """The node that is asked shows what was true some seconds ago."""
        self.world.store.kvstore.engine.lag = self.rng.uniform(0.2, 4) / self.soak.args.haste
        self.sleep(seconds)
        self.world.store.kvstore.engine.lag = 0

    def do_rollback(self, seconds):
        """A failover that loses what was acknowledged: a table that gave the customers of one forwarder to others,
        after some seconds. That forwarder has ended, or is to be drained and could go on."""
        engine = self.world.store.kvstore.engine
        if not engine.loses:
            return
        forwarder, drains = self.one(), self.rng.random() < 0.5
        count = self.soak.tables.count
        engine.fresh = True                         # what is lost was seen before
        entry = self.soak.twice.explains('rollback', None, time.monotonic())
        engine.hold()
        if drains:
            self._wish(forwarder, 'drain')
        else:
            self.soak.end(forwarder, 'term')
        end = time.monotonic() + (70 if drains else 40) / self.soak.args.haste
        while self.soak.tables.count == count and time.monotonic() < end:
            time.sleep(0.02)
        self.sleep(seconds)
        self.soak.tell('failover of the store')
        self.soak.rolled_back(engine.failover)
        engine.fresh = False
        self.sleep(60)
        entry[3] = time.monotonic()
        if drains:
            self._wish(forwarder, 'undrain')
        else:
            self.soak.start(forwarder)

    # --- inputs ---------------------------------------------------------------------------------------------------

    def do_edit(self, _):
        """Some inputs change on all forwarders, one after the other."""
        names = self.rng.sample(sorted(self.world.feeds), max(1, len(self.world.feeds) // 50))
        for name in names:
            self.world.edit(name, poll_interval=self.soak.args.poll + self.rng.randrange(5))
        for forwarder in self.world.forwarders.values():
            if forwarder.running:
                self.soak.end(forwarder, 'term')
                self.soak.start(forwarder)
                self.sleep(self.rng.uniform(2, 20))

    def do_other_inputs(self, seconds):
        """One forwarder has not got some of the inputs for minutes, as while a deployment is under way."""
        forwarder = self.one()
        names = self.rng.sample(sorted(self.world.feeds), max(1, len(self.world.feeds) // 10))
        for name in names:
            self.world.edit(name, on=[forwarder.name], disabled='1')
        self.soak.end(forwarder, 'term')
        self.soak.start(forwarder)
        self.sleep(seconds)
        for name in names:
            self.world.edit(name, on=[forwarder.name], disabled='0')
        self.soak.end(forwarder, 'term')
        self.soak.start(forwarder)
