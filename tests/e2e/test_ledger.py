"""The ledger of what splunkd has taken, and the manifest of each day."""
import collections
import hashlib
import json
import os
import re
import shutil
import time
import unittest

import pytest
from cases import SECOND, DeliveryCase
from world import ticks
from world.runner import wait_for

DAY = 86400
SETTLED = 900 + 1800 + 120         # seconds after its end from which on a day is said
LINE = re.compile(r'INFO event=manifest input=(\S+) tenant=\S+ api=\S+ day=(\S+) versions=(\d+) sum=(\d+) since=(\S+)\Z')


def manifests(program):
    """(input, day) -> [(versions, sum), ...] in the order of the log."""
    found = collections.defaultdict(list)
    for line in program.lines:
        match = LINE.match(line.text)
        if match:
            found[match[1], match[2]].append((int(match[3]), int(match[4])))
    return found


def of_events(events):
    """(input, day) -> (versions, sum) of what splunkd has, as the search over the index computes it."""
    keys = collections.defaultdict(set)
    for event in events:
        record = json.loads(event.data)
        ident, when = record['id'], record.get('lastUpdateDateTime') or record['lastUpdateTime']
        keys[event.stanza.split('://')[1], when[:10]].add(hashlib.sha256(f'{ident}|{when}'.encode()).hexdigest()[:16])
    return {name: (len(found), sum(int(key[:8], 16) for key in found)) for name, found in keys.items()}


class LedgerCase(DeliveryCase):
    """Alerts of some days, and what is said of them after a restart, when all of them are in the ledger."""

    def days_ago(self, world, count):
        """The date of so many days before the one that is not settled."""
        return ticks.iso(self.now(world) - (SETTLED + count * DAY) * SECOND)[:10]

    def customer(self, world, name, days=4, **more):
        """An input that begins with a whole day."""
        return world.customer(name, start_time=self.days_ago(world, days), **more)

    def publish(self, world, feed, days=3, each=5, **more):
        """Alerts in the middle of the days before today."""
        noon = ticks.parse(self.days_ago(world, 0) + 'T12:00:00Z')
        for day in range(1, days + 1):
            for number in range(each):
                feed.publish(1, ticks=noon - day * DAY * SECOND + number * 7 * SECOND + number, **more)

    def path(self, world, name='c'):
        """Of an input's ledger."""
        return os.path.join(world.home.checkpoints, 'ledger', name)

    def said(self, world, days, seconds=50):
        """What is said of so many days."""
        wait_for(lambda: len(manifests(world.program)) >= days, seconds,
                 lambda: f'{manifests(world.program)} {world.program.tail()}')
        return manifests(world.program)

    def equal(self, world, said):
        """Each line that was said last is true of what splunkd has."""
        held = of_events(world.events())
        for name, lines in said.items():
            self.assertEqual(lines[-1], held.get(name, (0, 0)), name)
        return held


class Manifests(LedgerCase):
    """event=manifest"""

    @pytest.mark.promise('Completeness', 'A manifest says for each day and customer how many versions were written, '
                                         'and their sum, as a search over the index computes it')
    def test_counts_of_days(self):
        world = self.world()
        feeds = [self.customer(world, api, api=api) for api in ('graph', 'endpoint', 'incidents')]
        for feed in feeds:
            self.publish(world, feed)
        world.start().wait_events(45)
        for feed in feeds:
            self.polls(world, feed)
        world.restart()
        said = self.said(world, 12)
        self.equal(world, said)
        for feed in feeds:
            self.assertEqual([said[feed.api, self.days_ago(world, day)][0][0] for day in (4, 3, 2, 1)], [0, 5, 5, 5])
        self.exact(world)
