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
import collections
import logging
import os
import random
import statistics
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'e2e'))

from answers import APIS  # noqa: E402
from cases import build_shim  # noqa: E402
from mix import PAGES, Mix  # noqa: E402
from share_rights import Readers, Tables, Twice  # noqa: E402
from share_trouble import TAKEOVER_S, Happenings  # noqa: E402
from watch import Lag  # noqa: E402
from world.clock import Clock  # noqa: E402
from world.forwarders import SharedWorld  # noqa: E402
from world.records import Replicated  # noqa: E402
from world.runner import binary  # noqa: E402
from world.store import PLACES, SHARE  # noqa: E402

NAMES = ('hf1', 'hf2', 'hf3')
MOST_CALLS = 40         # of a forwarder in a minute, on the average
MOST_DOUBLE_S = 30      # two readers of a customer, all in all, with a rollback
MORE = 1.1              # CPU and memory with sharing, at most so many times those without
ALONE_S = 55            # a minute, less a round
SAY_S = 10
LATE_S = 0.3            # stand-ins that are later than this do not know when a request was sent


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--minutes', type=float, default=20)
    parser.add_argument('--seed', type=int, default=int(time.time()))
    parser.add_argument('--tenants', type=int, default=500)
    parser.add_argument('--poll', type=int, default=60)
    parser.add_argument('--rate', type=float, default=None, help='alerts a second, all customers together')
    parser.add_argument('--faults', type=float, default=0.02, help='part of the requests for alerts that meets one')
    parser.add_argument('--haste', type=int, default=1, help='how many times as fast the programs\' clocks run')
    parser.add_argument('--only', help='only these happenings, such as kill,freeze; all: see share_trouble.py')
    parser.add_argument('--drain', type=float, default=300, help='most seconds after the last happening')
    parser.add_argument('--tls', type=int, choices=(0, 1), default=1)
    parser.add_argument('--cost', action='store_true', help='measure CPU and memory instead, two times --minutes')
    args = parser.parse_args()
    args.rate = args.rate or max(5.0, args.tenants / 10)
    return args


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
        self.readers.excuses.append(
            lambda forwarder, when: 'stand-ins were late' if self.lag.within(5) > LATE_S else None)
        self.mix, self.calls, self.phase = Mix(args.seed, PAGES, args.faults, {}), {}, 'start'
        self.names, self.rollbacks = {}, 0
        for number in range(args.tenants):
            self._customer(number)
        self.world.microsoft.limit_logs(1000)
        self._watch()
        self.happenings = Happenings(self)

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
            rates.setdefault(request.service.forwarder, []).append(time.monotonic())
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
            seconds = program.terminate(10)
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
        """All of it; true if the promise held."""
        for thread in (self.lag.thread, threading.Thread(target=self.say, daemon=True),
                       threading.Thread(target=self.publisher, daemon=True)):
            thread.start()
        for forwarder in self.world.forwarders.values():
            self.start(forwarder)
        self.phase = 'begins'
        self.sleep(100)
        self.phase = 'trouble'
        self.happenings.run()
        self.phase = 'calm'
        self.sleep(60)
        self._even()
        begun = time.monotonic()
        self.sleep(180)
        calm = begun, time.monotonic()
        self.over.set()
        self.phase = 'drain'
        self._drain()
        self.complaints += self.world.problems()
        return self.report(calm)

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

    # --- the judgment ---------------------------------------------------------------------------------------------

    def rate_of(self, name, begin, end):
        """(calls a minute on the average, most in a minute, end of that minute) of the programs' clocks."""
        minute = 60 / self.args.haste
        calls = [when for when in list(self.calls.get(name, ())) if begin <= when <= end]
        most, at, first = 0, begin, 0
        for number, when in enumerate(calls):
            while calls[first] <= when - minute:
                first += 1
            if number - first + 1 > most:
                most, at = number - first + 1, when
        return len(calls) / max(1, (end - begin) / minute), most, at - self.began

    def rows(self, verdict, calm):
        """The table."""
        readers, twice = self.readers, self.twice
        double = max((seconds for _, seconds in readers.doubles.values()), default=0)
        yield from (
            ('alert versions published', sum(len(feed.versions) for feed in self.world.feeds.values())),
            ('delivered', verdict.delivered), ('superseded before a poll', len(verdict.skipped)),
            ('LOST', len(verdict.lost)), ('altered', len(verdict.altered)), ('unexpected', len(verdict.unexpected)),
            ('happenings', ', '.join(f'{name} {count}' for name, count in sorted(self.happenings.counts.items()))),
            ('tables', f'{self.tables.count}, {self.rollbacks} of them lost in a rollback'),
            ('requests for alerts', readers.requests),
            ('TWO READERS, no rollback', len(readers.wrong)),
            ('  longest, with a rollback', f'{double:.1f} s'),
            ('  excused', dict(readers.excused) or 'none'))
        for what, seconds in sorted(readers.takeovers.items()):
            yield f'taken over after {what}', (f'{len(seconds)} customers: median {statistics.median(seconds):.0f} s, '
                                               f'longest {max(seconds):.0f} s, both to the first request')
        for what, count in sorted(twice.counts.items()):
            yield f'twice after {what}', f'{count}, the oldest written {twice.oldest[what]:.0f} s before it'
        yield 'TWICE, not explained', len(twice.unexplained)
        for name in self.world.forwarders:
            mean, most, at = self.rate_of(name, self.began, time.monotonic())
            calm_mean = self.rate_of(name, *calm)[0]
            yield f'calls a minute of {name}', (f'{calm_mean:.1f} in calm, {mean:.1f} in all, {most} in '
                                                f'the minute before {at:.0f} s')
        yield 'stand-ins late by', f'{self.lag.worst:.1f} s at most; load {os.getloadavg()[0]:.1f} now'

    def report(self, calm):
        """The table, and whether it is good."""
        verdict = self.tally.verdict()
        self.judge(calm)
        print(f'seed {self.args.seed}, {self.args.tenants} customers, {len(self.world.forwarders)} forwarders, poll '
              f'every {self.args.poll} s, clocks {self.args.haste} times as fast')
        for name, value in self.rows(verdict, calm):
            print(f'  {name:32} {value}')
        bad = list(dict.fromkeys(self.complaints + self.readers.wrong + self.twice.unexplained))
        kinds = collections.Counter(text.split(':')[0].partition(' s, ')[2] or text for text in bad)
        print('  complaints by what was going on: ' + ', '.join(f'{kind:.60} {count}' for kind, count in kinds.items()))
        for text in bad[:6] + [text for number, text in enumerate(bad[6:]) if number % (len(bad) // 20 + 1) == 0]:
            print(f'  complaint: {text:.400}')
        for version in verdict.lost[:10]:
            print(f'  lost: {version!r}')
        good = not (verdict.lost or verdict.altered or verdict.unexpected or bad)
        if not good:
            for forwarder in self.world.forwarders.values():
                lines = [line for program in forwarder.programs for line in program.lines if 'event=share' in line.text]
                print(f'what {forwarder.name} said about sharing:')
                for line in lines[-60:]:
                    print(f'  {line.when - time.time() + time.monotonic() - self.began:7.2f} s  {line.text:.250}')
            print('again: tests/soak/share.py ' + ' '.join(sys.argv[1:]) + f' --seed {self.args.seed}')
        return good

    def judge(self, calm):
        """Adds what is against the promise to the complaints."""
        for what, seconds in self.readers.takeovers.items():
            if what != 'no Microsoft' and max(seconds) > TAKEOVER_S + 5:
                self.complaints.append(f'a customer was read again {max(seconds):.0f} s after {what}')
        for name, (former, since, what) in self.readers.waits().items():
            if (time.monotonic() - since) * self.args.haste > TAKEOVER_S + self.args.poll and (
                    self.readers.last().get(name, ('', 0))[1] < since):
                self.complaints.append(f'{name} of {former} was read by nobody after {what}')
        for name in self.world.forwarders:
            if self.rate_of(name, *calm)[0] > MOST_CALLS:
                self.complaints.append(f'{name} made {self.rate_of(name, *calm)[0]:.1f} calls a minute to the store')
        for name, (_, seconds) in self.readers.doubles.items():
            if seconds > MOST_DOUBLE_S:
                self.complaints.append(f'{name} had two readers for {seconds:.1f} s')

    def close(self):
        """Kill what runs, remove everything."""
        self.over.set()
        self.done.set()
        self.lag.thread.ident and self.lag.thread.join(60)
        self.world.close()


def usage(pid):
    """(CPU seconds, resident KiB) of a process."""
    with open(f'/proc/{pid}/stat', encoding='ascii') as file:
        fields = file.read().rpartition(')')[2].split()
    with open(f'/proc/{pid}/status', encoding='ascii') as file:
        resident = next(int(line.split()[1]) for line in file if line.startswith('VmRSS'))
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK'), resident


def cost(args, folder):
    """CPU and memory of one forwarder with all customers, without and with sharing."""
    found = {}
    for shares in (False, True):
        soak = Soak(args, folder, names=NAMES[:1])
        try:
            forwarder = soak.world['hf1']
            if not shares:
                for name in soak.world.feeds:
                    soak.world.edit(name, share_url='')
            threading.Thread(target=soak.publisher, daemon=True).start()
            soak.start(forwarder)
            soak.sleep(60 + 2 * args.poll)
            before, samples, begun = usage(forwarder.program.pid)[0], [], time.monotonic()
            while time.monotonic() < begun + args.minutes * 60:
                time.sleep(5)
                samples.append(usage(forwarder.program.pid)[1])
            seconds = usage(forwarder.program.pid)[0] - before
            found[shares] = seconds, statistics.median(samples)
            print(f'{"with" if shares else "without"} sharing: {seconds:.2f} s CPU in {args.minutes:g} minutes, '
                  f'{statistics.median(samples) / 1024:.1f} MiB, {forwarder.program.descriptors()} descriptors, '
                  f'{len(soak.calls.get("hf1", ())) / ((time.monotonic() - soak.began) / 60):.1f} calls a minute',
                  flush=True)
        finally:
            soak.close()
    cpu, memory = (found[True][number] / found[False][number] for number in (0, 1))
    print(f'with sharing {cpu:.2f} times the CPU, {memory:.2f} times the memory; both to be at most {MORE}')
    return max(cpu, memory) <= MORE


def main():
    """0 if the promise held."""
    args = arguments()
    logging.getLogger('asyncio').setLevel(logging.CRITICAL)     # broken connections are part of it
    with tempfile.TemporaryDirectory() as folder:
        if args.cost:
            good = cost(args, folder)
        else:
            soak = Soak(args, folder)
            try:
                good = soak.run()
            finally:
                soak.close()
    print('1 passed, 0 failed' if good else '0 passed, 1 failed')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
