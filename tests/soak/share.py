#!/usr/bin/env python3
"""Tries to make forwarders that share the customers lose an alert, read a customer twice at once, or leave one unread.

    tests/soak/share.py --minutes 20 --seed 7 --tenants 500         what `make soak SHARE=1 MINUTES=20 SEED=7` runs
    tests/soak/share.py --minutes 4 --haste 5                       the programs' clocks run five times as fast
    tests/soak/share.py --cost                                      CPU and memory with and without sharing

Three programs, each with a splunkd of its own, and one store. What happens is in share_trouble.py, what must hold in
share_rights.py and in the judgment at the end: nothing lost; each request by a forwarder with a right to the customer;
takeovers within a minute; what comes twice is explained by what happened. docs/delivery.md has the numbers.
"""
import argparse
import logging
import os
import random
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'e2e'))

from answers import APIS  # noqa: E402
from cases import build_shim  # noqa: E402
from mix import PAGES, Mix  # noqa: E402
from report import finish  # noqa: E402
from share_cost import COMPARED, cost  # noqa: E402
from share_report import report  # noqa: E402
from share_rights import Readers, Tables, Twice  # noqa: E402
from share_strain import Strain  # noqa: E402
from share_trouble import Happenings  # noqa: E402
from watch import Lag  # noqa: E402
from world.clock import Clock  # noqa: E402
from world.forwarders import SharedWorld  # noqa: E402
from world.records import Replicated  # noqa: E402
from world.runner import binary  # noqa: E402
from world.store import PLACES, SHARE  # noqa: E402

NAMES = ('hf1', 'hf2', 'hf3')
ALONE_S = 55            # a minute, less a round
SAY_S = 10


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--minutes', type=float, default=20, help='of trouble; 0: until each kind has happened once')
    parser.add_argument('--seed', type=int, default=int(time.time()))
    parser.add_argument('--tenants', type=int, default=500)
    parser.add_argument('--poll', type=int, default=60)
    parser.add_argument('--rate', type=float, default=None, help='alerts a second, all customers together')
    parser.add_argument('--faults', type=float, default=0.02, help='part of the requests for alerts that meets one')
    parser.add_argument('--haste', type=int, default=1, help='how many times as fast the programs\' clocks run')
    parser.add_argument('--only', help='only these happenings, such as kill,freeze; all: see share_trouble.py')
    parser.add_argument('--drain', type=float, default=300, help='most seconds after the last happening')
    parser.add_argument('--tls', type=int, choices=(0, 1), default=1)
    parser.add_argument('--cost', action='store_true', help='measure CPU and memory instead, --minutes in each round')
    parser.add_argument('--rounds', type=int, default=3, help='of --cost')
    args = parser.parse_args()
    args.rate = args.rate or max(5.0, args.tenants / 25)
    return args


def kind_of(request):
    """Which call to the store it is."""
    places, what = PLACES in request.path, request.path.rpartition('/')[2]
    if request.method == 'GET':
        return 'list or body' if places else 'read'
    if request.method == 'DELETE':
        return 'delete'
    return {'batch_save': 'checkpoints' if places else 'heartbeat', 'batch_find': 'loads'}.get(what, 'insert')


