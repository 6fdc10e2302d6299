"""The judgment of the soak of several forwarders (tests/soak/share_rights.py): who may read, what may come twice."""
import json
import os
import sys
import types
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'soak'))

from share_report import Calls
from share_rights import Readers, Tables, Twice
from share_strain import Strain


class Version:
    """What stands for a version of the ledger."""

    def __init__(self, name):
        self.feed = types.SimpleNamespace(tenant=types.SimpleNamespace(name=name))


class Judged(unittest.TestCase):
    """hf1 has both customers by the first table, at 100 s; by the second one, at 200 s, hf2 has b."""

    def setUp(self):
        self.tables = Tables()
        self.readers = Readers(self.tables)
        self.table(1, 100, a=('hf1', 'id1'), b=('hf1', 'id1'))
        self.table(2, 200, a=('hf1', 'id1'), b=('hf2', 'id2'))

    def table(self, number, when, **owners):
        """A table is inserted."""
        self.tables.inserted(when, {'kind': 'table', 'id': f'id{number}', 'number': number}, json.dumps(owners))

    def wrong(self, *requests):
        """How many of these requests (forwarder, input, when) are complained about."""
        for request in requests:
            self.readers.asked(*request)
        return len(self.readers.wrong)

    def test_rights(self):
        """A reader waits for 20 s, and the one before has stopped 15 s after the table. A second is for the way."""
        for forwarder, name, when, right in (
                ('hf1', 'a', 110, False), ('hf1', 'a', 119.5, True), ('hf2', 'a', 150, False), ('hf1', 'b', 199, True),
                ('hf1', 'b', 215, True), ('hf1', 'b', 217, False), ('hf2', 'b', 217, False), ('hf2', 'b', 220, True),
                ('hf1', 'a', 250, True), ('hf3', 'a', 250, False), ('hf1', 'c', 250, False)):
            with self.subTest(f'{forwarder} {name} {when}'):
                self.assertEqual(self.tables.right(forwarder, name, when), right)
        self.assertEqual(self.wrong(('hf1', 'b', 215), ('hf2', 'b', 221)), 0)
        self.assertEqual(self.wrong(('hf1', 'b', 222)), 1)
        self.assertEqual((self.tables.moved(150), self.tables.moved(90)), ({'b'}, {'a', 'b'}))

    def test_rollback(self):
        """A table that is lost counts no more; two readers are measured then, not complained about."""
        records = {'x': {'kind': 'table', 'id': 'id1', 'number': 1}}
        self.assertTrue(self.tables.rolled_back(230, records))
        self.assertFalse(self.tables.rolled_back(231, records))
        self.readers.rollbacks.append(230)
        self.assertEqual(self.wrong(('hf2', 'b', 229), ('hf1', 'b', 235), ('hf2', 'b', 240), ('hf1', 'b', 245),
                                    ('hf2', 'b', 250)), 0)
        self.assertEqual(self.readers.doubles['b'][1], 5)
        self.assertEqual(self.wrong(('hf2', 'b', 330)), 1)

    def test_excuse(self):
        """Who cannot reach the store reads what it held."""
        self.readers.excuses.append(lambda forwarder, when: 'alone' if forwarder == 'hf1' and when < 300 else None)
        self.assertEqual(self.wrong(('hf1', 'b', 299)), 0)
        self.assertEqual((self.wrong(('hf1', 'b', 301)), self.readers.excused['alone']), (1, 1))

    def test_takeover(self):
        """It ends with the first request of another forwarder."""
        self.readers.awaits(['a', 'b'], 'hf1', 200, 'kill')
        self.wrong(('hf1', 'b', 205), ('hf2', 'b', 245))
        self.assertEqual((self.readers.takeovers, set(self.readers.waits())), ({'kill': [45]}, {'a'}))

    def test_twice(self):
        """Only what was written within 130 s before a death, and what both wrote while one was cut off."""
        old, new, other, late = Version('a'), Version('a'), Version('b'), Version('a')
        twice = Twice()
        twice.explains('kill', 'hf1', 200, 201)
        for key, forwarder, when in ((old, 'hf1', 60), (new, 'hf1', 90), (other, 'hf2', 190), (late, 'hf1', 202)):
            self.assertFalse(twice.arrived(('s', key), forwarder, when))
        for key in (new, old, other, late):
            self.assertTrue(twice.arrived(('s', key), 'hf2', 250))
        self.assertEqual((twice.counts['kill'], twice.oldest['kill'], len(twice.unexplained)), (1, 110, 3))
        twice.explains('cut off', 'hf1', 260, names={'a'})
        twice.arrived(('s', late), 'hf1', 270)
        twice.arrived(('s', other), 'hf1', 270)
        self.assertEqual((twice.counts['cut off'], len(twice.unexplained)), (1, 4))

    def test_too_slow(self):
        """What a machine without a processor to spare does late is counted, not complained about."""
        self.readers.slow = lambda when: when == 222
        self.assertEqual(self.wrong(('hf1', 'b', 222)), 0)
        self.assertEqual(self.readers.excused['the machine was too slow'], 1)
        self.assertEqual(self.wrong(('hf1', 'b', 240)), 1)


class Machine(unittest.TestCase):
    """How fast it is, and what a forwarder asks the store for in a minute."""

    def test_strain(self):
        """Stand-ins that are late, or a program that waits for a processor, by fast clocks sooner."""
        lag = types.SimpleNamespace(within=lambda seconds: lag.late, late=0.0, worst=0.0)
        for haste, late, waits, slow in ((1, 0.2, 0.6, False), (1, 0.6, 0, True), (1, 0, 0.8, True),
                                         (4, 0.1, 0.1, False), (4, 0.2, 0, True), (4, 0, 0.2, True)):
            with self.subTest(f'{haste} {late} {waits}'):
                strain = Strain(lag, haste, list, None)
                strain.waits = lambda now, waits=waits: [('hf1', waits)]
                lag.late = late
                strain.look(100)
                self.assertEqual((strain.at(101), strain.too_much, strain.at(120)), (slow, slow, False))

    def test_calls(self):
        """The worst minute of those without and with a start."""
        calls = [(when, 'read') for when in range(0, 300, 6)] + [(when, 'loads') for when in range(200, 212)]
        found = Calls(sorted(calls), [150], 1)
        self.assertEqual(found.worst(False), (22, 211, {'read': 10, 'loads': 12}))
        self.assertEqual(found.worst(True)[0], 21)
        self.assertEqual(found.mean(0, 60), 11)
