"""A splunkd that is away, slow, refuses, shows odd certificates, or has more in its store than fits a page."""
import os
import threading
import time
import unittest

import pytest
from checks import closed_port
from world import faults
from world.certs import Authority
from world.proxy import Proxy
from world.runner import wait_for
from world.world import World

PROXIES = ('http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY')


class Trouble(unittest.TestCase):
    """Times when splunkd does not help."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def later(self, seconds, action):
        """Do something while the program is at work."""
        timer = threading.Timer(seconds, action)
        timer.start()
        self.addCleanup(timer.join)

    def test_absent_starting_slow(self):
        """Refused connections, 503, and answers that take their time: waited for, then all is well."""
        feed = self.world.customer('a')
        for name in ('absent', 'starting', 'slow', 'cut'):
            with self.subTest(name):
                self.world.faults.clear()
                if name == 'absent':
                    self.world.splunkd.service.stop()
                    self.later(2, self.world.splunkd.service.start)
                elif name == 'starting':
                    self.world.splunkd.starting(2)
                elif name == 'slow':
                    self.world.faults.add(faults.delay(2), service='splunkd')
                else:
                    self.world.faults.add(faults.cut(0.5), service='splunkd', times=2)
                feed.publish(1)
                self.world.start()
                wait_for(lambda: len(self.world.events()) >= len(feed.versions), 20, self.world.program.tail)
                self.world.program.terminate()
        self.assertTrue(self.world.verdict().exact, self.world.verdict())

    def test_garbage_instead_of_a_list(self):
        """A web page or half a document is no empty store: no secret is overwritten, nothing is tried without one."""
        for fault in (faults.html(200), faults.empty(), faults.status(200, b'{"entry": 7}'), faults.status(200, b'[')):
            self.world.faults.clear()
            self.world.faults.add(fault, kind='passwords', times=1)
            self.world.customer('a')
            program = self.world.start()
            program.wait_line('(WARN|ERROR) .*stored passwords cannot be read')
            program.terminate()
            self.assertEqual(len(self.world.microsoft.requests()), 0)
            self.assertFalse(any(entry.method == 'POST' for entry in self.world.splunkd.log))

    def test_forbidden(self):
        """403 names the capability that the user lacks; the inputs wait, and say so."""
        self.world.customer('a')
        self.world.splunkd.forbidden = True
        program = self.world.start()
        line = program.wait_line('ERROR event=store_unreadable')
        self.assertRegex(line.text, 'list_storage_passwords|admin_all_objects')
        self.assertEqual(len(self.world.microsoft.requests()), 0)

    def test_a_store_full_of_other_entries(self):
        """More than splunkd lists unless asked; entries of other apps and realms do not count."""
        feed = self.world.customer('a')
        name = f'client_secret.{feed.tenant.app.client_id}'
        for number in range(70):
            self.world.splunkd.store(f'aaa{number}', 'x' * 300)
        self.world.splunkd.store(name, 'wrong', realm='another')
        self.world.splunkd.store(name, 'wrong', app='another')
        feed.publish(1)
        self.world.start().wait_events(1)
        self.assertTrue(self.world.verdict().exact)

    def test_a_running_process_needs_no_splunkd(self):
        """Gone or starting anew after the secrets were read: nobody notices."""
        feed = self.world.customer('a')
        feed.publish(1)
        program = self.world.start()
        program.wait_events(1)
        self.world.splunkd.service.stop()
        for _ in range(3):
            feed.publish(1)
            time.sleep(0.5)
        program.wait_events(4)
        self.assertEqual([line for line in program.lines if line.level != 'INFO'], [])
        self.world.splunkd.service.start()


class Addresses(unittest.TestCase):
    """Where splunkd is, who it claims to be, and who never gets between."""

    def deliver(self, world, **how):
        """One alert comes through?"""
        world.customer('a').publish(1)
        program = world.start(**how)
        program.wait_events(1)
        program.terminate()

    def test_its_name_does_not_matter_on_loopback_its_issuer_does(self):
        """As shipped, splunkd's certificate fits no address; the CA is found at each of three places."""
        for where in ('auth', 'sslRootCAPath', 'caCertFile'):
            with self.subTest(where), World(ca_where=where) as world:
                self.deliver(world)

    def test_a_wrong_issuer_is_refused(self):
        """Our secrets do not go to somebody who sits on the port; the line says what to set."""
        with World() as world:
            other = Authority(name='Another authority')
            self.addCleanup(other.close)
            for where in ('auth', 'sslRootCAPath'):
                world.home.trust(other.cert, where)
                world.customer('a', stored=False)
                program = world.start()
                line = program.wait_line('ERROR event=store_unreadable')
                self.assertRegex(line.text, 'certificate.*sslRootCAPath')
                program.terminate()
            self.assertEqual(len(world.splunkd.log), 0)
            self.assertEqual(len(world.microsoft.requests()), 0)

    def test_an_expired_certificate_is_refused(self):
        """The same for one that is over."""
        with World() as world:
            world.splunkd.service.restart(world.authority.server(expired=True))
            world.customer('a')
            self.assertRegex(world.start().wait_line('ERROR event=store_unreadable').text, 'expired')

    def test_plain_http_on_loopback(self):
        """enableSplunkdSSL = false."""
        with World(tls=False) as world:
            self.deliver(world)

    def test_a_plain_address_elsewhere_is_not_used(self):
        """A session key does not travel unencrypted."""
        with World() as world:
            world.customer('a')
            xml = world.xml().replace(world.splunkd.url.encode(), b'http://splunk.invalid:8089')
            self.assertRegex(world.start(xml=xml).wait_line('ERROR event=store_unreadable').text, 'https')

    def test_a_slash_behind_the_address(self):
        """And another spelling of the host."""
        with World() as world:
            world.customer('a').publish(1)
            port = world.splunkd.service.port
            xml = world.xml().replace(world.splunkd.url.encode(), f'https://localhost:{port}/'.encode())
            world.start(xml=xml).wait_events(1)

    @pytest.mark.promise('Parameters', 'splunkd is never reached through a proxy')
    def test_proxies_of_the_environment_never_see_it(self):
        """Set for Microsoft's side by an administrator; no_proxy is not there to help."""
        with World(far=True) as world:
            proxy = Proxy(world.loop)
            environment = world.home.environment(**dict.fromkeys(PROXIES, proxy.url), no_proxy=None, NO_PROXY=None)
            feed = world.customer('a', stored=False)
            feed.publish(1)
            program = world.start(environment=environment)
            program.wait_events(1)
            wait_for(lambda: world.splunkd.inputs['a'][1]['client_secret'] == '********', 10, program.tail)
            own = f'127.0.0.1:{world.splunkd.service.port}'
            self.assertFalse([target for target in proxy.connects if own in target])
            self.assertTrue(proxy.connects, 'Microsoft is to be reached through it')

    @pytest.mark.promise('Parameters', 'splunkd is never reached through a proxy')
    def test_a_dead_proxy_does_not_cut_it_off(self):
        """Neither of the environment nor of an input."""
        with World(far=True) as world:
            dead = f'http://127.0.0.1:{closed_port()}'
            world.customer('a', stored=False, proxy=dead)
            program = world.start(environment=world.home.environment(**dict.fromkeys(PROXIES, dead)))
            wait_for(lambda: world.splunkd.inputs['a'][1]['client_secret'] == '********', 10, program.tail)
            program.wait_line('state=failing')

    def test_variables_of_openssl_and_curl_do_not_matter(self):
        """Splunk sets some of them for its own programs."""
        with World() as world:
            path = os.path.join(world.home.path, 'empty.pem')
            with open(path, 'w', encoding='ascii'):
                pass
            self.deliver(world, environment=world.home.environment(
                SSL_CERT_FILE=path, SSL_CERT_DIR='/nonexistent', CURL_CA_BUNDLE=path, OPENSSL_CONF=path,
                LD_LIBRARY_PATH=os.path.join(world.home.path, 'lib')))
