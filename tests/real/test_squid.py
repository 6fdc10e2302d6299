"""Microsoft's side through a real proxy that wants a name and a password; splunkd never through it."""
import tempfile
import unittest

import checks
import pytest
import squid
from needs import needs
from world.world import World

PASSWORD = 'p@ss:w/o%rd&x'


def setUpModule():
    needs(squid.helper, squid.Unavailable, 'proxy')


class Proxied(unittest.TestCase):
    """Every test has a world and a proxy of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='squid-')
        self.addCleanup(folder.cleanup)
        self.proxy = squid.Squid(folder.name, 'splunk', PASSWORD)
        self.addCleanup(self.proxy.close)
        self.world = self.enterContext(World(far=True))

    def _ports(self, *apis):
        return {self.world.microsoft.url(api).rpartition(':')[2] for api in apis}

    def _tunnels(self):
        """Ports that were reached through the proxy. It writes a tunnel down when the tunnel has ended."""
        self.world.program.terminate()
        return {line.target.rpartition(':')[2] for line in self.proxy.log() if line.status == 200}

    @pytest.mark.promise('Parameters', '`proxy` may have a user name and a password')
    def test_login_and_alerts(self):
        world = self.world
        world.customer('one', 'graph', proxy=self.proxy.url()).publish(10)
        world.customer('two', 'siem', proxy=self.proxy.url()).publish(10)
        world.start().wait_events(20)
        self.assertTrue(world.verdict().exact, world.verdict())
        self.assertEqual(self._tunnels(), self._ports('login', 'graph', 'siem'))
        self.assertEqual({line.user for line in self.proxy.log() if line.status == 200}, {'splunk'})
        self.assertEqual({line.method for line in self.proxy.log()}, {'CONNECT'})
        self.assertEqual(checks.leaks(world, [PASSWORD]), [])

    def test_only_the_input_that_names_it(self):
        world = self.world
        world.customer('one', 'graph', proxy=self.proxy.url()).publish(5)
        world.customer('two', 'siem').publish(5)
        world.start().wait_events(10)
        self.assertEqual(self._tunnels(), self._ports('login', 'graph'))

    @pytest.mark.promise('Trouble', 'A 407 is reported with the name of the proxy')
    def test_wrong_password(self):
        world = self.world
        world.customer('one', 'graph', proxy=self.proxy.url(password='wrong')).publish(5)
        world.customer('two', 'siem').publish(5)
        program = world.start()
        line = program.wait_line('407')
        self.assertIn('proxy', line.text)
        program.wait_events(5)
        self.assertEqual({event.stanza for event in program.events}, {'defender_alerts://two'})
        self.assertEqual(checks.leaks(world, [PASSWORD]), [])

    @pytest.mark.promise('Parameters', '`proxy` overrides the environment, which counts when `proxy` is empty')
    def test_proxy_of_the_environment(self):
        """Used for Microsoft's side when the input names none, and never for splunkd."""
        world = self.world
        world.customer('one', 'graph').publish(5)
        address = self.proxy.url()
        environment = world.home.environment(https_proxy=address, HTTPS_PROXY=address, http_proxy=address,
                                             ALL_PROXY=address, no_proxy=None, NO_PROXY=None)
        world.start(environment=environment).wait_events(5)
        self.assertTrue(world.verdict().exact, world.verdict())
        reached = self._tunnels()
        self.assertEqual(reached, self._ports('login', 'graph'))
        self.assertNotIn(world.splunkd.url.rpartition(':')[2], reached)

    def test_proxy_that_goes_away(self):
        """A fault that passes: no alert is lost, and the cursor waits."""
        world = self.world
        feed = world.customer('one', 'graph', proxy=self.proxy.url())
        feed.publish(5)
        program = world.start()
        program.wait_events(5)
        self.proxy.close()
        feed.publish(5)
        program.wait_line('state=failing')
        self.proxy = squid.Squid(self.proxy.folder, 'splunk', PASSWORD, port=self.proxy.port)
        self.addCleanup(self.proxy.close)
        program.wait_events(10, 30)
        self.assertTrue(world.verdict().exact, world.verdict())
