"""What a person is told, where, and how soon: causes, remedies, times, and a log that loses no line."""
import json
import os
import re
import shutil
import time
import unittest

import pytest
from cases import SOON
from checks import BlackHole, closed_port, spawn
from world import faults
from world.login_errors import refusing
from world.runner import call, wait_for
from world.world import World

CLOCK = r'\d\d:\d\d(:\d\d)?'
MANY = 300


def locked(_, answer):
    """splunkd while its password store is locked."""
    return faults.status(503, {'messages': [{'type': 'ERROR', 'text': 'The password store is locked'}]})(_, answer)


class Store(unittest.TestCase):
    """splunkd's password store does not help: each input that waits for it says why, within seconds."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def told(self, words, cause, names=('a', 'b')):
        """All of these inputs name the cause in their status within 5 s of the start; returns the last line."""
        program = self.world.start()
        began = time.monotonic()
        for name in names:
            line = program.wait_line(f'event=status input={name} .*why="[^"]*{words}', 8)
            self.assertEqual((line.facts['cause'], line.facts['who']), (cause, 'our administrator'))
            self.assertTrue(line.facts['remedy'])
        self.assertLess(time.monotonic() - began, 2.5 + SOON)
        return line

    @pytest.mark.promise('Log lines', 'A password store that is locked, refuses or is silent is named by each input '
                         'that waits for it within 5 seconds')
    def test_a_store_that_cannot_be_read(self):
        """Locked, silent, away, forbidden; and the inputs start when it is well again."""
        for name in ('a', 'b'):
            self.world.customer(name)
        for fault, words, cause in ((locked, 'HTTP 503: The password store is locked', 'splunkd_busy'),
                                    (faults.black_hole(), 'has not answered within 3 s', 'splunkd_busy'),
                                    (faults.status(404), 'HTTP 404', 'splunkd_busy'),
                                    (faults.html(), 'not a JSON list', 'splunkd_busy'),
                                    (faults.status(403), 'HTTP 403', 'splunkd_rights')):
            with self.subTest(words):
                self.world.faults.add(fault, kind='passwords')
                self.told(words, cause)
                self.world.faults.clear()
                if fault is locked:
                    self.world.program.wait_line('event=status input=a .*state=ok')
                self.world.program.terminate()

    @pytest.mark.promise('Log lines', 'A line about trouble says when the input goes on')
    def test_when_the_store_is_read_again(self):
        """And when the checkpoint folder is tried again."""
        self.world.customer('a')
        self.world.faults.add(faults.html(), kind='passwords')
        facts = self.told('not a JSON list', 'splunkd_busy', 'a').facts
        self.assertEqual((facts['next_s'], facts['next']), ('30', 'retrying in 30 s'))
        self.world.program.terminate()
        shutil.rmtree(self.world.home.checkpoints)
        with open(self.world.home.checkpoints, 'wb'):
            pass
        facts = self.told('the checkpoint folder cannot be used', 'waiting', 'a').facts
        self.assertEqual((facts['next_s'], facts['next']), ('10', 'retrying in 10 s'))

    def test_a_store_that_takes_nothing(self):
        """It can be read, but a secret that was entered cannot be stored."""
        for name in ('a', 'b'):
            self.world.customer(name, stored=False)
        self.world.faults.add(locked, kind='passwords', match=lambda request: request.method != 'GET')
        self.told('The password store is locked', 'splunkd_busy')

    def test_a_rotated_token_that_cannot_be_stored(self):
        """The successor of a refresh token waits for the store, and so does the input."""
        tenant = self.world.microsoft.tenant('a')
        token = self.world.microsoft.identity.new_refresh_token(tenant)
        self.world.customer('a')
        self.world.splunkd.store(f'refresh_token.{tenant.id}.{tenant.app.client_id}', token)
        self.world.faults.add(locked, kind='passwords', match=lambda request: request.method != 'GET')
        self.assertEqual(self.told('The password store is locked', 'splunkd_busy', 'a').facts['state'], 'failing')


class Lost(unittest.TestCase):
    """stderr is a pipe that somebody reads slowly."""

    @pytest.mark.promise('Log lines', 'No line is lost while stderr is read slowly: 300 inputs that are refused at '
                         'once are all told')
    def test_three_hundred_refusals_and_a_slow_reader(self):
        """Nothing is read for three seconds, then a little at a time."""
        with World(tls=False) as world:
            for number in range(MANY):
                world.customer(f'c{number}')
            world.faults.add(refusing(7000215), service='login')
            process = spawn(world.home)
            self.addCleanup(process.kill)
            process.stdin.write(world.xml())
            process.stdin.flush()
            time.sleep(3)
            text, until = b'', time.monotonic() + 45
            while len(self.refused(text)) < 2 * MANY and time.monotonic() < until:
                text += os.read(process.stderr.fileno(), 4096)
                time.sleep(0.01)
            self.assertEqual(len(self.refused(text)), 2 * MANY)
            self.assertNotIn(b'lost', text)
            process.terminate()
            process.communicate(timeout=5)

    @staticmethod
    def refused(text):
        """Which inputs have a line of each kind."""
        return set(re.findall(rb'event=(refused input=c\d+) |event=(status input=c\d+) [^\n]*state=refused', text))

    def test_the_end_is_told_too(self):
        """The last lines reach a reader that is late by a moment."""
        with World(tls=False) as world:
            for number in range(200):
                world.customer(f'c{number}', poll_interval='x' * 300)
            world.customer('good')
            process = spawn(world.home)
            process.stdin.write(world.xml())
            process.stdin.flush()
            wait_for(lambda: world.microsoft.requests(kind='graph'), 15)
            process.terminate()
            _, text = process.communicate(timeout=5)
            self.assertEqual(text.count(b'event=bad_input'), 200)
            self.assertIn(b'event=stopped', text)


class Remedies(unittest.TestCase):
    """cause, who, remedy and next of a status line."""

    def setUp(self):
        self.world = World(far=True)
        self.addCleanup(self.world.close)

    def status(self, name, state):
        """The facts of the input's status in that state."""
        return self.world.program.wait_line(f'event=status input={name} .*state={state} ').facts

    @pytest.mark.promise('Log lines', "A status that is not ok has the cause, who has to act and what to do, from the "
                         "program's tables")
    def test_each_cause_has_its_own(self):
        """A dead proxy, a refused secret, a permission, a busy service, a throttled one, a record that breaks."""
        world = self.world
        names = ('wrong', 'forbidden', 'busy', 'throttled', 'broken')
        tenants = {name: world.customer(name).tenant for name in names}
        world.customer('proxied', proxy=f'http://127.0.0.1:{closed_port()}')
        world.faults.add(refusing(7000215), service='login', tenant=tenants['wrong'])
        for name, fault in (('forbidden', faults.status(403)), ('busy', faults.status(500)),
                            ('throttled', faults.throttled(429, 120)), ('broken', faults.empty())):
            world.faults.add(fault, service='graph', tenant=tenants[name])
        world.start()
        for name, state, cause, act, words in (
                ('proxied', 'failing', 'proxy_dead', 'our administrator', 'check that the proxy runs'),
                ('wrong', 'refused', 'AADSTS7000215', 'our administrator', 'secret'),
                ('forbidden', 'failing', 'http_403', "the customer's administrator", 'grant admin consent'),
                ('busy', 'failing', 'http_5xx', 'no action needed', 'nothing: tried again'),
                ('throttled', 'throttled', 'http_429', 'no action needed', 'nothing: the input waits'),
                ('broken', 'failing', 'bad_answer', 'no action needed', 'open a case with Microsoft')):
            with self.subTest(name):
                facts = self.status(name, state)
                self.assertEqual((facts['cause'], facts['who']), (cause, act))
                self.assertIn(words, facts['remedy'])
        proxied = self.status('proxied', 'failing')
        self.assertIn('no connection to the proxy', proxied['why'])

    @pytest.mark.waits(20)
    def test_a_host_that_is_silent_is_told_by_all_at_once(self):
        """libcurl lets them wait for one connection; the next try is not made by one input after another."""
        with BlackHole() as hole:
            for number in range(20):
                self.world.customer(f'c{number}', api_url=hole.url)
            program = self.world.start()
            program.wait_line('event=status .*state=failing .*cause=no_connection', 25)
            for number in range(20):
                program.wait_line(f'event=status input=c{number} .*state=failing .*cause=no_connection', 3)

    def test_whose_host_is_down(self):
        """A proxy of the environment, and Microsoft's own host: each is named as what it is."""
        world = self.world
        world.customer('a')
        world.microsoft.login.stop()
        for proxy, cause in ((f'http://127.0.0.1:{closed_port()}', 'proxy_dead'), ('socks9://proxy:1', 'proxy_dead'),
                             (None, 'no_connection')):
            with self.subTest(cause):
                program = world.start(environment=world.home.environment(https_proxy=proxy))
                facts = program.wait_line('event=status input=a .*state=failing').facts
                self.assertEqual((facts['cause'], facts['who']), (cause, 'our administrator'))
                program.terminate()
        world.microsoft.login.start()

    @pytest.mark.promise('Log lines', 'A line about trouble says when the input goes on')
    def test_when(self):
        """A refused sign-in, and Microsoft's own delay."""
        world = self.world
        refused, throttled = world.customer('refused').tenant, world.customer('throttled').tenant
        world.faults.add(refusing(7000215), service='login', tenant=refused)
        world.faults.add(faults.throttled(429, 1200), service='graph', tenant=throttled)
        program = world.start()
        program.wait_line(rf'ERROR event=refused input=refused .*is refused, again at {CLOCK} \(in 15 min\)')
        facts = self.status('refused', 'refused')
        self.assertRegex(facts['next'], rf'^again at {CLOCK} \(in 15 min\)$')
        self.assertTrue(890 <= int(facts['next_s']) <= 900, facts)
        self.assertEqual((facts['requests'], facts['refused']), ('1', '1'))
        facts = self.status('throttled', 'throttled')
        self.assertRegex(facts['next'], rf'^waits until {CLOCK} as Microsoft asked$')
        self.assertGreaterEqual(int(facts['next_s']), 1190)


