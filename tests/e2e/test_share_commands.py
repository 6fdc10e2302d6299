"""`share`: token, status, take, drain, undrain, as an administrator types them. The other forwarders are written by hand."""
import contextlib
import json
import threading
import time
import unittest

import pytest
from world import inputxml
from world.forwarders import SharedWorld
from world.splunkd import APP
from world.store import INITIALIZING, PLACES, READ_ONLY, SHARE

ID = '{:016x}'.format


class Group:
    """The records of forwarders that share, in the world's store. beat(): their hearts go until the block ends."""

    def __init__(self, world):
        self.store, self.name = world.store.kvstore, world.group
        self.hearts, self.table, self.format = {}, 0, 1

    def put(self, collection, kind, name, text, number=0, **fields):
        """A record, as the program writes it."""
        rows = self.store.records(collection, APP)
        key = f"{self.name}.{kind}.{name}"
        rows[key] = {"_key": key, "group": self.name, "kind": kind,
                     'number': number, 'text': json.dumps(text), **fields}

    def member(self, name, inputs=(), **text):
        """A forwarder, and the inputs that it could read."""
        self.hearts[name] = {'start': 'a', 'beat': 1, 'follows': '', 'held': 0, 'well': True, 'program': '1.1.0',
                             'format': 1, **text}
        self.put(SHARE, 'member', name, self.hearts[name])
        self.put(PLACES, 'inputs', name, list(inputs))

    def share(self, owners, by='hf1'):
        """The next table: input -> forwarder."""
        self.table += 1
        made = ID(self.table)
        self.put(PLACES, 'body', made, {name: [owner, made, self.table] for name, owner in owners.items()})
        self.put(SHARE, 'table', f'{self.table:012d}', {'id': made, 'after': '', 'by': by, 'members': sorted(self.hearts),
                                                        'format': self.format}, self.table, id=made)

    def wish(self, name):
        """The wish of a forwarder, or None."""
        record = self.store.records(SHARE, APP).get(f'{self.name}.wish.{name}')
        return record and json.loads(record['text'])

    @contextlib.contextmanager
    def beating(self, *names, each_s=0.2, then=lambda: None):
        """Their heartbeats move meanwhile; then() is called with each."""
        ended = threading.Event()

        def run():
            while not ended.wait(each_s):
                for name in names or self.hearts:
                    heart = self.hearts[name]
                    heart['beat'] += 1
                    self.put(SHARE, 'member', name, heart)
                then()
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


class ShareCase(unittest.TestCase):
    """Two forwarders, hf1 and hf2, with the inputs a and b."""

    def setUp(self):
        self.world = SharedWorld(tls=False)
        self.addCleanup(self.world.close)
        for name in ('a', 'b'):
            self.world.customer(name)
        self.group = Group(self.world)
        for name in ('hf1', 'hf2'):
            self.group.member(name, ['a', 'b'])

    def call(self, *arguments, on='hf1', **how):
        return self.world[on].call('share', *arguments, **how)

    def json(self, *arguments, **how):
        result = self.call('status', '--json', *arguments, **how)
        self.assertEqual((result.code, result.err), (0, ''))
        return json.loads(result.out)


class Status(ShareCase):
    """`share status`"""

    def test_who_has_what(self):
        self.group.share({'a': 'hf1', 'b': 'hf2'})
        with self.group.beating():
            result = self.call('status')
            found = self.json(on='hf2')
        self.assertEqual((result.code, result.err), (0, ''))
        self.assertRegex(result.out, r'(?m)^Group default, by the KV store at http://127\S+: table 1, made by hf1, gives 2 '
                                     r'inputs to\s+2 forwarders\.$')
        self.assertRegex(result.out, r'(?m)^  a  +hf1\n  b  +hf2$')
        self.assertRegex(result.out, r'(?m)^  hf1  +member  +1 of 2 inputs, version 1\.1\.0; this forwarder\n'
                                     r'  hf2  +member  +1 of 2 inputs, version 1\.1\.0$')
        self.assertNotIn('To know', result.out)
        self.assertEqual([(row['forwarder'], row['this'], row['state'], row['inputs'], row['can_read'])
                          for row in found['forwarders']],
                         [('hf1', False, 'member', 1, 2), ('hf2', True, 'member', 1, 2)])
        self.assertEqual(found['inputs'], [{'input': 'a', 'forwarder': 'hf1', 'since_table': 1},
                                           {'input': 'b', 'forwarder': 'hf2', 'since_table': 1}])
        self.assertEqual((found['notes'], found['table']), ([], 1))


if __name__ == '__main__':
    unittest.main()
