"""What Splunk Web tells the person who saved an input whose sign-in could not be tried: a message of its menu."""
import concurrent.futures
import time
import unittest

import pytest
from checks import BlackHole, Mute, Spy, closed_port, end_within
from world import faults
from world.proxy import Proxy
from world.runner import SplunkHome, validate, wait_for
from world.world import World

SECRET = 'Qx8Q~never-in-a-message.+/=%&'
START = 'TA-defender-mssp.'


class Saving(unittest.TestCase):
    """The validation, and the menu of messages after it."""

    @classmethod
    def setUpClass(cls):
        cls.world = World(far=True)
        cls.addClassCleanup(cls.world.close)

    def setUp(self):
        self.world.faults.clear()
        self.world.splunkd.passwords.clear()
        self.world.splunkd.messages.clear()
        self.world.splunkd.messages.forbidden = False
        self.tenant = self.world.microsoft.tenant('customer')
        self.tenant.feed('graph')

    def save(self, name='new', home=None, **changes):
        """Validate an input; anything over 10 s is an error, and so is a secret in what can be read."""
        params = self.world.params(self.tenant, 'graph', **changes)
        result = validate(home or self.world.home, name, params, self.world.splunkd.session_key)
        shown = ' '.join(str(message) for message in self.world.splunkd.messages.values())
        for secret in (self.tenant.app.secret, SECRET):
            self.assertNotIn(secret, result.out + result.err + shown)
        self.assertLess(result.seconds, end_within(10))
        return result

    def accepted(self, result, pattern='event=not_tried'):
        """Accepted, with one WARN line?"""
        self.assertEqual((result.code, result.out), (0, ''))
        self.assertRegex(result.err, r'\AWARN [^\n]+\n\Z')
        self.assertRegex(result.err, pattern)

    def shown(self, name='new'):
        """The text of the input's message, or None."""
        message = self.world.splunkd.messages.get(START + name)
        return message and message['value']

    @pytest.mark.promise('Parameters',
                         'Splunk Web tells the person who saves an input that its sign-in could not be tried')
    def test_unreachable_in_each_way(self):
        """The sentence names the input and the host, says why and who has to act; only those who add inputs see it."""
        proxy = Proxy(self.world.loop)
        proxy.status = 503
        self.addCleanup(proxy.close)
        with BlackHole() as hole, Mute() as mute:
            cases = {
                'refused': ({'login_url': f'https://127.0.0.1:{closed_port()}'}, 'no connection to 127.0.0.1'),
                'name': ({'login_url': 'https://login.invalid'}, 'login.invalid cannot be looked up'),
                'proxy-503': ({'proxy': proxy.url}, 'the proxy .* is in trouble'),
                'hole': ({'login_url': hole.url}, 'no connection to 127.0.0.1: .*timed out'),
                'mute': ({'login_url': mute.url}, f'no complete response|timed out|{mute.url} did not answer in time')}
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                jobs = {name: pool.submit(self.save, name, **changes) for name, (changes, _) in cases.items()}
                for name, (_, pattern) in cases.items():
                    with self.subTest(name):
                        self.accepted(jobs[name].result(), pattern)
                        self.assertRegex(self.shown(name), f"'{name}' was saved.* could not be tried: .*{pattern}")
                        self.assertRegex(self.shown(name), 'Our administrator: [a-z]')
        self.assertEqual(set(self.world.splunkd.messages), {START + name for name in cases})
        for message in self.world.splunkd.messages.values():
            self.assertEqual((message['severity'], message['capability']), ('warn', 'edit_modinput_defender_alerts'))

    @pytest.mark.promise('Parameters',
                         'Splunk Web tells the person who saves an input that its sign-in could not be tried')
    def test_a_service_in_trouble(self):
        """Reached, but of no use: throttled, down, a web page, an answer that breaks off."""
        for fault, pattern in ((faults.login_throttled(), '429'), (faults.status(503), '503'),
                               (faults.html(200), 'web page'), (faults.reset(), 'no complete response'),
                               (faults.cut(0.3), 'response')):
            with self.subTest(pattern):
                self.world.faults.clear()
                self.world.faults.add(fault, service='login')
                self.accepted(self.save())
                self.assertRegex(self.shown(), pattern)

    @pytest.mark.promise('Parameters',
                         'Splunk Web tells the person who saves an input that its sign-in could not be tried')
    def test_the_way_is_tried_where_the_sign_in_is_not(self):
        """A code works only once; that its host is away is said all the same."""
        proxy = Proxy(self.world.loop)
        proxy.status = 503
        self.addCleanup(proxy.close)
        spy = Spy(self.world, service='login')
        for way, pattern in (({'login_url': f'https://127.0.0.1:{closed_port()}'}, 'no connection to 127.0.0.1'),
                             ({'login_url': 'https://login.invalid'}, 'cannot be looked up'),
                             ({'proxy': proxy.url}, 'the proxy .* is in trouble')):
            with self.subTest(way=way):
                self.world.splunkd.messages.clear()
                self.accepted(self.save(authorization_code='0.AX' + 'c' * 40, **way), pattern)
                self.assertRegex(self.shown(), pattern)
        with Mute() as mute:
            self.accepted(self.save(authorization_code='0.AX' + 'c' * 40, login_url=mute.url), 'no connection|in time')
        self.assertEqual(spy.requests, [])

    def test_a_message_is_replaced_and_goes_when_the_input_works(self):
        """One for each input, however often it is saved; another input's is not touched."""
        url = f'https://127.0.0.1:{closed_port()}'
        self.save('other', login_url=url)
        self.save(login_url='https://login.invalid')
        self.save(login_url=url)
        self.assertEqual(len(self.world.splunkd.messages), 2)
        self.assertNotIn('login.invalid', self.shown())
        self.assertEqual(self.save().err, '')
        self.assertIsNone(self.shown())
        self.assertIsNotNone(self.shown('other'))

    def test_nothing_is_shown_without_need(self):
        """Good credentials, refused ones (the page says that), and what is not tried on purpose."""
        identity, spy = self.world.microsoft.identity, Spy(self.world, kind='messages')
        self.assertEqual(self.save().code, 0)
        self.assertEqual(self.save(client_secret=SECRET).code, 1)
        self.assertEqual(self.save(refresh_token='r' * 40).code, 1)
        code = identity.landing_address(identity.new_code(self.tenant))
        self.accepted(self.save(authorization_code=code), 'was not tried')
        self.assertEqual(self.world.splunkd.messages, {})
        self.assertEqual({request.method for request in spy.requests}, {'DELETE'})

    def test_hostile_names_and_words_stay_plain_text(self):
        """Nothing becomes a link or markup, or a message of another input."""
        self.world.faults.add(faults.status(503, '<b>[[/evil|click]]</b>\n\x1b[0m', kind='text/plain'), service='login')
        names = ['[[/evil|click]]', '<script>x</script>', 'a/b', 'a%2Fb', 'Zürich & "Söhne"', '..', 'n' * 150]
        for name in names:
            with self.subTest(name[:20]):
                self.accepted(self.save(name))
        self.assertEqual(len(self.world.splunkd.messages), len(names))
        for message in self.world.splunkd.messages.values():
            self.assertNotRegex(message['value'], r'\[\[|[<>]|[\x00-\x1f\x7f]')
            self.assertLess(len(message['value']), 2001)
        for name in names:
            self.world.faults.clear()
            self.assertEqual(self.save(name).err, '')
        self.assertEqual(self.world.splunkd.messages, {})

    @pytest.mark.promise('Parameters', 'The log says it if splunkd does not take the message for Splunk Web')
    def test_a_message_that_splunkd_does_not_take(self):
        """No right to show it, an older splunkd, one in trouble, one that is silent: saved all the same."""
        url = f'https://127.0.0.1:{closed_port()}'
        for fault, pattern in ((None, 'edit_messages'), (faults.status(404), 'HTTP 404'),
                               (faults.status(500), 'HTTP 500'),
                               (faults.reset(), 'no complete response'), (faults.black_hole(), 'within [0-9] s')):
            with self.subTest(pattern):
                self.world.faults.clear()
                self.world.splunkd.messages.forbidden = not fault
                if fault:
                    self.world.faults.add(fault, kind='messages')
                self.accepted(self.save(login_url=url), f'no connection .*Splunk Web does not show this: .*{pattern}')
                self.assertEqual(self.world.splunkd.messages, {})
                self.assertEqual(self.save().err, '')

    def test_a_splunkd_that_does_not_know_the_capability(self):
        """The message would be for everybody then, with the name of a customer in it."""
        self.world.splunkd.messages.capabilities.clear()
        self.accepted(self.save(login_url='https://login.invalid'), 'Splunk Web does not show this')
        self.world.splunkd.messages.capabilities.add('edit_modinput_defender_alerts')


