#!/usr/bin/python3
"""Measures how long an alert waits from the moment the service shows it until its event, in poll intervals.

Customers of the stand-ins of tests/e2e/world are polled at the default interval, with all clocks RATE times as fast.
By hand: python3 bench/delay.py [--customers N] [--minutes N] [--rate N] [PROGRAM]
"""
import argparse
import json
import os
import random
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tests', 'e2e'))

from cases import build_shim  # noqa: E402  needs the path above
from world.clock import Clock  # noqa: E402
from world.world import World  # noqa: E402

INTERVAL_S = 60


def bursts(feeds, span_s, rng):
    """Moments and feeds: each customer has two incidents an hour, of ten versions within five minutes."""
    heads = [(rng.random() * span_s, rng.choice(feeds)) for _ in range(int(len(feeds) * span_s / 1800))]
    return [(head + rng.random() * 300, feed) for head, feed in heads for _ in range(10)]


def single(feeds, span_s, rng):
    """Moments and feeds: alerts that have nothing to do with each other, twelve an hour and customer."""
    return [(rng.random() * span_s, rng.choice(feeds)) for _ in range(int(len(feeds) * span_s / 300))]


def version_of(text):
    """What identifies an alert version."""
    record = json.loads(text)
    return record['id'], record['lastUpdateDateTime']


def publish(plan, options):
    """Publish at the planned moments; (version, when) of each."""
    began, shown = time.monotonic(), []
    for moment, feed in sorted(plan, key=lambda each: each[0]):
        if moment > options.minutes * 60:
            break
        time.sleep(max(0, began + moment / options.rate - time.monotonic()))
        shown.append((version_of(feed.publish(1, size='small')[0].raw), time.time()))
    return shown


def measure(pattern, options, shim):
    """Print the line of one pattern."""
    with World(tls=False, clock=Clock(rate=options.rate)) as world:
        feeds = [world.customer(f'c{n}', 'graph', poll_interval=str(INTERVAL_S)) for n in range(options.customers)]
        program = world.start(program=os.path.abspath(options.program),
                              environment=world.home.environment(LD_PRELOAD=shim, HASTE=str(options.rate)))
        time.sleep(10 + 2 * INTERVAL_S / options.rate)      # all have been polled
        before = len(world.microsoft.requests(kind='graph'))
        shown = publish(pattern(feeds, options.minutes * 60, random.Random(1)), options)
        polls = (len(world.microsoft.requests(kind='graph')) - before) / options.customers / options.minutes
        time.sleep(2 + 2 * INTERVAL_S / options.rate)
        came = {version_of(event.data): event.when for event in program.events}
        delays = sorted((came[version] - when) * options.rate / INTERVAL_S for version, when in shown)
    middle, most = delays[len(delays) // 2], delays[int(len(delays) * 0.95)]
    print(f'| {pattern.__name__} | {len(delays)} | {middle:.2f} | {most:.2f} | {delays[-1]:.2f} | {polls:.1f} |',
          flush=True)


def main():
    """Print the table of docs/performance.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--customers', type=int, default=200)
    parser.add_argument('--minutes', type=float, default=30)
    parser.add_argument('--rate', type=int, default=5)
    parser.add_argument('program', nargs='?', default=os.path.join(HERE, '..', 'bin', 'defender_alerts'))
    options = parser.parse_args()
    print('| arrival | versions | median | 95 % | longest | polls a minute and customer |\n|---|---|---|---|---|---|')
    with tempfile.TemporaryDirectory() as folder:
        shim = build_shim(folder, 'haste')
        for pattern in (bursts, single):
            measure(pattern, options, shim)


if __name__ == '__main__':
    main()
