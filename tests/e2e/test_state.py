"""The state of each customer in Splunk's KV store: what the customers page reads."""
import json
import os
import sys
import time
import unittest

import pytest
from world import faults
from world.runner import wait_for
from world.splunkd import APP, STATE
from world.world import World

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'package'))
import conf  # noqa: E402

# What may be missing of a record: what does not apply.
OPTIONAL = {'why', 'cause', 'who', 'remedy', 'next', 'note', 'last_poll', 'newest_alert', 'began', 'token_s',
            'certificate_days', 'secret_days', 'backfill_at', 'backfill_percent', 'audit_day', 'audit', 'api_days',
            'lost', 'reader', 'share'}


def fields_of_the_lookup():
    """What `inputlookup defender_mssp_state` shows."""
    with open(os.path.join(ROOT, 'default', 'transforms.conf'), 'rb') as file:
        return set(conf.read_conf(file.read(), 'transforms.conf')['defender_mssp_state']['fields_list'].split(', '))


class StateCase(unittest.TestCase):
    """Worlds whose calls to the KV store are written down."""

    def world(self):
        world = World(tls=False)
        self.addCleanup(world.close)
        world.calls = []

        def keep(request, answer):
            response = answer()
            world.calls.append((request.method, request.target, request.body, response.status))
            return response
        world.keeper = world.faults.add(keep, kind='kvstore')
        return world

    @staticmethod
    def is_in(world, name, condition, seconds=20):
        """The record of that input, once it has the condition."""
        return wait_for(lambda: (record := world.splunkd.states().get(name)) and record['condition'] == condition and
                        record, seconds, lambda: f'{name}: {world.splunkd.states().get(name)}\n{world.program.tail()}')

    @staticmethod
    def batches(world):
        """The records of each call that saves."""
        return [json.loads(body) for method, target, body, _ in world.calls if '/batch_save' in target]


class Records(StateCase):
    """What is written."""

    @pytest.mark.promise('Splunk', 'Each customer has a record in the KV store: condition, reason, who has to act, '
                                   'counts and the history of a day')
    def test_conditions(self):
        """Of inputs that work, wait, are refused, and cannot be used; with names of all kinds."""
        world = self.world()
        odd = 'a b/ü%"\''
        world.customer(odd).publish(3)
        world.customer('none')
        refused = world.customer('refused')
        refused.tenant.app.secrets = {}
        hidden = world.customer('hidden')
        world.faults.add(faults.status(403, {'error': {'code': 'x', 'message': 'no\u202e\x1b[31m<b>"a\\b\u2028c'}}),
                         service='graph', tenant=hidden.tenant)
        world.customer('broken', poll_interval='often')
        started = time.time()
        world.start().wait_events(3)
        found = {name: self.is_in(world, name, condition) for name, condition in (
            (odd, 'ok'), ('none', 'no alert yet'), ('refused', 'refused'), ('hidden', 'failing'),
            ('broken', 'held up'))}
        self.assertEqual(set(world.splunkd.kvstore.records(STATE, APP)), {
            'a%20b%2F%C3%BC%25%22%27', 'none', 'refused', 'hidden', 'broken'})
        listed = fields_of_the_lookup()
        for name, record in found.items():
            with self.subTest(name):
                self.assertLessEqual(set(record) - {'_user'}, listed)
                self.assertEqual((record['forwarder'], record['input']), ('test', name))
                self.assertTrue(started - 1 < record['since'] <= record['updated'] <= time.time())
                quarters = json.loads(record['history'])
                self.assertEqual((len(quarters), record['history_at'] % 900), (96, 0))
                self.assertTrue(all(quarter is None for quarter in quarters[:-2]), quarters)
                if name != 'broken':
                    self.assertEqual(listed - set(record) - OPTIONAL, set())
                    self.assertEqual(quarters[-1][1], record['requests'])
        self.assertEqual((found[odd]['new'], found[odd]['todo'], found[odd]['rank']), (3, 'Nothing', 11))
        self.assertTrue(started - 60 < found[odd]['newest_alert'] <= found[odd]['last_poll'] <= time.time())
        self.assertEqual(found['refused']['cause'], 'AADSTS7000215')
        self.assertTrue(found['refused']['todo'].startswith('our administrator: '), found['refused'])
        self.assertIn('AADSTS7000215', found['refused']['why'])
        self.assertGreaterEqual(json.loads(found['refused']['history'])[-1][3], 1)
        self.assertIn('poll_interval', found['broken']['why'])
        self.assertFalse(set('\u202e\x1b\u2028') & set(found['hidden']['why']), found['hidden']['why'])
        self.assertIn('no alert since', found['none']['note'])
        everything = b''.join(body for _, _, body, _ in world.calls).decode()
        for secret in [*(feed.tenant.app.secret for feed in world.feeds.values()), *world.splunkd.secrets().values()]:
            self.assertNotIn(secret, everything)

    @pytest.mark.promise('Splunk', 'Customers whose condition changes together are one call')
    def test_one_call(self):
        world = self.world()
        for number in range(40):
            world.customer(f'c{number}', poll_interval='2')
        world.start()
        wait_for(lambda: {record['condition'] for record in world.splunkd.states().values()} == {'no alert yet'} and
                 len(world.splunkd.states()) == 40, 30, world.program.tail)
        before = len(self.batches(world))
        self.assertLessEqual(before, 3)
        world.faults.add(faults.status(500), service='graph')
        wait_for(lambda: {record['condition'] for record in world.splunkd.states().values()} == {'failing'}, 30,
                 world.program.tail)
        changes = self.batches(world)[before:]
        self.assertLessEqual(len(changes), 2)
        self.assertGreater(max(map(len, changes)), 20)