class Splunkd(unittest.TestCase):
    """A splunkd that does not help with the validation that it asked for."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        cls.tenant = cls.world.microsoft.tenant('customer')
        cls.tenant.feed('graph')

    def setUp(self):
        self.world.faults.clear()

    def save(self, seconds, uri=None, key=None, **changes):
        """Validate an input within so many seconds."""
        home = SplunkHome(self.world.authority.cert, uri=uri or self.world.splunkd.url)
        self.addCleanup(home.close)
        params = self.world.params(self.tenant, 'graph', **changes)
        result = validate(home, 'new', params, key or self.world.splunkd.session_key)
        self.assertLess(result.seconds, end_within(seconds))
        return result

    def tell(self, seconds, pattern, **how):
        """With a masked secret: accepted, and the log says at once that splunkd is to blame."""
        result = self.save(seconds, client_secret='********', **how)
        self.assertEqual((result.code, result.out), (0, ''))
        self.assertRegex(result.err, rf'\AWARN event=not_tried [^\n]*{pattern}[^\n]*\n\Z')
        self.assertNotIn('no answer in time', result.err)

    @pytest.mark.promise('Parameters', 'A splunkd that refuses connections does not make the person who saves wait')
    def test_refused_connections(self):
        """At once, and in words; it used to take 8 s."""
        uri = f'https://127.0.0.1:{closed_port()}'
        self.tell(1, f'splunkd at {uri}: ', uri=uri)
        result = self.save(1, uri)                          # a secret that was typed is tried all the same
        self.assertEqual((result.code, result.out), (0, ''))
        self.assertRegex(result.err, r'\AWARN event=not_tried [^\n]* password store could not be tried [^\n]*\n\Z')
        self.assertIn(f'splunkd at {uri}: ', result.err)
        self.assertIn('AADSTS7000215', self.save(1, uri, client_secret=SECRET).message)

    def test_refusals_and_trouble(self):
        """401, 503, a broken list: once is enough, nobody waits for a better answer."""
        self.tell(1, 'session key', key='expired')
        for fault, pattern in ((faults.status(503), '503'), (faults.reset(), 'no complete response'),
                               (faults.html(200), 'stored passwords cannot be read')):
            self.world.faults.clear()
            self.world.faults.add(fault, service='splunkd')
            self.tell(1, pattern)

    def test_a_mute_splunkd(self):
        """Bounded, and a typed secret is tried all the same."""
        with Mute() as mute, BlackHole() as hole:
            for uri in (mute.url, hole.url):
                self.tell(10, 'splunkd at', uri=uri)
                self.assertIn('AADSTS7000215', self.save(10, uri, client_secret=SECRET).message)


class Running(unittest.TestCase):
    """The running program removes the message of an input that works."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def put(self, *names):
        """Messages as a validation shows them."""
        for name in names:
            self.world.splunkd.messages[name] = {'value': 'x', 'severity': 'warn'}

    def calls(self, method):
        """The requests about messages."""
        return [entry for entry in self.world.splunkd.log if (entry.kind, entry.method) == ('messages', method)]

    @pytest.mark.promise('Splunk', 'The message in Splunk Web disappears when the input works')
    def test_it_goes_when_the_input_works(self):
        """Ours only, and only of inputs that work."""
        for name in ('good', 'Zürich & Söhne'):
            self.world.customer(name)
        self.world.customer('away', login_url=f'https://127.0.0.1:{closed_port()}')
        others = [START + 'away', START + 'removed', START + 'goo', 'good', 'restart_required']
        self.put(START + 'good', START + 'Z%C3%BCrich%20%26%20S%C3%B6hne', *others)
        for number in range(40):
            self.put(f'aaa{number}')        # more than splunkd lists unless asked
        self.world.start()
        wait_for(lambda: len(self.calls('DELETE')) >= 2, 10, self.world.program.tail)
        self.assertEqual({name for name in self.world.splunkd.messages if not name.startswith('aaa')}, set(others))
        self.assertEqual((len(self.calls('GET')), len(self.calls('DELETE'))), (1, 2))

    def test_it_goes_when_the_host_comes_back(self):
        """From saving without a network to the first poll, as splunkd does it."""
        self.world.microsoft.login.stop()
        feed = self.world.customer('a')
        name, params = 'a', self.world.splunkd.inputs['a'][1]
        validate(self.world.home, name, params, self.world.splunkd.session_key)
        self.assertIn(START + 'a', self.world.splunkd.messages)
        feed.publish(1)
        program = self.world.start()
        program.wait_line('event=trouble')
        self.assertIn(START + 'a', self.world.splunkd.messages)
        self.world.microsoft.login.start()
        program.wait_events(1, 30)
        wait_for(lambda: not self.world.splunkd.messages, 10, program.tail)

    def deliver(self, feed):
        """A run with one alert, and what it logs besides INFO."""
        feed.publish(1)
        before = len(self.world.events())
        program = self.world.start()
        wait_for(lambda: len(self.world.events()) > before, 10, program.tail)
        time.sleep(0.3)         # for the answer about messages
        program.terminate()
        self.assertEqual(len(self.calls('GET')), 1)
        return [line.text for line in program.lines if line.level != 'INFO']

    def test_a_splunkd_without_messages_costs_nothing(self):
        """Not found, forbidden, garbage, silence: no line in the log, no alert less."""
        feed = self.world.customer('a')
        for fault in (faults.status(404), faults.status(403), faults.html(200), faults.status(200, b'{"entry": 7}'),
                      faults.status(200, b'{"entry": [7, {"name": 8}]}'), faults.black_hole()):
            self.world.faults.clear()
            self.world.splunkd.log.clear()
            self.world.faults.add(fault, kind='messages')
            self.assertEqual(self.deliver(feed), [])
        self.assertTrue(self.world.verdict().exact, self.world.verdict())