class Quiet(unittest.TestCase):
    """An input that is well and has nothing to show for it."""

    @pytest.mark.promise('Log lines', 'An input that never had an alert, or begins in the future, says so')
    def test_never_an_alert(self):
        """Until the first one comes; and a beginning that lies ahead."""
        with World() as world:
            empty, used = world.customer('empty'), world.customer('used')
            world.customer('ahead', start_time='2099-01-01T00:00:00Z')
            used.publish(1)
            program = world.start()
            self.assertIn('note="no alert since 20', program.wait_line('event=status input=empty .*state=ok').text)
            self.assertNotIn('note=', program.wait_line('event=status input=used .*state=ok').text)
            ahead = program.wait_line('event=status input=ahead .*state=ok')
            self.assertIn('start_time is in the future: no alert is written before 2099-01-01', ahead.text)
            empty.publish(1)
            program.wait_events(2)

    @pytest.mark.promise('Calls', '`check` says that an input never had an alert, or begins in the future')
    def test_check_says_so(self):
        """In the table and in JSON; an input with alerts has no such note."""
        with World() as world:
            world.customer('empty', filter="severity eq 'high'")
            world.customer('used').publish(1)
            world.customer('ahead', start_time='2099-01-01T00:00:00Z')
            table = call(world.home, 'check', stdin=world.xml()).out
            self.assertIn('No alert in 30 days: check that the tenant has Defender, and the filter.', table)
            self.assertIn('start_time is in the future: no alert is written before 2099-01-01', table)
            found = json.loads(call(world.home, 'check', '--json', stdin=world.xml()).out)['inputs']
            self.assertEqual({row['input'] for row in found if row['note']}, {'empty', 'ahead'})


