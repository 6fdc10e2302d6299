"""Client secrets and proxy passwords: moved to Splunk's password store, masked, replaced, never written elsewhere."""
import unittest

import pytest
from checks import MASK, Spy, leaks, param
from world import faults
from world.login import App
from world.proxy import Proxy
from world.runner import wait_for
from world.world import World


def client_name(tenant):
    """The name of a tenant's client secret in the store."""
    return f'client_secret.{tenant.app.client_id}'


class Stored(unittest.TestCase):
    """The client secret's way into the store."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def masked(self, name, parameter='client_secret', value=MASK):
        """Wait until the parameter is masked in inputs.conf."""
        wait_for(lambda: param(self.world, name, parameter) == value, 15,
                 lambda: f'{parameter} masked; {self.world.program.tail()}')

    @pytest.mark.promise('Secrets',
                         'A secret is stored under the documented app, realm and name, then replaced by eight stars')
    @pytest.mark.promise('Secrets', 'A secret is masked only after it was read back from the store')
    def test_a_secret_in_clear_is_stored_read_back_and_masked(self):
        """In the stanza's own app, with nothing else changed; the restart that follows delivers everything once."""
        world = self.world
        feed = world.customer('new one/ü', stored=False, app='search')
        feed.publish(3)
        before = dict(world.splunkd.inputs['new one/ü'][1])
        world.follow_edits()
        world.start()
        self.masked('new one/ü')
        self.assertEqual(world.splunkd.password(client_name(feed.tenant)), feed.tenant.app.secret)
        wait_for(lambda: len(world.programs) == 2, 10, 'the restart')
        feed.publish(2)
        wait_for(lambda: len(world.events()) >= 5, 15, lambda: world.program.tail())
        self.assertEqual(world.splunkd.inputs['new one/ü'], ('search', dict(before, client_secret=MASK)))
        edits = [entry for entry in world.splunkd.log if entry.kind == 'inputs' and entry.method == 'POST']
        self.assertEqual(len(edits), 1)
        writes = [entry.method for entry in world.splunkd.log if entry.kind == 'passwords']
        self.assertEqual(writes[:5], ['GET', 'POST', 'GET', 'POST', 'GET'],
                         'list; create and read back: the note of its hosts, then the secret')
        self.assertEqual(writes.count('POST'), 2, 'the mask was stored as a secret')
        self.assertTrue(world.verdict().exact, world.verdict())
        self.assertEqual(leaks(world, [feed.tenant.app.secret, world.splunkd.session_key]), [])

    @pytest.mark.promise('Parameters', 'One client secret serves all customers of an app')
    def test_one_secret_serves_all_customers_of_the_app(self):
        """Typed in one input, empty or masked in the others."""
        world = self.world
        first = world.customer('first', shared=True, stored=False)
        for number, value in enumerate(('', MASK, None)):
            world.customer(f'other{number}', shared=True, stored=False, client_secret=value)
        world.follow_edits()
        world.start()
        self.masked('first')
        for feed in world.feeds.values():
            feed.publish(1)
        wait_for(lambda: len(world.events()) >= 4, 30, lambda: world.program.tail())
        self.assertEqual(list(world.splunkd.secrets()), [client_name(first.tenant)])
        self.assertTrue(world.verdict().exact, world.verdict())

    @pytest.mark.promise('Secrets', 'A secret that is typed later replaces the stored one')
    def test_a_new_secret_typed_later_replaces_the_stored_one(self):
        """After Entra refused the old one: the input comes to life at the restart that the edit brings."""
        world = self.world
        feed = world.customer('a')
        old, new = feed.tenant.app.secret, App().secret
        feed.tenant.app.secrets = {new: None}
        feed.publish(1)
        world.start().wait_line('state=refused.*AADSTS7000215')
        world.splunkd.inputs['a'][1]['client_secret'] = new
        world.follow_edits()
        world.restart()
        wait_for(world.events, 15, lambda: world.program.tail())
        self.masked('a')
        self.assertEqual(world.splunkd.password(client_name(feed.tenant)), new)
        self.assertEqual(leaks(world, [old, new]), [])

    @pytest.mark.promise('Secrets',
                         'A secret that cannot be masked replaces the stored one only if it changed, even after a kill')
    def test_one_that_cannot_be_masked_does_not_overwrite_a_newer_one(self):
        """It comes in clear at every start; the one stored since then stays, until another clear text comes."""
        world = self.world
        world.faults.add(faults.status(403), kind='inputs', match=lambda request: request.method == 'POST')
        feed = world.customer('a', stored=False)
        old, new, newest = feed.tenant.app.secret, App().secret, App().secret
        feed.tenant.app.secrets = {new: None, newest: None, old: None}
        feed.publish(1)
        world.start().wait_line('WARN event=not_masked input=a')
        world.program.wait_events(1)
        world.splunkd.store(client_name(feed.tenant), new)      # as another input of the same app brings it
        spy = Spy(world, service='login')
        world.restart()
        feed.publish(1)
        world.program.wait_events(1)
        self.assertEqual((world.splunkd.password(client_name(feed.tenant)), spy.forms[-1]['client_secret']), (new, new))
        world.splunkd.inputs['a'][1]['client_secret'] = newest
        world.restart()
        feed.publish(1)
        world.program.wait_events(1)
        self.assertEqual(world.splunkd.password(client_name(feed.tenant)), newest)

    @pytest.mark.promise('Parameters', 'An empty or masked secret means the stored one')
    def test_a_blank_secret_is_never_stored(self):
        """splunkd would refuse it, and a mask is no secret: one ERROR-free line that says what is missing."""
        world = self.world
        for number, value in enumerate(('', '   ', '*', MASK, None)):
            world.customer(f'blank{number}', stored=False, client_secret=value)
        program = world.start()
        for number in range(5):
            program.wait_line(f'input=blank{number} .*state=refused.*client_secret')
        self.assertEqual([entry for entry in world.splunkd.log if entry.method != 'GET'], [])
        self.assertEqual(len(world.microsoft.requests(service='login')), 0)

    def test_races_for_an_entry(self):
        """Made by somebody else after the list was read (409), or removed before it is updated (404)."""
        world, passwords = self.world, self.world.splunkd.passwords
        created = world.customer('created', stored=False)
        removed = world.customer('removed', stored=False)
        world.splunkd.store(client_name(removed.tenant), 'an older one')

        def meddle(_, answer):
            response = answer()
            world.splunkd.store(client_name(created.tenant), 'from elsewhere')
            del passwords['TA-defender-mssp', 'TA-defender-mssp', client_name(removed.tenant)]
            return response
        world.faults.add(meddle, kind='passwords', match=lambda request: request.method == 'GET', times=1)
        program = world.start()
        for feed in (created, removed):
            feed.publish(1)
        program.wait_events(2)
        for feed in (created, removed):
            self.assertEqual(world.splunkd.password(client_name(feed.tenant)), feed.tenant.app.secret)
        statuses = [entry.status for entry in world.splunkd.log if entry.method == 'POST' and entry.kind == 'passwords']
        self.assertIn(409, statuses)
        self.assertIn(404, statuses)

    @pytest.mark.promise('Secrets', 'A secret is masked only after it was read back from the store')
    def test_a_store_that_loses_what_it_was_given(self):
        """Reading back shows it: the secret then stays where it is, and the input works all the same."""
        world = self.world
        feed = world.customer('a', stored=False)

        def forget(_, answer):
            response = answer()
            world.splunkd.store(client_name(feed.tenant), 'garbage')
            return response
        world.faults.add(forget, kind='passwords', match=lambda request: request.method == 'POST')
        feed.publish(1)
        program = world.start()
        program.wait_events(1)
        program.wait_line('WARN event=secret_not_stored input=a')
        self.assertEqual(param(world, 'a', 'client_secret'), feed.tenant.app.secret, 'masked, although it was lost')

    @pytest.mark.promise('Secrets',
                         'A secret is stored under the documented app, realm and name, then replaced by eight stars')
    def test_the_proxys_password(self):
        """Stored under the input's name, masked inside the address, and still used from the store."""
        self.world.close()
        world = self.world = World(far=True)
        self.addCleanup(world.close)
        proxy = Proxy(world.loop, 'us@er', 'pa:s/s%w+d')
        self.addCleanup(proxy.close)
        feed = world.customer('a b', proxy=f'http://us%40er:pa:s/s%w+d@127.0.0.1:{proxy.port}')
        feed.publish(1)
        world.follow_edits()
        world.start()
        self.masked('a b', 'proxy', f'http://us%40er:{MASK}@127.0.0.1:{proxy.port}')
        self.assertEqual(world.splunkd.password('proxy_password.a%20b'), 'pa:s/s%w+d')
        wait_for(lambda: len(world.programs) == 2, 10, 'the restart')
        feed.publish(1)
        wait_for(lambda: len(world.events()) >= 2, 20, lambda: world.program.tail())
        self.assertEqual(proxy.refused, 0)
        self.assertTrue(proxy.connects)
        self.assertEqual(leaks(world, ['pa:s/s%w+d']), [])