class Soak:
    """One run."""

    def __init__(self, args, folder, names=NAMES):
        self.args, self.rng = args, random.Random(args.seed)
        self.engine = Replicated()
        self.world = SharedWorld(names, engine=self.engine, tls=bool(args.tls), seed=args.seed,
                                 clock=Clock(rate=args.haste))
        self.shim = build_shim(folder, 'haste') if args.haste > 1 else None
        self.tally, self._lock = self.world.tally(), threading.Lock()
        self.tables, self.complaints = Tables(args.haste), []
        self.readers, self.twice = Readers(self.tables, args.haste, self.now), Twice(args.haste, self.now)
        self.over, self.done, self.began = threading.Event(), threading.Event(), time.monotonic()
        self.lag = Lag(self.world.loop, self.done)
        self.strain = Strain(self.lag, args.haste, self._running, self.done)
        self.readers.slow = self.strain.at
        self.mix, self.phase, self.times = Mix(args.seed, PAGES, args.faults, {}), 'start', ''
        self.calls, self.starts = {}, {}        # forwarder -> [(when, kind)] to the store; when it was started
        self.names, self.rollbacks, self.stops = {}, 0, []
        for number in range(args.tenants):
            self._customer(number)
        self.world.microsoft.limit_logs(1000)
        self._watch()
        self.happenings = Happenings(self)

    def _running(self):
        return [(name, forwarder.program.pid) for name, forwarder in self.world.forwarders.items() if forwarder.running]

    def now(self):
        """When it is, and what is going on."""
        return f'{time.monotonic() - self.began:.2f} s, {self.happenings.now or "at rest"}'

    def _customer(self, number):
        name = f'c{number}'
        feed = self.world.customer(name, api=APIS[number % len(APIS)], shared=True, poll_interval=self.args.poll,
                                   start_time='-2d', overlap=60)
        feed.publish(1 + self.rng.randrange(10), span_s=86400, size='small')
        self.names[feed.tenant.id] = name

    def _watch(self):
        """The eye on every request."""
        world, rates = self.world, self.calls
        world.store.on_table = self._table

        def alerts(request, answer):
            name = self.names.get(request.tenant)
            if name and request.kind in APIS:
                self.readers.asked(request.service.forwarder, name, time.monotonic())
                fault = None if self.over.is_set() else self.mix.choose(request)[1]
                if fault:
                    return fault(request, answer)
            return answer()

        def store(request, answer):
            rates.setdefault(request.service.forwarder, []).append((time.monotonic(), kind_of(request)))
            return answer()
        world.faults.add(store, service='store')
        world.faults.add(alerts, match=lambda request: request.service.name in ('graph', 'endpoint', 'siem'))

    def _table(self, when, record):
        """Called for each table that was inserted."""
        body = self.world.store.records(PLACES).get(f'{record["group"]}.body.{record["id"]}')
        if body is None:
            self.complaints.append(f'the table {record["_key"]} was inserted before its body')
            return
        self.tables.inserted(when, record, body['text'])

    def rolled_back(self, failover):
        """Do a failover of the store, and note what it means for who may read."""
        now = time.monotonic()
        failover()
        if self.tables.rolled_back(now, self.world.store.records(SHARE)):
            self.rollbacks += 1
            self.readers.rollbacks.append(now)

    def alone(self, name):
        """A minute from now this forwarder is alone: it reads what it held, whatever others do. Returns the function
        that ends it."""
        since, until = time.monotonic() + ALONE_S / self.args.haste, [float('inf')]
        self.readers.excuses.append(
            lambda forwarder, when: 'without the store' if since <= when <= until[0] and forwarder == name else None)
        return lambda: until.__setitem__(0, time.monotonic())

    def tell(self, text):
        """A line for whoever has to find out what went wrong."""
        print(f'{time.monotonic() - self.began:8.2f} s {text}', flush=True)

    def sleep(self, seconds):
        """Of the programs' clocks."""
        self.over.wait(seconds / self.args.haste)

    # --- programs -------------------------------------------------------------------------------------------------

    def start(self, forwarder):
        """A new life."""
        self.tell(f'{forwarder.name} starts')
        self.starts.setdefault(forwarder.name, []).append(time.monotonic())

        def take(event):
            with self._lock:
                version = self.tally.add(event)
            if version:
                self.twice.arrived((event.stanza, version), forwarder.name, time.monotonic())
        how = {'take': take, 'keep': False, 'program': binary()}
        if self.shim:
            how['environment'] = forwarder.home.environment(LD_PRELOAD=self.shim, HASTE=str(self.args.haste))
        forwarder.start(**how).wait_line('event=start', 30)

    def end(self, forwarder, how):
        """SIGTERM or SIGKILL."""
        program = forwarder.program
        self.tell(f'{forwarder.name} ends: {how}')
        if how == 'kill':
            program.kill()
        else:
            stopped = self.twice.explains('stop', forwarder.name, time.monotonic())
            self.stops.append(stopped[2])
            seconds = program.terminate(10)
            stopped[3] = time.monotonic()
            if seconds > 1.5 and os.getloadavg()[0] < os.cpu_count():
                self.complaints.append(f'SIGTERM took {seconds:.1f} s')
        self.complaints += program.problems()

    def publisher(self):
        """New alerts and updates, all the time."""
        rng, feeds = random.Random(f'{self.args.seed}/publisher'), list(self.world.feeds.values())
        while not self.over.wait(1 / self.args.rate):
            feed = rng.choice(feeds)
            if feed.api != 'siem' and feed.versions and rng.random() < 0.3:
                feed.update(rng.choice(feed.versions[-20:]), size='small')
            else:
                feed.publish(rng.choice((1, 1, 1, 2, 5)), size='small')

    def say(self):
        """A line of progress every SAY_S seconds."""
        while not self.done.wait(SAY_S):
            seconds = int(time.monotonic() - self.began)
            print(f'{seconds // 60:3}:{seconds % 60:02}  {self.phase}; {self.happenings.now or "at rest"}; arrived '
                  f'{self.tally.delivered()}; {self.world.store.owners() and self._shares()}; waited for: '
                  f'{len(self.readers.waits())}; load {os.getloadavg()[0]:.1f}', flush=True)

    def _shares(self):
        return ' '.join(f'{name} {len(self.tables.held(name))}{"" if forwarder.running else " (gone)"}'
                        for name, forwarder in self.world.forwarders.items())

    # --- the run --------------------------------------------------------------------------------------------------

    def run(self):
        """All of it; true if the promise held, None if the machine was too slow to tell."""
        for thread in (self.lag.thread, self.strain.thread, threading.Thread(target=self.say, daemon=True),
                       threading.Thread(target=self.publisher, daemon=True)):
            thread.start()
        for forwarder in self.world.forwarders.values():
            self.start(forwarder)
        self.phase = 'begins'
        self.sleep(100)
        self.phase, begun = 'trouble', time.monotonic()
        self.happenings.run()
        self.phase, ended = 'calm', time.monotonic()
        self.sleep(60)
        self._even()
        rests = time.monotonic()
        self.sleep(180)
        calm = rests, time.monotonic()
        self.over.set()
        self.phase = 'drain'
        self._drain()
        self.times = (f'{begun - self.began:.0f} s to begin, {ended - begun:.0f} s of trouble, {calm[1] - ended:.0f} s '
                      f'at rest, {time.monotonic() - calm[1]:.0f} s of drain')
        self.complaints += self.world.problems()
        return report(self, calm)

    def _even(self):
        """Long after the last trouble, everybody has a share."""
        held = [len(self.tables.held(name)) for name in self.world.forwarders]
        if sum(held) != self.args.tenants or max(held) - min(held) > 1:
            self.complaints.append(f'a minute after the last trouble the shares are {held}')

    def _drain(self):
        end = time.monotonic() + self.args.drain
        while self.tally.verdict().lost and time.monotonic() < end:
            time.sleep(1)
        time.sleep(2 * self.args.poll / self.args.haste)

    def close(self):
        """Kill what runs, remove everything."""
        self.over.set()
        self.done.set()
        self.lag.thread.ident and self.lag.thread.join(60)
        self.world.close()


def main():
    """0 if the promise held, 2 if the machine was too slow to tell."""
    args = arguments()
    logging.getLogger('asyncio').setLevel(logging.CRITICAL)     # broken connections are part of it
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(args, folder, NAMES if not args.cost else tuple(COMPARED))
        return finish(soak.run if not args.cost else lambda: cost(soak), soak.close)


if __name__ == '__main__':
    sys.exit(main())
