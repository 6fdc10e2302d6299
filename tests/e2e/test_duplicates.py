"""Two inputs that read the same alerts: told when the second is saved, by `check` and by `import`."""
import json
import os
import unittest

import pytest
from checks import Mute, closed_port, end_within
from world import faults
from world.runner import SplunkHome, call, validate, wait_for
from world.world import World

START = 'TA-defender-mssp.'
NOTICE = START + 'second.duplicate'
SAME = r"reads the same alerts as the input '{}' \(tenant {}, api {}\), so each of them is written twice"


class Saving(unittest.TestCase):
    """The second input is saved all the same."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.first = self.world.customer('first')
        self.tenant = self.first.tenant
        self.params = self.world.splunkd.inputs['first'][1]

    def save(self, name='second', home=None, **changes):
        params = self.world.params(self.tenant, changes.pop('api', 'graph'), **changes)
        result = validate(home or self.world.home, name, params, self.world.splunkd.session_key)
        self.assertEqual((result.code, result.out), (0, ''))
        self.assertLess(result.seconds, end_within(10))
        return result.err

    def told(self, err, name='first', tenant=None, api='graph'):
        self.assertRegex(err, r'\AWARN event=duplicate input=second [^\n]*\n\Z')
        self.assertRegex(err, SAME.format(name, tenant or self.tenant.id, api))
        self.assertRegex(err, 'Our administrator: disable or remove one of the two')

    @pytest.mark.promise('Parameters', 'Saving tells if another enabled input reads the same alerts')
    def test_the_same_tenant_and_service(self):
        """In the log, and in a message that stays until the input is saved in another way."""
        self.told(self.save())
        text = self.world.splunkd.messages[NOTICE]['value']
        self.assertRegex(text, "the input 'second' was saved, but it " + SAME.format('first', self.tenant.id, 'graph'))
        self.assertEqual(self.save(filter="severity eq 'high'", name='second', disabled='1'), '')
        self.assertIn(NOTICE, self.world.splunkd.messages)
        self.params['filter'] = "severity eq 'low'"
        self.assertEqual(self.save(filter="severity eq 'high'"), '')
        self.assertEqual(self.world.splunkd.messages, {})

    def test_what_is_no_duplicate(self):
        """The input itself, a disabled one, another tenant, another service, filters that exclude each other."""
        self.assertEqual(self.save('first'), '')
        self.tenant.feed('incidents')
        self.assertEqual(self.save(api='incidents'), '')
        other = self.world.microsoft.tenant('other')
        other.feed('graph')
        self.assertEqual(validate(self.world.home, 'second', self.world.params(other, 'graph'),
                                  self.world.splunkd.session_key).err, '')
        self.params['disabled'] = '1'
        self.assertEqual(self.save(), '')
        self.params.update(disabled='0', filter="severity eq 'low' and status eq 'new'")
        self.assertEqual(self.save(filter="severity eq 'high' or severity eq 'medium'"), '')
        self.told(self.save(filter="status eq 'new'"))

    @pytest.mark.promise('Parameters', 'A tenant is the same in whatever spelling: GUID, domain, upper case')
    def test_spellings_of_the_tenant(self):
        """The token of the input that is saved, and the checkpoint of the other one, tell what a domain stands for."""
        self.told(self.save(tenant_id=self.tenant.id.upper()))
        self.told(self.save(tenant_id=self.tenant.domain))
        self.params['tenant_id'] = self.tenant.domain
        self.told(self.save(tenant_id=self.tenant.domain.upper()), tenant=self.tenant.domain)
        self.assertEqual(self.save(), '')       # nothing tells yet
        self.first.publish(1)
        program = self.world.start()
        program.wait_events(1)
        program.terminate()
        wait_for(lambda: os.path.exists(os.path.join(self.world.home.checkpoints, 'first.json')), 10, program.tail)
        self.told(self.save(), tenant=self.tenant.domain)

    def test_several_and_hostile_names(self):
        """The first is named, the others are counted."""
        for name in ('third', '[[/evil|click]] <b>"x"\'s'):
            self.world.splunkd.add_input(name, 'search', **self.params)
        err = self.save()
        self.assertRegex(err, r'\AWARN event=duplicate input=second [^\n]*and 2 more \(tenant[^\n]*\n\Z')
        self.assertNotRegex(self.world.splunkd.messages[NOTICE]['value'], r'\[\[|[<>]')

    def test_the_message_outlives_a_good_poll(self):
        """The one about the sign-in goes when the input works; this one does not."""
        self.save()
        self.world.splunkd.messages[START + 'second'] = {'value': 'x', 'severity': 'warn'}
        self.world.splunkd.add_input('second', 'search', **self.params)
        program = self.world.start()
        wait_for(lambda: START + 'second' not in self.world.splunkd.messages, 20, program.tail)
        self.assertIn(NOTICE, self.world.splunkd.messages)

    def test_splunkd_that_does_not_help(self):
        """No list, a broken one, silence: saved without a word. A message that it does not take is in the log."""
        for fault in (faults.status(403), faults.status(500), faults.html(200), faults.status(200, b'{"entry": [7]}'),
                      faults.reset(), faults.black_hole()):
            self.world.faults.clear()
            self.world.faults.add(fault, service='splunkd', kind='inputs')
            self.assertEqual(self.save(), '')
        self.world.faults.clear()
        self.world.splunkd.messages.forbidden = True
        err = self.save()
        self.told(err)
        self.assertIn('Splunk Web does not show this', err)

    def test_trouble_comes_first(self):
        """An input that cannot be tried is told about, and compared all the same; ten seconds are enough for both."""
        err = self.save(login_url=f'https://127.0.0.1:{closed_port()}')
        self.assertRegex(err, r'\AWARN event=not_tried [^\n]*\nWARN event=duplicate [^\n]*\n\Z')
        with Mute() as mute:
            self.save(login_url=mute.url)
            home = SplunkHome(self.world.authority.cert, uri=mute.url)
            self.addCleanup(home.close)
            self.save(home=home)


class Checking(unittest.TestCase):
    @pytest.mark.promise('Calls', '`check` and `import` tell which inputs read the same alerts')
    def test_a_note_at_each(self):
        """Also if only one of them is tried. They work, so they are good."""
        with World() as world:
            feed = world.customer('first')
            feed.publish(1)
            params = world.splunkd.inputs['first'][1]
            world.splunkd.add_input('second', 'search', **{**params, 'tenant_id': feed.tenant.domain})
            world.splunkd.add_input('low', 'search', **{**params, 'filter': "severity eq 'low'"})
            world.splunkd.add_input('bad', 'search', **{**params, 'poll_interval': '0'})
            world.customer('other').publish(1)
            done = call(world.home, 'check', stdin=world.xml())
            self.assertEqual(done.code, 1)
            self.assertIn('4 of 5 inputs are good.', done.out)
            self.assertRegex(done.out, r'(?m)^first +graph +ok +newest alert \d')
            self.assertIn('reads the same alerts as', done.out)
            found = json.loads(call(world.home, 'check', '--json', stdin=world.xml()).out)['inputs']
            notes = {row['input']: row['note'] for row in found if row['note']}
            self.assertEqual(set(notes), {'first', 'second', 'low'})
            for name, first, more in (('first', 'second', ' and 1 more'), ('second', 'first', ' and 1 more'),
                                      ('low', 'first', ' and 1 more')):
                self.assertRegex(notes[name], r'\A(No alert.*\. )?It reads the same alerts as the input '
                                              rf"'{first}'{more} \(tenant ")
            done = call(world.home, 'check', '--input', 'first', stdin=world.xml())
            self.assertEqual(done.code, 0)
            self.assertIn("reads the same alerts as the input 'low'", ' '.join(done.out.split()))


class Importing(unittest.TestCase):
    def run_csv(self, world, rows, *arguments):
        path = os.path.join(world.home.path, 'customers.csv')
        with open(path, 'w', encoding='utf-8', newline='') as file:
            for row in rows:
                file.write(','.join(row) + '\r\n')
        return call(world.home, 'import', path, '--server-uri', world.splunkd.url, *arguments,
                    stdin=world.splunkd.session_key.encode())

    @pytest.mark.promise('Calls', '`check` and `import` tell which inputs read the same alerts')
    def test_rows_and_existing_inputs(self):
        """A parameter without a value stays as it is."""
        with World() as world:
            first = world.customer('first')
            params = world.splunkd.inputs['first'][1]
            world.splunkd.add_input('off', 'search', **{**params, 'disabled': '1'})
            world.splunkd.add_input('incidents', 'search', **{**params, 'api': 'incidents'})
            tenant, app = first.tenant.id, params['client_id']
            other = '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0'
            done = self.run_csv(world, [
                ('name', 'tenant_id', 'client_id', 'api', 'filter', 'disabled'),
                ('second', tenant.upper(), app, '', '', ''),        # as first
                ('third', other, app, '', '', ''),
                ('fourth', other, app, 'graph', '', ''),            # as third
                ('fifth', other, app, 'endpoint', '', ''),
                ('sixth', other, app, '', '', '1'),
                ('incidents', tenant, app, '', '', ''),             # stays with its api
                ('off', tenant, app, '', '', '')], '--dry-run')     # stays disabled
            self.assertEqual((done.code, done.err), (0, ''))
            self.assertEqual(done.out.count('Warning: '), 2, done.out)
            self.assertRegex(done.out, 'Warning: line 2  second: it ' + SAME.format('first', tenant, 'graph'))
            self.assertRegex(done.out, 'Warning: line 4  fourth: it ' + SAME.format('third', other, 'graph'))
