"""The way to Microsoft: proxies of the input and of the environment, and TLS that does not fit."""
import ssl
import time
import unittest

import pytest
from checks import closed_port, leaks
from world import faults
from world.certs import Authority
from world.proxy import Proxy
from world.runner import wait_for
from world.world import World

VARIABLES = ('http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY', 'no_proxy', 'NO_PROXY')
PASSWORD = 'p:a/s@s%w+rd'


class Proxies(unittest.TestCase):
    """All of Microsoft's side goes through it, and nothing else."""

    def setUp(self):
        self.world = World(far=True)
        self.addCleanup(self.world.close)
        self.microsoft = {f'far.localhost:{service.port}' for service in self.world.microsoft.services}

    def environment(self, **proxies):
        """splunkd's environment with these proxy variables and no others."""
        return self.world.home.environment(**{**dict.fromkeys(VARIABLES), **proxies})

    def deliver(self, name, count=1, **how):
        """One more alert of this input comes through a new process."""
        self.world.feeds[name].publish(count)
        program = self.world.start(**how)
        wait_for(lambda: not self.world.verdict().lost, 15, program.tail)
        self.assertTrue(self.world.verdict().exact, self.world.verdict())
        return program

    @pytest.mark.promise('Parameters', '`proxy` may have a user name and a password')
    def test_of_the_input_with_a_password(self):
        """Login and alerts of each API; a password with every character that an address cannot hold."""
        proxy = Proxy(self.world.loop, 'us@er', PASSWORD)
        address = f'http://us%40er:p%3Aa%2Fs%40s%25w%2Brd@127.0.0.1:{proxy.port}'
        for api in ('graph', 'endpoint', 'siem'):
            self.world.customer(api, api, proxy=address).publish(1)
        program = self.deliver('graph', environment=self.environment())
        self.assertEqual(proxy.refused, 0)
        self.assertEqual(set(proxy.connects), self.microsoft)
        self.assertEqual(leaks(self.world, [PASSWORD]), [])
        program.terminate()

    @pytest.mark.promise('Parameters', '`proxy` overrides the environment, which counts when `proxy` is empty')
    def test_it_outranks_the_environment(self):
        """Also a no_proxy that would exempt these hosts; another input without a proxy takes the environment's."""
        own, other = Proxy(self.world.loop), Proxy(self.world.loop)
        self.world.customer('own', proxy=own.url)
        program = self.deliver('own', environment=self.environment(https_proxy=other.url, no_proxy='far.localhost,*'))
        self.assertEqual((bool(own.connects), other.connects), (True, []))
        program.terminate()
        own.connects.clear()
        self.world.splunkd.inputs.pop('own')
        self.world.customer('plain')
        self.deliver('plain', environment=self.environment(https_proxy=other.url))
        self.assertEqual(own.connects, [])
        self.assertEqual(set(other.connects) - self.microsoft, set())
        self.assertTrue(other.connects)

    @pytest.mark.promise('Parameters', '`proxy` overrides the environment, which counts when `proxy` is empty')
    def test_of_the_environment(self):
        """Each variable that administrators use, with a password in it; and no_proxy."""
        self.world.customer('a')
        for name in ('https_proxy', 'HTTPS_PROXY', 'all_proxy'):
            with self.subTest(name):
                proxy = Proxy(self.world.loop, 'user', 'pass')
                address = f'http://user:pass@127.0.0.1:{proxy.port}'
                self.deliver('a', environment=self.environment(**{name: address})).terminate()
                self.assertEqual(proxy.refused, 0)
                self.assertTrue(proxy.connects)
        proxy = Proxy(self.world.loop)
        self.deliver('a', environment=self.environment(https_proxy=proxy.url, no_proxy='far.localhost')).terminate()
        self.assertEqual(proxy.connects, [])

    @pytest.mark.promise('Trouble', 'A 407 is reported with the name of the proxy')
    def test_one_that_wants_a_password(self):
        """A 407 names the proxy and what it wants, is retried, and passes when the password is right."""
        proxy = Proxy(self.world.loop, 'user', PASSWORD)
        self.world.customer('none', proxy=proxy.url)
        self.world.customer('wrong', proxy=f'http://user:nonsense@127.0.0.1:{proxy.port}')
        program = self.world.start(environment=self.environment())
        for name in ('none', 'wrong'):
            line = program.wait_line(f'event=status input={name} .*state=failing')
            self.assertRegex(line.text, r'proxy.*407')
            self.assertNotIn('nonsense', line.text)
        self.assertEqual(self.world.microsoft.requests(), [])
        proxy._wanted = None
        for name in ('none', 'wrong'):
            self.world.feeds[name].publish(1)
        program.wait_events(2, 30)

    def test_one_that_answers_with_pages(self):
        """403 and 502 to CONNECT, and no proxy at all: failing with words about the proxy, retried."""
        refusing, broken = Proxy(self.world.loop), Proxy(self.world.loop)
        refusing.status, broken.status = 403, 502
        for name, url in (('refusing', refusing.url), ('broken', broken.url),
                          ('absent', f'http://127.0.0.1:{closed_port()}'), ('unknown', 'http://proxy.invalid:8080')):
            self.world.customer(name, proxy=url)
        program = self.world.start(environment=self.environment())
        for name in ('refusing', 'broken', 'absent', 'unknown'):
            line = program.wait_line(f'event=status input={name} .*state=failing')
            if name in ('refusing', 'broken'):
                self.assertIn('proxy', line.text)
        refusing.status = broken.status = None
        for name in ('refusing', 'broken'):
            self.world.feeds[name].publish(1)
        program.wait_events(2, 30)
        self.assertEqual([line for line in program.lines if line.level == 'ERROR'], [])


