#!/usr/bin/env python3
"""Tries to make the program lose or repeat an alert: many customers, faults from a seed, restarts, kills, for minutes.

    tests/soak/soak.py --minutes 10 --seed 7 --tenants 500          what `make soak MINUTES=10 SEED=7` runs
    tests/soak/soak.py --kills 300 --tenants 8 --seed 1             a life of seconds, then SIGKILL, 300 times
    tests/soak/soak.py --minutes 10 --calm                          no faults, no restarts: memory, gaps, budgets

The end is a table, and exit status 1 if anything is not as promised: nothing may be lost, what comes twice must have
been written within the last minutes before a kill (repeats.py), and no healthy customer may wait for two poll intervals
(watch.py). It ends within --minutes and --drain; docs/delivery.md says what the time goes into. The seed decides which
request of which customer meets which fault (mix.py, lasting.py), what is published, and what happens around the program
(trouble.py); the command that a failing run prints tries the same again. As root it also has a name server and a disk
of its own, in a mount namespace that ends with it.
"""
import argparse
import collections
import glob
import importlib.util
import json
import logging
import os
import random
import re
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'e2e'))

from answers import APIS, Answers  # noqa: E402
from lasting import Dates, Partials, Poisons, Silence, Strays, make_coarse  # noqa: E402
from mix import LOGIN, PAGES, Mix  # noqa: E402
from repeats import Repeats  # noqa: E402
from report import checkpoint, finish, report  # noqa: E402
from trouble import ZONE, Disk, Names, Services, apart, mounts_allowed  # noqa: E402
from watch import Lag, Watch  # noqa: E402
from world.splunkd import KIND  # noqa: E402
from world.world import World  # noqa: E402

SOON_S = 1.5        # for an end by SIGTERM, on a machine that is not overloaded
SAY_S = 10          # between two lines of progress
TROUBLE = re.compile(r'event=trouble .*?(resolve|TLS)|event=(checkpoint_failed|checkpoint_bad|waiting|refused)')


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--minutes', type=float, default=10)
    parser.add_argument('--seed', type=int, default=int(time.time()))
    parser.add_argument('--tenants', type=int, default=100)
    parser.add_argument('--poll', type=int, default=None, help='poll_interval; default: 10, and 60 from 200 tenants on')
    parser.add_argument('--overlap', type=int, default=60)
    parser.add_argument('--rate', type=float, default=None, help='alerts a second, all customers together')
    parser.add_argument('--faults', type=float, default=0.1, help='part of the requests that meets one')
    parser.add_argument('--restart', type=float, default=45, help='seconds of a short life; 0: no restarts')
    parser.add_argument('--http2', type=int, choices=(0, 1), help='default: by the seed, if there is python3-h2')
    parser.add_argument('--kills', type=int, default=0, help='that many lives of seconds that end with SIGKILL')
    parser.add_argument('--drain', type=float, default=600, help='most seconds after the last fault')
    parser.add_argument('--no-kill', action='store_true', help='restarts by SIGTERM only: nothing may come twice')
    parser.add_argument('--only', help='of the lasting faults only these, such as poison,strays; all: see lasting.py')
    parser.add_argument('--calm', action='store_true', help='no faults and no restarts')
    args = parser.parse_args()
    args.poll = args.poll or (60 if args.tenants >= 200 else 10)
    if args.http2 is None:
        args.http2 = args.seed % 2 if importlib.util.find_spec('h2') else 0
    args.rate = args.rate or max(5.0, args.tenants / 10)
    if args.calm:
        args.faults = args.restart = 0
    return args


