"""Everything together, around the minimal program: what a test author relies on must work, and find the bugs."""
import http.client
import os
import time
import unittest

from .. import minimal
from ..feed import Feed
from ..runner import validate, wait_for
from ..world import World

PROGRAM = os.path.abspath(minimal.__file__)


class Whole(unittest.TestCase):
    """The minimal program in a world."""

    def world(self, **how):
        world = World(seed=3, **how)
        self.addCleanup(world.close)
        return world

    def start(self, world, bug='', **how):
        return world.start(program=PROGRAM, environment=world.home.environment(MINIMAL_BUG=bug), **how)

    def deliver(self, world, bug=''):
        feed = world.customer('acme', stored=False)
        feed.publish(60)
        program = self.start(world, bug)
        program.wait_events(50)
        return feed, program

    def test_exact(self):
        with self.world() as world:
            feed, program = self.deliver(world)
            program.wait_events(60)
            self.assertGreater(program.memory_kb(), 1000)
            self.assertGreater(program.descriptors(), 2)
            self.assertEqual(program.secrets_seen([feed.tenant.app.secret]), [])
            feed.update(feed.versions[0])
            feed.publish(1, late=0.3)
            program.wait_events(62)
            feed.quirks.set(pretty=True)
            world.faults.add(lambda request, answer: world.microsoft.identity.revoke() or answer(), kind='graph',
                             times=1)
            program.wait_line('401')
            self.assertLess(program.terminate(), 2)
            self.assertEqual((program.process.returncode, str(world.verdict())),
                             (0, 'delivered=62 lost=0 repeated=0 altered=0 unexpected=0 skipped=0'))
            self.assertEqual(program.lines[0].facts, {'inputs': '1'})

    def test_bugs_are_found(self):
        rows = (('lose', 'lost'), ('repeat', 'repeated'), ('reformat', 'altered'))
        world = self.world(tls=False)
        feed = world.customer('acme', stored=False)
        feed.publish(60)
        for bug, name in rows:
            program = self.start(world, bug)
            program.wait_events(100 if bug == 'repeat' else 54)
            program.terminate()
            verdict = world.ledger.compare(program.events)
            self.assertTrue(getattr(verdict, name), (bug, str(verdict)))
            self.assertFalse(verdict.exact)
        program = self.start(world, 'junk')
        wait_for(lambda: program.problems(), 5)
        program.terminate()
        with self.assertRaisesRegex(AssertionError, 'still there'):
            deaf = self.start(world, 'deaf')
            deaf.wait_line('started')
            deaf.terminate(0.3)
        with self.assertRaisesRegex(AssertionError, 'AddressSanitizer'):
            with self.world(tls=False) as other:
                self.start(other, 'asan').wait_line('Sanitizer')

    def test_stalled_reader(self):
        world = self.world(tls=False)
        feed = world.customer('acme', stored=False)
        feed.publish(200)
        program = self.start(world, pipe_size=65536)
        program.stall()
        wait_for(lambda: program.unread() > 30000, 5)
        program.kill()
        self.assertGreater(program.discarded, 30000)
        self.assertEqual((program.problems(), world.verdict().delivered + len(world.verdict().lost)), ([], 200))

    def test_closed_stdout_ends_the_program(self):
        world = self.world(tls=False)
        world.customer('acme', stored=False).publish(1, size='small')
        program = self.start(world, 'repeat')
        program.wait_events(3)
        program.close_stdout()
        self.assertEqual(program.wait(5), 0)

    def test_edits_restart_the_program(self):
        world = self.world(tls=False)
        feed = world.customer('acme', stored=False)
        feed.publish(2, size='small')
        how = {'program': PROGRAM, 'environment': world.home.environment()}
        world.start(**how).wait_events(2)
        world.follow_edits(**how)
        link = http.client.HTTPConnection('127.0.0.1', world.splunkd.service.port, timeout=20)
        self.addCleanup(link.close)
        params = world.splunkd.inputs['acme'][1]
        for gone, wanted in (('tenant_id', 400), ('filter', 200)):     # the minimal program insists on tenant_id
            kept = params.pop(gone, None)
            link.request('POST', '/servicesNS/nobody/search/data/inputs/defender_alerts/acme?output_mode=json',
                         'filter=x', {'Authorization': 'Splunk ' + world.splunkd.session_key,
                                      'Content-Type': 'application/x-www-form-urlencoded'})
            answer = link.getresponse()
            self.assertEqual((answer.status, b'is missing &' in answer.read()), (wanted, wanted == 400))
            params.update({gone: kept} if kept else {})
        wait_for(lambda: len(world.programs) == 2 and len(world.program.events) == 2, 10)

    def test_variants_and_validation(self):
        world = self.world(tls=False)
        world.customer('acme', stored=False).publish(3, size='small')
        for variant in ({'encoding': 'utf-16-le'}, {'encoding': 'utf-16-be', 'order': 'last'}, {'order': 5}):
            program = self.start(world, variant=variant, stdin_open='utf-16-le' not in str(variant))
            program.wait_events(3)
            program.terminate()
        result = validate(world.home, 'x', {}, program=PROGRAM)
        self.assertEqual((result.code, result.message), (1, 'tenant_id is missing & needed'))
        self.assertEqual(validate(world.home, 'x', {'tenant_id': 't'}, program=PROGRAM).code, 0)

    def test_ledger(self):
        world = self.world(tls=False)
        self.assertFalse(world.ledger.compare([]).exact, 'nothing was seen to be right')
        feed = world.customer('acme', where=lambda version: version.fields.get('severity') != 'low')
        self.assertFalse(world.ledger.compare([]).exact)
        wanted = feed.add(b'{"id":"a","severity":"high","lastUpdateDateTime":"2026-11-01T08:00:00Z"}')
        feed.add(b'{"id":"b","severity":"low","lastUpdateDateTime":"2026-11-01T08:00:00Z"}')
        odd = feed.add(b'{"text":"\xff\xfe \xef\xbf\xbf"}')
        feed.add(b'{"id":', readable=False)
        feed.add(b'{"id":"c","lastUpdateDateTime":"2026-11-01T08:00:00Z"}', late=3600)
        first = feed.add(b'{"id":"d","lastUpdateDateTime":"2026-11-01T08:00:00Z"}')
        feed.add(b'{"id":"d","lastUpdateDateTime":"2026-11-01T08:00:01Z"}')
        verdict = world.ledger.compare([])
        self.assertEqual((set(verdict.lost), verdict.skipped, world.ledger.due()),
                         ({wanted, odd, feed.versions[-1]}, [first], 3))

        class Event:
            stanza, time, data = 'defender_alerts://acme', None, '{"text":"\ufffd \ufffd\ufffd"}'
        self.assertEqual(world.ledger.compare([Event]).delivered, 1)
        Event.time, Event.data = '1793520000.0', wanted.text
        self.assertEqual(len(world.ledger.compare([Event, Event]).repeated), 1)
        Event.time = '1793520001'
        self.assertEqual(len(world.ledger.compare([Event]).altered), 1)
        Event.data = '{"id":"z"}'
        self.assertEqual(len(world.ledger.compare([Event]).unexpected), 1)
        Event.sourcetype, Event.data = 'ms:defender:unreadable', '{"raw":"{"}'
        verdict = world.ledger.compare([Event, Event])
        self.assertEqual((len(verdict.repeated), len(verdict.unexpected)), (1, 0))
        feed.versions = [version for version in feed.versions if version.readable]
        self.assertEqual(len(world.ledger.compare([Event]).unexpected), 1, 'all are readable')

    def test_many_tenants_are_quick(self):
        began = time.monotonic()
        world = self.world(tls=False)
        for number in range(500):
            world.customer(f'c{number}', shared=True).publish(1, size='small')
        self.assertEqual((len(world.splunkd.stanzas()), world.ledger.due()), (500, 500))
        self.assertIsInstance(world.feeds['c7'], Feed)
        self.assertLess(time.monotonic() - began, 5)
