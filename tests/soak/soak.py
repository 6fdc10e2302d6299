#!/usr/bin/env python3
"""Tries to make the program lose or repeat an alert: many customers, faults from a seed, restarts, kills, for minutes.

    tests/soak/soak.py --minutes 10 --seed 7 --tenants 500          what `make soak MINUTES=10 SEED=7` runs
    tests/soak/soak.py --kills 300 --tenants 8 --seed 1             a life of seconds, then SIGKILL, 300 times
    tests/soak/soak.py --minutes 10 --calm                          no faults, no restarts: memory, gaps, budgets

The end is a table, and exit status 1 if anything is not as promised: nothing may be lost, and what comes twice must
have been written within the last minutes before a kill (repeats.py). The seed decides which request of which customer
meets which fault, what is published, and what happens around the program (trouble.py); the command that a failing run
prints tries the same again. As root it also has a name server and a disk of its own, in a mount namespace that ends
with it.
"""
import argparse
import collections
import os
import random
import re
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'e2e'))

from mix import LOGIN, PAGES, Mix  # noqa: E402
from repeats import Repeats  # noqa: E402
from trouble import ZONE, Disk, Names, Services, apart, mounts_allowed  # noqa: E402
from world.world import World  # noqa: E402

APIS = ('graph', 'endpoint', 'siem', 'incidents')
SOON_S = 1.5        # for an end by SIGTERM, on a machine that is not overloaded
TROUBLE = re.compile(r'event=trouble .*?(resolve|TLS)|event=(checkpoint_failed|checkpoint_bad|waiting|refused)')


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--minutes', type=float, default=10)
    parser.add_argument('--seed', type=int, default=int(time.time()))
    parser.add_argument('--tenants', type=int, default=100)
    parser.add_argument('--poll', type=int, default=None, help='poll_interval; preset: 10, and 60 from 200 tenants on')
    parser.add_argument('--overlap', type=int, default=60)
    parser.add_argument('--rate', type=float, default=None, help='alerts a second, all customers together')
    parser.add_argument('--faults', type=float, default=0.1, help='part of the requests that meets one')
    parser.add_argument('--restart', type=float, default=45, help='seconds from one restart to the next; 0: none')
    parser.add_argument('--kills', type=int, default=0, help='that many lives of seconds that end with SIGKILL')
    parser.add_argument('--no-kill', action='store_true', help='restarts by SIGTERM only: nothing may come twice')
    parser.add_argument('--calm', action='store_true', help='no faults and no restarts')
    args = parser.parse_args()
    args.poll = args.poll or (60 if args.tenants >= 200 else 10)
    args.rate = args.rate or max(5.0, args.tenants / 10)
    if args.calm:
        args.faults = args.restart = 0
    return args


class Watch:
    """Memory, descriptors, and the pauses between polls."""

    def __init__(self, soak):
        self.soak, self.memory, self.descriptors, self.gap = soak, [], [], (0.0, '')
        self._last = {}

    def request(self, request):
        """A rule's match that only looks: the pauses between the requests of one customer to its API."""
        if request.kind in APIS and request.tenant:
            now, born = time.monotonic(), self.soak.born
            last = max(self._last.get(request.tenant, now), born)
            if now - last > self.gap[0]:
                self.gap = (now - last, request.tenant)
            self._last[request.tenant] = now
        return False

    def look(self):
        """A sample of the running process."""
        try:
            program = self.soak.world.program
            self.memory.append(program.memory_kb())
            self.descriptors.append(program.descriptors())
        except (OSError, AttributeError):
            pass        # just gone


