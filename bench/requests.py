"""Counts the requests of a backfill and compares them with the least: records / records that fit a page.

A customer's 30 days are read from the stand-ins of tests/e2e/world, with both clocks RATE times as fast. Each row is
read by a process of its own, and every record must arrive once. `make bench BENCH=requests` calls this; by hand:
python3 bench/requests.py [--rate N] [--only WORD]... [PROGRAM]
"""
import argparse
import math
import os
import random
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'tests', 'e2e'), HERE]

from cases import build_shim  # noqa: E402  needs the path above
from world import ticks  # noqa: E402
from world.clock import Clock  # noqa: E402
from world.world import World  # noqa: E402

DAY = 86400
DAYS = 29
DEADLINE_S = 240
ARRIVALS = ('even', 'office', 'bursts', 'resolved')
# API, records, what a page holds (None: as many as are asked for), how many fit
SIZES = (('incidents', 1500, None, 50), ('graph', 3000, None, 1000), ('graph', 3000, 100, 100),
         ('endpoint', 10000, 1000, 1000))
SIEM = ('siem', 3000, None, 5000)
ORDERS = {'accept': 'yes', 'ignore': 'no', 'refuse': '400', 'uncounted': 'yes, no count',
          'unproven': 'yes, neither counts nor skips'}
# Services that nothing proves complete are read in windows: no more requests than version 1.0.0 took.
BEFORE = {'even': 46, 'office': 170, 'bursts': 352, 'resolved': 67}


def moments(arrival, count, end, rng):
    """Update times, in seconds, of so many records of the last DAYS before `end`."""
    start = end - DAYS * DAY
    if arrival == 'even':
        return [start + (end - start) * i / count for i in range(count)]
    if arrival == 'office':         # Monday to Friday, 9 to 17 o'clock
        hours = [start + hour * 3600 for hour in range(DAYS * 24)]
        hours = [hour for hour in hours if 9 <= hour // 3600 % 24 < 17 and hour // DAY % 7 not in (2, 3)]
        return [rng.choice(hours) + rng.random() * 3600 for _ in range(count)]
    if arrival == 'bursts':         # most within minutes, at twelve moments
        heads = [start + rng.random() * (end - start - 600) for _ in range(12)]
        return [rng.choice(heads) + rng.random() * 300 if i % 10 else start + rng.random() * (end - start)
                for i in range(count)]
    middle = start + (end - start) * 0.6            # 60 % resolved in bulk
    return [middle + rng.random() * 600 if i % 5 < 3 else start + rng.random() * (end - start) for i in range(count)]


class Row:
    """One line of the table, and how it is measured."""

    def __init__(self, size, arrival, order):
        self.api, self.records, self.cap, self.fits = size
        self.arrival, self.order = arrival, order
        self.least = math.ceil(self.records / self.fits)
        self.requests = self.seconds = None
        self.note = ''

    def name(self):
        """What --only looks at."""
        return f'{self.api}-{self.fits}-{self.arrival}-{self.order}'

    def measure(self, program, shim, rate):
        """Fill in .requests and .seconds."""
        world = World(tls=False, clock=Clock(rate=rate))
        try:
            feed = world.customer('c', self.api, poll_interval='60')
            if self.cap:
                feed.quirks.set(page_cap=self.cap)
            unsure = self.order in ('uncounted', 'unproven')
            feed.quirks.set(orderby='accept' if unsure else self.order, count=not unsure, skip=self.order != 'unproven')
            if self.api == 'endpoint' and self.cap:
                link_pages(world)
            end = world.clock.now() - 3600
            for moment in moments(self.arrival, self.records, end, random.Random(self.name())):
                feed.add(feed.maker.alert(ticks.from_seconds(moment), size='small'))
            began = time.monotonic()
            world.start(program=program, environment=world.home.environment(LD_PRELOAD=shim, HASTE=str(rate)))
            while len(world.program.events) < self.records and time.monotonic() - began < DEADLINE_S:
                time.sleep(0.01)
            self.seconds = (time.monotonic() - began) * rate
            self.requests = sum(1 for entry in world.microsoft.requests(feed.tenant, kind=self.api))
            time.sleep(70 / rate)   # a poll more: nothing comes twice
            verdict = world.verdict()
            world.program.terminate()
            if not verdict.exact or world.microsoft.limits.violations():
                self.note = f'NOT EXACT: {verdict} {world.microsoft.limits.violations()}'
        finally:
            world.close()

    def line(self):
        """The row as a line of the table in docs/performance.md."""
        ratio = self.requests / self.least
        return (f'| {self.api} | {self.records:,} | {self.fits:,} | {self.arrival} | '
                f'{ORDERS[self.order]} | {self.least} | {self.requests} | {ratio:.1f} | '
                f'{self.most():.0f} | {self.seconds:.0f} |{" " + self.note if self.note else ""}')

    def most(self):
        """The goal: requests that are allowed."""
        if self.order == 'unproven':
            return BEFORE[self.arrival]
        if self.order == 'uncounted':
            return 1.4 * self.least + 2
        return (1.2 if self.order == 'accept' else 1.5) * self.least + 2

    def good(self):
        """Delivery was exact, and the goal is met."""
        return not self.note and self.requests <= self.most()


def link_pages(world):
    """Endpoint pages that end early say so with a link, whose address holds the position."""
    def fault(request, answer):
        skip = int(request.args.get('$skip', 0))
        response = answer()
        if response.status != 200 or len(response.versions or ()) < 1000:
            return response
        query = request.target.partition('?')[2]
        query = '&'.join(part for part in query.split('&') if not part.startswith(('$skip', '%24skip')))
        link = f'{request.base}{request.path}?{query}&$skip={skip + len(response.versions)}'
        response.body = response.body.replace(b'"value":', b'"@odata.nextLink":"%s","value":' % link.encode(), 1)
        return response
    world.faults.add(fault, kind='endpoint')


def rows():
    """All of the table."""
    for size in SIZES:
        for arrival in ARRIVALS:
            for order in ('accept', 'ignore'):
                yield Row(size, arrival, order)
    for order in ('refuse', 'uncounted', 'unproven'):
        for arrival in ARRIVALS:
            yield Row(SIZES[2], arrival, order)
    for arrival in ARRIVALS:
        yield Row(SIEM, arrival, 'ignore')


def main():
    """Print the table; exit with 1 if a row misses its goal."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--rate', type=int, default=20)
    parser.add_argument('--only', action='append', default=[])
    parser.add_argument('program', nargs='?', default=os.path.join(HERE, '..', 'bin', 'defender_alerts'))
    options = parser.parse_args()
    print('| API | records | a page | arrival | sorts | least | requests | ratio | at most | all after s |\n'
          '|---|---|---|---|---|---|---|---|---|---|')
    failed = passed = 0
    with tempfile.TemporaryDirectory() as folder:
        shim = build_shim(folder, 'haste')
        for row in rows():
            if not all(word in row.name() for word in options.only):
                continue
            row.measure(os.path.abspath(options.program), shim, options.rate)
            print(row.line(), flush=True)
            passed += row.good()
            failed += not row.good()
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