class Volume(unittest.TestCase):
    @pytest.mark.promise('Log lines', 'Status lines tell bytes, versions and about how many alerts were written')
    def test_bytes_versions_and_alerts(self):
        """Bytes as Splunk has them, without the escapes of XML; an update is a version, and no other alert."""
        with World() as world:
            feed = world.customer('a')
            first = feed.publish(30, title='a < b & c > d; & so on')
            later = [feed.update(version, late=1.5) for version in first[:20]]
            siem = world.customer('siem', api='siem')
            siem.publish(3)
            program = world.start()
            line = program.wait_line('event=status input=a .*state=ok')
            self.assertEqual(line.facts['new'], '30')
            self.assertEqual(int(line.facts['event_bytes']), sum(len(event.data.encode()) for event in program.events
                                                                 if event.stanza.endswith('//a')))
            self.assertAlmostEqual(int(line.facts['alerts']), 30, delta=5)
            program.wait_events(30 + len(later) + 3)
            line = program.wait_line('event=status input=siem .*state=ok')
            self.assertAlmostEqual(int(line.facts['alerts']), 3, delta=1)
            world.faults.add(refusing(7000215), service='login', tenant=feed.tenant)
            world.microsoft.identity.revoke(feed.tenant)
            line = program.wait_line('event=status input=a .*state=refused')
            self.assertEqual(line.facts['new'], '50')
            self.assertAlmostEqual(int(line.facts['alerts']), 30, delta=5)