class Soak:
    """One run."""

    def __init__(self, args):
        self.args, self.rng = args, random.Random(args.seed)
        self.world = World(seed=args.seed)
        self.feeds, self.tally, self.repeats = {}, self.world.tally(), Repeats()
        self.kills = self.stops = self.reader_deaths = 0
        self.slowest_stop, self.born, self.over = 0.0, 0.0, threading.Event()
        self.watch, self.complaints, self.told = Watch(self), [], collections.Counter()
        self.world.microsoft.limit_logs(1000)
        self.mixes = [Mix(args.seed, PAGES, self.feeds), Mix(args.seed, LOGIN)]
        self.hosts = [f'{service.name}.{ZONE}' for service in self.world.microsoft.services]
        self._name_services()
        self.trouble = [Services(self), Names(self), Disk(self)]
        self.disk = self.trouble[-1]
        for number in range(args.tenants):
            self._customer(number)
        self.all = list(self.feeds.values())

    def _name_services(self):
        pair = self.world.authority.server('127.0.0.1', *self.hosts)
        for service in self.world.microsoft.services:
            service.restart(pair)

    def _url(self, service):
        return f'https://{service.name}.{ZONE}:{service.port}' if mounts_allowed() else service.url

    def _customer(self, number):
        api, args, microsoft = APIS[number % len(APIS)], self.args, self.world.microsoft
        feed = self.world.customer(f'c{number}', api=api, shared=True, poll_interval=args.poll, overlap=args.overlap,
                                   start_time='-2d', login_url=self._url(microsoft.login),
                                   api_url=self._url(microsoft.service(api)))
        feed.publish(1 + self.rng.randrange(40), span_s=86400, size='small')
        self.feeds[feed.tenant.id, api] = feed

    def rules(self):
        """The faults, and the eye on every request."""
        self.world.faults.add(lambda request, answer: answer(), match=self.watch.request)
        for mix, service in zip(self.mixes, (None, 'login')):
            match = (lambda request: request.kind in APIS) if service is None else None
            self.world.faults.add(mix, service=service, match=match, probability=self.args.faults or 1e-12)

    def take(self, event):
        """Called for each event that arrives."""
        version = self.tally.add(event)
        if version:
            self.repeats.arrived((event.stanza, version), time.monotonic())

    def start(self):
        """A new life."""
        self.born = time.monotonic()
        self.world.start(take=self.take, keep=False).wait_line('event=start', 30)

    # --- disturbance ----------------------------------------------------------------------------------------------

    def publisher(self):
        """New alerts, updates, late ones, ties; in real time whatever the services' clock claims."""
        rng = random.Random(f'{self.args.seed}/publisher')
        while not self.over.wait(1 / self.args.rate):
            feed = rng.choice(self.all)
            grain = 10 ** rng.randrange(8)
            now = int(time.time() * 1e7) // grain * grain
            late = rng.random() * self.args.overlap * 0.7 if rng.random() < 0.2 else 0
            size = 'real' if rng.random() < 0.1 else 'small'
            if feed.api != 'siem' and feed.versions and rng.random() < 0.3:
                feed.update(rng.choice(feed.versions[-50:]), ticks=now, late=late, size=size)
            else:
                feed.publish(rng.choice((1, 1, 1, 2, 5)), ticks=now, late=late, size=size)

    def end_life(self, kind):
        """End the program in one of the ways that happen."""
        program = self.world.program
        if kind.startswith('stalled'):
            program.stall()
            time.sleep(0.2 + self.rng.random())
        begun, unsaved = time.monotonic(), self.disk.fails
        if kind.endswith('kill'):
            with self.disk.held:
                self.kills, begun, unsaved = self.kills + 1, time.monotonic(), True
                program.kill()
        elif kind == 'reader':
            self.reader_deaths += 1
            program.close_stdout()
            program.wait(10)
        else:
            self.stops += 1
            self._stop(program)
        if unsaved or self.disk.fails:
            self.repeats.ended(begun, time.monotonic())
        self._hear(program)
        self.complaints += program.problems()

    def _hear(self, program):
        """What the program said about the trouble around it."""
        found = (TROUBLE.search(line.text) for line in program.lines)
        self.told.update(match.group(1) or match.group(2) for match in found if match)

    def _stop(self, program):
        taken = program.terminate(10)
        self.slowest_stop = max(self.slowest_stop, taken)
        if taken > SOON_S and os.getloadavg()[0] < os.cpu_count():
            self.complaints.append(f'SIGTERM took {taken:.1f} s')

    def life_s(self):
        """With --kills: mostly seconds, sometimes long enough that checkpoints are written and killed upon."""
        return 60 + self.rng.random() * 70 if self.rng.random() < 0.04 else self.rng.random() ** 2 * 6

    def lives(self):
        """Life after life until the time is over or the kills are done."""
        ways = ['term', 'reader', 'stalled term'] + ([] if self.args.no_kill else ['kill', 'kill', 'stalled kill'])
        until = time.monotonic() + self.args.minutes * 60
        self.start()
        while self.kills < self.args.kills if self.args.kills else time.monotonic() < until:
            if self.args.kills:
                time.sleep(self.life_s())
                self.watch.look()
                self.end_life(self.rng.choice(('kill', 'kill', 'stalled kill', 'kill', 'term')))
                self.start()
                continue
            length = self.args.restart * (0.5 + self.rng.random()) if self.args.restart else 1e9
            end = min(until, time.monotonic() + length)
            while time.monotonic() < end:
                time.sleep(min(2, max(0, end - time.monotonic())))
                self.watch.look()
            if end < until:
                self.end_life(self.rng.choice(ways))
                self.start()

    # --- the end --------------------------------------------------------------------------------------------------

    def settle(self):
        """Faults off; everything must come within a few back-offs. Then the verdict."""
        self.world.faults.clear()
        time.sleep(self.args.overlap * 0.7 + 1)
        began, again = time.monotonic(), False
        while True:
            verdict = self.tally.verdict()
            waited = time.monotonic() - began
            if not verdict.lost or waited > 420 + 3 * self.args.poll:
                break
            if waited > 60 + 2 * self.args.poll and not again:
                again = True            # who was refused by two faults in a row would wait for a quarter of an hour
                self.end_life('term')
                self.start()
            time.sleep(2)
        time.sleep(2 * self.args.poll)
        verdict = self.tally.verdict()
        self.watch.look()
        self._hear(self.world.program)
        self.complaints += self.world.problems()
        return verdict

    def run(self):
        """All of it; true if the promise held."""
        self.rules()
        threads = [threading.Thread(target=self.publisher, daemon=True)]
        threads += [trouble.thread for trouble in self.trouble] if self.args.faults else []
        for thread in threads:
            thread.start()
        began = time.monotonic()
        self.lives()
        self.over.set()
        for thread in threads:
            thread.join(60)
        return self.report(self.settle(), time.monotonic() - began)

    def rows(self, verdict):
        """What the table says, line by line."""
        memory, descriptors = self.watch.memory or [0], self.watch.descriptors or [0]
        troubles = sum((trouble.counts for trouble in self.trouble), collections.Counter())
        met = sum((mix.hits for mix in self.mixes), collections.Counter())
        gap = self.watch.gap[0]
        return (('alert versions published', sum(len(feed.versions) for feed in self.all)),
                ('delivered', verdict.delivered), ('superseded before a poll', len(verdict.skipped)),
                ('LOST', len(verdict.lost)), ('altered', len(verdict.altered)), ('unexpected', len(verdict.unexpected)),
                ('REPEATED', f'{verdict.surplus}, the oldest written {self.repeats.oldest:.0f} s before a kill'),
                ('REPEATED AGAINST THE PROMISE', len(self.repeats.unexplained)),
                ('SIGKILL', self.kills), ('SIGTERM', f'{self.stops}, the slowest {self.slowest_stop:.1f} s'),
                ('reader died', self.reader_deaths),
                ('trouble around the program', sum(troubles.values())), ('  of it', counted(troubles)),
                ('  names not answered as they are', self.trouble[1].spoilt),
                ('  lines about it', counted(self.told)),
                ('faults met by requests', sum(met.values())), ('  of them', counted(met)),
                ('memory, first/most/last', f'{memory[0]}/{max(memory)}/{memory[-1]} KiB'),
                ('descriptors, most/last', f'{max(descriptors)}/{descriptors[-1]}'),
                ('longest gap between polls', f'{gap:.1f} s, {gap / self.args.poll:.1f} intervals'),
                ('over a published limit', self.world.microsoft.limits.violations() or 'nobody'))

    def report(self, verdict, seconds):
        """The table, and whether it is good."""
        args = self.args
        print(f'seed {args.seed}, {args.tenants} customers, {seconds / 60:.1f} minutes, poll every {args.poll} s' +
              ('' if mounts_allowed() else '; not root: no name server, no disk that is full or read-only'))
        for name, value in self.rows(verdict):
            print(f'  {name:32} {value}')
        bad = list(dict.fromkeys(self.complaints + self.repeats.unexplained))[:10]
        good = not (verdict.lost or verdict.altered or verdict.unexpected or bad or
                    self.world.microsoft.limits.violations())
        for text in bad:
            print(f'  complaint: {text[:300]}')
        if not good:
            print(f'{verdict}\n{self.world.program.tail(30)}')
            print('again: tests/soak/soak.py ' + ' '.join(sys.argv[1:] + (
                [] if '--seed' in sys.argv else ['--seed', str(args.seed)])))
        return good

    def close(self):
        """Kill what runs, remove everything."""
        self.over.set()
        if self.disk.thread.ident:
            for trouble in self.trouble:
                trouble.thread.join(60)
        self.world.close()
        for trouble in self.trouble:
            trouble.close()


def counted(counter):
    """Names and counts in one line."""
    return ', '.join(f'{name} {count}' for name, count in sorted(counter.items())) or 'none'


def main():
    """0 if the promise held."""
    args = arguments()
    if args.faults:
        apart(os.path.abspath(__file__), sys.argv[1:])
    soak = Soak(args)
    try:
        good = soak.run()
    finally:
        soak.close()
    print('1 passed, 0 failed' if good else '0 passed, 1 failed')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
