#!/usr/bin/env python3
"""Plays some days of audits with the real program: a day takes three minutes, alerts are hidden from the polls, and the
audits have to find them. The simulator plays the month of a thousand customers (tests/sim/month.c); here processes,
pipes, disk and libcurl are real.

Each day some customers get an alert that is published a day after its update time, or one that is left out of pages
until the next day. In the end every version must have arrived once, each hidden one must have been named by an audit
unless a poll brought it, all days must be proven, no limit may have been exceeded, and memory must not grow.

The program's clock and its timeouts go as fast as everything else. Where the stand-ins are slower than that, polls come
hours late, tokens expire on their way, and days are not proven for that reason alone. The run says so.
`make soak AUDIT=1` calls this.
"""
import argparse
import collections
import os
import random
import re
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'e2e')]

from cases import PLAIN, build_shim  # noqa: E402  needs the path above
from world import ticks  # noqa: E402
from world.clock import Clock  # noqa: E402
from world.world import World  # noqa: E402

DAY = 86400
POLL_S = 21600
APIS = ('graph', 'endpoint', 'incidents')
EACH = 3            # alerts of a customer and day
HIDDEN = 0.1        # share of the customers that get a hidden one each day
LINE = re.compile(r'event=audit input=(\S+) .* day=(\S+) result=(\S+) ')
WHY = re.compile(r'event=(?:trouble|audit) .*why="([^"]+)"')
TOO_SLOW = re.compile(r'event=(?:trouble|audit) .*why="(?:polls"|it took more than|[^"]*timed out)')
NAMED = re.compile(r'event=audit_missing input=(\S+) .* id="([^"]+)"')


class Month:
    """The world, and what was hidden in it."""

    def __init__(self, options, folder):
        self.options, self.rng = options, random.Random(options.seed)
        self.world = World(tls=False, clock=Clock(rate=options.rate))
        self.shim = build_shim(folder, 'haste')
        self.hidden, self.dropped, self.memory = [], [], []
        self.polled = set()     # versions that a poll has had
        self.first_day = None
        self.world.faults.add(self.watch, per_tenant=True)
        self.feeds = [self.world.customer(f't{number}', APIS[number % 3],
                                          poll_interval=str(POLL_S), start_time='-2d')
                      for number in range(options.tenants)]

    def watch(self, request, answer):
        """Notes what polls get; they have no upper bound, and ask for all of a record."""
        response = answer()
        bounded = ' lt ' in request.args.get('$filter', '') or '$select' in request.args
        if request.kind in APIS and response.versions and not bounded:
            self.polled.update(response.versions)
        return response

    def start(self):
        self.first_day = ticks.iso(ticks.from_seconds(self.world.clock.now()))[:10]
        environment = self.world.home.environment(LD_PRELOAD=self.shim, HASTE=str(self.options.rate))
        self.world.start(program=PLAIN, environment=environment)

    def day(self, publishes=True, hides=True):
        """A day passes."""
        began = self.world.clock.now()
        for feed, _ in self.dropped:
            feed.quirks.set(drops=())
        self.dropped = []
        for feed in self.feeds if publishes else ():
            feed.publish(EACH, size='small')
            if not hides or self.rng.random() >= HIDDEN:
                continue
            if self.rng.random() < 0.5:
                late = ticks.from_seconds(began - DAY - self.rng.randrange(DAY // 4))
                self.hidden += feed.publish(1, ticks=late, size='small')
            else:
                version = feed.publish(1, ticks=ticks.from_seconds(began - 1), size='small')[0]
                feed.quirks.set(drops=(version.key,))
                self.hidden.append(version)
                self.dropped.append((feed, version))
        time.sleep(max(0, (began + DAY - self.world.clock.now()) / self.options.rate))
        with open(f'/proc/{self.world.program.process.pid}/status', encoding='ascii') as file:
            self.memory.append(next(int(line.split()[1]) for line in file if line.startswith('VmRSS')) / 1024)

    def days(self, lines):
        """{(input, day): the last result}."""
        return {(match[1], match[2]): match[3] for match in filter(None, map(LINE.search, lines))}

    def problems(self):
        """What did not hold."""
        verdict = self.world.verdict()
        lines = [line.text for line in self.world.program.lines]
        named = {(match[1], match[2]) for match in map(NAMED.search, lines) if match}
        results = self.days(lines)
        first = min(day for _, day in results) if results else ''
        days = sorted({day for _, day in results if day >= self.first_day})
        bad = {(feed.tenant.name, day): results.get((feed.tenant.name, day)) for feed in self.feeds for day in days
               if results.get((feed.tenant.name, day)) not in ('equal', 'repaired')}
        unnamed = [version for version in self.hidden if version not in self.polled and
                   (version.feed.tenant.name, version.key) not in named]
        reasons = collections.Counter(match[1] for match in filter(None, map(WHY.search, lines)))
        print(f'{len(results)} days of customers audited from {first} on: '
              f'{sum(result == "equal" for result in results.values())} equal, '
              f'{sum("result=repaired listed" in line for line in lines)} repairs; {len(self.hidden)} alerts were '
              f'hidden, {len(named)} were named, {len(self.polled & set(self.hidden))} came with a poll; '
              f'{self.memory[0]:.1f} to {max(self.memory):.1f} MB')
        for reason, count in reasons.most_common(5):
            print(f'  {count} times: {reason}')
        if not days or len(days) < self.options.days:
            yield f'only {len(days)} days were audited'
        if not verdict.exact:
            yield f'delivery is not exact: {verdict}'
        if unnamed:
            yield f'{len(unnamed)} hidden alerts were not named: {unnamed[:3]}'
        if bad:
            yield f'{len(bad)} days of customers are not proven: {list(bad.items())[:3]}'
        if self.world.microsoft.limits.violations():
            yield f'requests above the published limits: {self.world.microsoft.limits.violations()}'
        if max(self.memory) > 1.2 * self.memory[len(self.memory) // 4] + 4:
            yield f'memory grows: {self.memory}'

    def slow_moments(self):
        """Lines that say that the stand-ins were slower than the clock allows: polls and tokens come hours late."""
        return sum(bool(TOO_SLOW.search(line.text)) for line in self.world.program.lines)


def main():
    """Print what was found; exit with 1 if something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--tenants', type=int, default=100)
    parser.add_argument('--days', type=int, default=5)
    parser.add_argument('--rate', type=int, default=480, help='how many times as fast time goes')
    parser.add_argument('--seed', type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f'seed {options.seed}', flush=True)
    with tempfile.TemporaryDirectory() as folder:
        month = Month(options, folder)
        try:
            month.start()
            for number in range(options.days):
                month.day(hides=number > 0)     # what an input finds at its beginning is not late
            for _ in range(3):      # what was hidden last is found within three nights
                month.day(publishes=False)
            problems, slow = list(month.problems()), month.slow_moments()
        finally:
            month.world.close()
    for problem in problems:
        print(problem)
    if problems and slow:
        print(f'{slow} times the stand-ins were too slow for --rate {options.rate} on this machine; try a lower one')
    print(f'{int(not problems)} passed, {int(bool(problems))} failed')
    return bool(problems)


if __name__ == '__main__':
    sys.exit(main())