class Soak:
    """One run."""

    def __init__(self, args):
        self.args, self.rng = args, random.Random(args.seed)
        self.world = World(seed=args.seed, http2=bool(args.http2))
        self.feeds, self.tally, self.repeats = {}, self.world.tally(), Repeats(time.monotonic())
        self.customers, self.fresh = {}, set()          # tenant: its service's name; versions to be timed
        self.kills = self.stops = self.reader_deaths = self.late_ones = 0
        self.ends = []          # of lives
        self.slowest_stop, self.began, self.over = 0.0, time.monotonic(), threading.Event()
        self.phase, self.times, self.deadline = 'faults', '', 0.0
        self.done, self.complaints, self.told = threading.Event(), [], collections.Counter()
        self.lag = Lag(self.world.loop, self.done)
        self.watch = Watch(args.poll, self.lag.within, self.complaints, requests=self.world.microsoft.requests)
        self.world.microsoft.limit_logs(1000)
        self.pages, self.login = Mix(args.seed, PAGES, args.faults, self.feeds), Mix(args.seed, LOGIN, args.faults)
        self.hosts = [f'{service.name}.{ZONE}' for service in self.world.microsoft.services]
        self._name_services()
        self.disk, self.poisons, self.dates = Disk(self), Poisons(self), Dates(self)
        self.strays, self.partials, self.silence, self.names = Strays(self), Partials(self), Silence(self), Names(self)
        self.trouble = [Services(self), self.names, self.disk, self.poisons, self.dates, self.strays, self.partials,
                        self.silence]
        for number in range(args.tenants):
            self._customer(number)
        self.all = list(self.feeds.values())

    def _name_services(self):
        pair = self.world.authority.server('127.0.0.1', *self.hosts)
        for service in self.world.microsoft.services:
            service.restart(pair)
        services = self.world.microsoft.services    # one secret serves customers of all of them
        self.world.splunkd.hosts += tuple(self._url(service) for service in services)

    def _url(self, service):
        return f'https://{service.name}.{ZONE}:{service.port}' if mounts_allowed() else service.url

    def _customer(self, number):
        api, args, microsoft = APIS[number % len(APIS)], self.args, self.world.microsoft
        service, name = microsoft.service(api), f'c{number}'
        feed = self.world.customer(name, api=api, shared=True, poll_interval=args.poll, overlap=args.overlap,
                                   start_time='-2d', login_url=self._url(microsoft.login), api_url=self._url(service))
        feed.publish(1 + self.rng.randrange(40), span_s=86400, size='small')
        self.feeds[feed.tenant.id, api] = feed
        self.customers[feed.tenant.id] = service.name
        self.watch.customer(feed.tenant.id, name, service.name)
        if self.lasting('filters'):
            make_coarse(feed, self.rng)
        for trouble in self.trouble:
            if self.lasting(trouble.name):
                trouble.customer(feed)

    def lasting(self, name):
        """Is there this kind of lasting fault in this run?"""
        return bool(self.args.faults) and (not self.args.only or name in self.args.only.split(','))

    def take(self, event):
        """Called for each event that arrives."""
        version = self.tally.add(event)
        if not version:
            return
        before = len(self.repeats.unexplained)
        self.repeats.arrived((event.stanza, version), time.monotonic())
        if len(self.repeats.unexplained) > before:
            self.watch.keep(version.feed.tenant.id, 'wrote again', checkpoint(self, version.feed.tenant.name))
        if version in self.fresh:
            self.fresh.discard(version)
            self.watch.arrived(version, time.monotonic() - self.world.clock.steady() + version.due)

    def start(self):
        """A new life."""
        self.world.start(take=self.take, keep=False).wait_line('event=start', 30)
        self.watch.born()

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
                new = [feed.update(rng.choice(feed.versions[-50:]), ticks=now, late=late, size=size)]
            elif feed.quirks.page_cap and rng.random() < 0.05:      # more than a page, close together
                new, late = feed.publish(25, ticks=now, span_s=4, size='small'), 1
            else:
                new = feed.publish(rng.choice((1, 1, 1, 2, 5)), ticks=now, late=late, size=size)
            if not late:
                self.fresh.update(new)
                if self.lasting(self.poisons.name):
                    self.poisons.published(feed, new)

    def end_life(self, kind):
        """End the program in one of the ways that happen."""
        program = self.world.program
        self.watch.dies()
        if kind.startswith('stalled'):
            program.stall()
            time.sleep(0.2 + self.rng.random())
        begun, unsaved = time.monotonic(), self.disk.fails
        self.ends.append(f'{kind} at {begun - self.began:.1f} s{", disk in trouble" * unsaved}')
        if kind.endswith('kill'):
            with self.disk.held:
                self.kills, begun, unsaved = self.kills + 1, time.monotonic(), True
                program.kill()
        elif kind == 'reader':
            self.reader_deaths += 1
            unsaved = True  # what the reader took within the last minute comes again
            with self.disk.removing:
                program.close_stdout()
                program.wait(10)
        else:
            self.stops += 1
            with self.disk.removing:
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
        """Half of the lives are long enough for several polls. With --kills: mostly seconds, sometimes long enough that
        checkpoints are written and killed upon."""
        if self.args.kills:
            return 60 + self.rng.random() * 70 if self.rng.random() < 0.04 else self.rng.random() ** 2 * 6
        if not self.args.restart:
            return 1e9
        if self.rng.random() < 0.5:
            return self.args.restart * (0.5 + self.rng.random())
        return self.args.poll * (3 + 5 * self.rng.random())

    def lives(self):
        """Life after life until the time is over or the kills are done."""
        ways = ['term', 'reader', 'stalled term'] + ([] if self.args.no_kill else ['kill', 'kill', 'stalled kill'])
        until = time.monotonic() + self.args.minutes * 60
        self.start()
        while self.kills < self.args.kills if self.args.kills else time.monotonic() < until:
            if self.args.kills:
                time.sleep(self.life_s())
                self.look()
                self.end_life(self.rng.choice(('kill', 'kill', 'stalled kill', 'kill', 'term')))
                self.start()
                continue
            end = min(until, time.monotonic() + self.life_s())
            while time.monotonic() < end:
                time.sleep(min(2, max(0, end - time.monotonic())))
                self.look()
            if end < until:
                self.end_life(self.rng.choice(ways))
                self.start()

    # --- the end --------------------------------------------------------------------------------------------------

    def say(self):
        """A line of progress every SAY_S seconds."""
        while not self.done.wait(SAY_S):
            seconds = int(time.monotonic() - self.began)
            print(f'{seconds // 60:3}:{seconds % 60:02}  published {sum(len(feed.versions) for feed in self.all)}, '
                  f'arrived {self.tally.delivered()}; {self.phase}; now: '
                  f'{", ".join(f"{each.name} {each.now}" for each in self.trouble if each.now) or "no lasting fault"}; '
                  f'longest gap {self.watch.gap.seconds:.1f} s, delay {self.watch.delay.seconds:.1f} s, '
                  f'load {os.getloadavg()[0]:.1f}', flush=True)

    def look(self):
        """A sample of everything, every few seconds."""
        self.watch.look(self.world.program)
        self.fresh.difference_update([version for version in list(self.fresh) if version.gone is not None or
                                      self.repeats.knows((f'{KIND}://{version.feed.tenant.name}', version))])
        zero = time.monotonic() - self.world.clock.steady()
        self.watch.waiting([(version, zero + version.due) for version in list(self.fresh)
                            if not self.poisons.hides(version)])

    def missing(self):
        """The verdict, and what is lost of what could be read."""
        verdict = self.tally.verdict()
        return verdict, [version for version in verdict.lost if not self.poisons.hides(version)]

    def arrive(self, seconds):
        """Wait until all that can be read has come; true if it has."""
        end = min(time.monotonic() + seconds, self.deadline)
        while self.missing()[1] and time.monotonic() < end:
            time.sleep(1)
            self.look()
        return not self.missing()[1]

    def again(self):
        """Another life, in which refused inputs and quarantined windows need not wait for their slow schedules, nor for
        an hourly limit that was used up: a process that follows a killed one has ten requests of it."""
        self.end_life('term')
        for path in glob.glob(os.path.join(glob.escape(self.world.home.checkpoints), '*.json')):
            with open(path, encoding='utf-8') as file:
                document = json.load(file)
            for entry in document.get('quarantine', ()):
                entry['due'] = '2026-01-01T00:00:00Z'
            if document.get('quarantine'):
                document['rate'] = {'hour': 300, 'at': document['saved']}
            with open(path, 'w', encoding='utf-8') as file:
                json.dump(document, file)
        self.start()

    def drain(self):
        """Faults off; everything must come. Then those records that are ever healed. Then nothing more, over a restart
        and a poll of every customer."""
        self.deadline = time.monotonic() + self.args.drain
        self.phase = 'drain: late alerts become visible'
        time.sleep(self.args.overlap * 0.7 + 1)
        self.phase = 'drain: all but the poisoned records'
        if not self.arrive(30 + 2 * self.args.poll):
            self.late_ones = len(self.missing()[1])
            self.again()
            self.arrive(180)
        verdict, lost = self.missing()
        if lost:
            return verdict, lost
        self.phase = 'drain: the healed records'
        self.poisons.heal()
        self.again()
        self.arrive(180)
        self.phase = 'drain: nothing comes twice'
        self.end_life('term')
        before = self.watch.polls()
        self.start()
        end = time.monotonic() + 3 * self.args.poll
        while time.monotonic() < end and any(count == before[tenant] for tenant, count in self.watch.polls().items()):
            time.sleep(0.5)
        time.sleep(2)
        return self.missing()

    def run(self):
        """All of it; true if the promise held."""
        self.world.faults.add(Answers(self), match=lambda request: request.service in self.world.microsoft.services)
        threads = [threading.Thread(target=self.publisher, daemon=True)]
        threads += [trouble.thread for trouble in self.trouble if self.lasting(trouble.name)]
        for thread in [*threads, self.lag.thread, threading.Thread(target=self.say, daemon=True)]:
            thread.start()
        ready = time.monotonic()
        self.lives()
        ended = time.monotonic()
        self.phase = 'faults end'
        self.over.set()
        for thread in threads:
            thread.join(60)
        verdict, lost = self.drain()
        self.times = (f'{ready - self.began:.0f} s to set up, {ended - ready:.0f} s of faults, '
                      f'{time.monotonic() - ended:.0f} s of drain')
        self.look()
        self._hear(self.world.program)
        self.complaints += self.world.problems()
        return report(self, verdict, lost)

    def close(self):
        """Kill what runs, remove everything."""
        self.over.set()
        self.done.set()
        if self.lag.thread.ident:
            for trouble in self.trouble:
                if trouble.thread.ident:
                    trouble.thread.join(60)
            self.lag.thread.join(60)
        self.world.close()
        for trouble in self.trouble:
            trouble.close()


def main():
    """0 if the promise held."""
    args = arguments()
    logging.getLogger('asyncio').setLevel(logging.CRITICAL)     # broken connections are part of it
    if args.faults:
        apart(os.path.abspath(__file__), sys.argv[1:])
    soak = Soak(args)
    return finish(soak.run, soak.close)


if __name__ == '__main__':
    sys.exit(main())