class Kept(StateCase):
    """What a process finds of the one before."""

    @pytest.mark.promise('Splunk', 'History and the beginning of a condition outlast a restart; the record of a '
                                   'removed input goes, and that of a disabled one says so')
    def test_restart(self):
        world = self.world()
        for name in ('stays', 'off', 'a/b gone'):
            world.customer(name).publish(2)
        world.start().wait_events(6)
        for name in world.feeds:
            self.is_in(world, name, 'ok')
        records = world.splunkd.kvstore.records(STATE, APP)
        yesterday = records['stays']['history_at'] - 50 * 900
        quarters = [None] * 95 + [[7, 8, 1, 2]]
        records['stays'].update(since=records['stays']['since'] - 5000, history=json.dumps(quarters),
                                history_at=yesterday)
        since = records['stays']['since']
        for key, changes in {'elsewhere': {'forwarder': 'other'}, 'old': {'forwarder': 'other', 'updated': 1},
                             'nameless': {'input': 7}}.items():
            records[key] = {**records['stays'], '_key': key, 'input': key, **changes}
        records['garbage'] = {'_key': 'garbage', 'history': 9, 'history_at': 'x', 'since': [], 'condition': {}}
        world.program.terminate()
        del world.splunkd.inputs['a/b gone']
        world.splunkd.inputs['off'][1]['disabled'] = '1'
        world.feeds['stays'].publish(1)
        world.start().wait_events(1)
        wait_for(lambda: records['off']['condition'] == 'off' and 'a%2Fb%20gone' not in records and
                 'old' not in records, 20, lambda: f'{list(records)}\n{world.program.tail()}')
        self.assertEqual(set(records), {'stays', 'off', 'elsewhere', 'nameless', 'garbage'})
        self.assertEqual(records['off']['rank'], 12)
        self.assertIn('[', records['off']['history'])
        self.is_in(world, 'stays', 'ok')
        wait_for(lambda: records['stays']['new'] == 1, 15, world.program.tail)
        self.assertEqual(records['stays']['since'], since)
        shown = json.loads(records['stays']['history'])
        at = 95 - (records['stays']['history_at'] - yesterday) // 900
        self.assertEqual(shown[at], [7, 8, 1, 2])
        self.assertEqual(shown[95][0], 1)


def answering(name):
    """A store in that trouble."""
    return {'starting': faults.status(503, {'messages': [{'type': 'ERROR', 'text': 'KV Store is initializing.'}]}),
            'not installed': faults.status(404, {'messages': [{'type': 'ERROR', 'text': 'Could not find object'}]}),
            'no rights': faults.status(403, {'messages': [{'type': 'ERROR', 'text': 'no'}]}),
            'another session': faults.status(401, {'messages': [{'type': 'WARN', 'text': 'not authenticated'}]}),
            'garbage': faults.html(200), 'half': faults.cut(0.5), 'hangs': faults.black_hole(),
            'refuses': faults.status(400, b'no'), 'too much': faults.too_big(9_000_000)}[name]


class Trouble(StateCase):
    """Times when the KV store does not help. Each in a world of its own, all at the same time."""

    @pytest.mark.promise('Splunk', 'A KV store that is off, starts, refuses, hangs or answers garbage is one WARN, '
                                   'delays no alert, and one INFO when it works again')
    def test_one_line(self):
        names = ('starting', 'not installed', 'no rights', 'another session', 'garbage', 'half', 'hangs', 'refuses',
                 'too much')
        worlds = {}
        for name in names:
            world = worlds[name] = self.world()
            world.keeper.remove()
            world.rule = world.faults.add(answering(name), kind='kvstore')
            world.customer('a', poll_interval='1').publish(2)
            world.start()
        for name, world in worlds.items():
            with self.subTest(name):
                world.program.wait_events(2)
        for name, world in worlds.items():
            with self.subTest(name):
                world.program.wait_line('WARN event=kvstore why=', 25)
                at = time.monotonic()
                world.feeds['a'].publish(1)
                world.program.wait_events(3, 10)
                self.assertLess(time.monotonic() - at, 5)
                if name != 'hangs':         # and it says no more
                    wait_for(lambda world=world: world.rule.hits >= 2, 15, world.program.tail)
        for world in worlds.values():
            world.rule.remove()
        for name, world in worlds.items():
            with self.subTest(name):
                world.program.wait_line('INFO event=kvstore', 25)
                self.is_in(world, 'a', 'ok')
                lines = [line for line in world.program.lines if 'event=kvstore' in line.text]
                self.assertEqual([line.level for line in lines], ['WARN', 'INFO'], lines)
                self.assertTrue(world.program.running)
                self.assertTrue(world.verdict().exact, world.verdict())
                self.assertEqual(world.problems(), [])

    def test_a_lost_session(self):
        """The store is asked often, so it is the first to notice; the process ends for a fresh key."""
        world = self.world()
        world.customer('a').publish(1)
        world.start().wait_events(1)
        self.is_in(world, 'a', 'ok')
        world.splunkd.new_session()
        world.faults.add(faults.status(500), service='graph')       # a change of condition
        world.program.wait_line('WARN event=session_key', 30)


if __name__ == '__main__':
    unittest.main()