class Certificates(unittest.TestCase):
    """Nobody gets a secret whose certificate is not in order."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def failing(self, name, pattern):
        """The input's state and the reason, once."""
        line = self.world.program.wait_line(f'event=status input={name} .*state=failing')
        self.assertRegex(line.text, pattern)

    @pytest.mark.promise('Trouble', 'No token is sent to another host, be it by next links, redirects or certificates')
    def test_wrong_name_expired_unknown_authority(self):
        """At the login service: no request arrives, the words tell what is wrong, and a good one mends it."""
        world = self.world
        other = Authority(name='Another authority')
        self.addCleanup(other.close)
        service = world.microsoft.login
        good = service.pair
        for name, pair, pattern in (('name', world.authority.server('login.example.com'),
                                     'certificate.*(name|match)|subject'),
                                    ('expired', world.authority.server(expired=True), 'expired'),
                                    ('unknown', other.server(), 'issuer|self.signed|authority')):
            with self.subTest(name):
                service.restart(pair)
                seen = len(service.log)
                feed = world.customer(name)
                feed.publish(1)
                program = world.start()
                self.failing(name, pattern)
                self.failing(name, 'TLS')
                self.failing(name, world.authority.cert)
                self.assertEqual(len(service.log), seen)
                service.restart(good)
                program.wait_events(1)
                program.terminate()
                world.splunkd.inputs.pop(name)

    def test_at_the_alert_service(self):
        """A certificate that changes while we run: the token does not go there."""
        world = self.world
        feed = world.customer('a')
        program = world.start()
        program.wait_line('state=ok')
        good = world.microsoft.graph.pair
        world.microsoft.graph.restart(world.authority.server('graph.example.com'))
        self.failing('a', 'TLS')
        seen = len(world.microsoft.graph.log)
        time.sleep(1)
        self.assertEqual(len(world.microsoft.graph.log), seen)
        world.microsoft.graph.restart(good)
        feed.publish(1)
        program.wait_events(1)
        program.wait_line('event=recovered input=a')

    @pytest.mark.promise('Parameters', "`ca_file` replaces the system's certificate authorities")
    def test_ca_file(self):
        """Given per input; without it the system's authorities count, which do not know ours."""
        world = self.world
        world.customer('given').publish(1)
        world.customer('system', ca_file=None)
        program = world.start()
        program.wait_events(1)
        self.failing('system', r'TLS.*certificate')
        program.terminate()
        world.splunkd.inputs['given'][1]['ca_file'] = '/no/such/file.pem'
        line = world.start().wait_line('ERROR event=bad_input')
        self.assertRegex(line.text, "ca_file.*'/no/such/file.pem'")

    def test_old_tls_is_not_spoken(self):
        """Nothing below 1.2: a service that has only 1.1 is not talked to."""
        world = self.world
        pair = world.microsoft.login.pair

        class Old(type(pair)):
            def server_context(self):
                context = super().server_context()
                context.set_ciphers('ALL:@SECLEVEL=0')
                context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
                return context
        try:
            world.microsoft.login.restart(Old(pair.cert, pair.key))
        except (ssl.SSLError, ValueError):
            self.skipTest('this OpenSSL cannot speak TLS 1.1 at all')
        world.customer('a')
        world.start()
        self.failing('a', 'TLS')

    @pytest.mark.promise('Trouble', 'No token is sent to another host, be it by next links, redirects or certificates')
    def test_redirects_are_not_followed(self):
        """A token, or a secret in a form, goes to the host that was configured and to none that it names."""
        world = self.world
        feed = world.customer('a')
        world.faults.add(faults.redirect(world.microsoft.url('siem') + '/oauth2/token', 307), service='login', times=1)
        world.faults.add(faults.redirect(world.microsoft.url('siem') + '/x', 302), service='graph', times=1)
        feed.publish(1)
        world.start().wait_events(1, 20)
        self.assertEqual(len(world.microsoft.siem.log), 0)
