"""What is said on stderr, and that no secret is ever written anywhere, whatever happens."""
import re
import time
import unittest

import pytest
from checks import closed_port, in_bytes, leaks, spawn
from world import faults, inputxml
from world.login import App
from world.login_errors import refusing
from world.proxy import Proxy
from world.runner import validate, wait_for
from world.world import World

STATUS = {'event', 'input', 'tenant', 'api', 'state', 'new', 'requests', 'bytes', 'lag_s', 'next_s'}
STATES = {'ok', 'waiting', 'throttled', 'refused', 'failing'}


class Lines(unittest.TestCase):
    """Their form: what splunkd and a search over _internal need."""

    @pytest.mark.promise('Log lines', 'A log line has a level, a sentence and `key=value` pairs')
    @pytest.mark.promise('Log lines', 'Each input logs its status every five minutes and at each change')
    def test_levels_and_status(self):
        """A level first, one line each, bounded; a status line at each change of state, with all its keys."""
        with World() as world:
            feed = world.customer('a')
            refused = world.customer('refused one')
            world.faults.add(refusing(7000215), service='login', tenant=refused.tenant)
            feed.publish(3)
            program = world.start()
            ok = program.wait_line('event=status input=a .*state=ok')
            self.assertLessEqual(STATUS, set(ok.facts))
            self.assertEqual((ok.facts['tenant'], ok.facts['api'], ok.facts['new']), (feed.tenant.id, 'graph', '3'))
            self.assertGreater(int(ok.facts['requests']), 0)
            self.assertGreater(int(ok.facts['bytes']), sum(len(version.raw) for version in feed.versions) // 20)
            program.wait_line('event=status input="?refused one"? .*state=refused')
            world.faults.add(faults.throttled(429, 2), service='graph', tenant=feed.tenant, times=1)
            throttled = program.wait_line('event=status input=a .*state=throttled')
            self.assertGreater(int(throttled.facts['next_s']), 0)
            since = len(program.lines)
            program.wait_line('event=status input=a .*state=ok', since=since)
            world.microsoft.graph.stop()
            failing = program.wait_line('event=status input=a .*state=failing')
            self.assertIn('why=', failing.text)
            world.microsoft.graph.start()
            program.wait_line('event=status input=a .*state=ok', since=program.lines.index(failing))
            program.terminate()
            for line in program.lines:
                self.assertIn(line.level, ('INFO', 'WARN', 'ERROR'))
                self.assertLess(len(line.text.encode()), 2048)
                self.assertNotRegex(line.text, r'[\x00-\x1f\x7f]')
                self.assertRegex(line.text, r'event=[a-z_]+')
                if line.facts['event'] == 'status':
                    self.assertLessEqual(STATUS, set(line.facts))
                    self.assertIn(line.facts['state'], STATES)
                    for key in STATUS - {'event', 'input', 'tenant', 'api', 'state'}:
                        self.assertRegex(line.facts[key], r'\A-?\d+\Z')

    def test_a_name_with_blanks_and_quotes_is_one_value(self):
        """Also where the input does not run, and while it is saved."""
        name, label = 'a "b" c=d', 'input="a \'b\' c=d" '
        with World() as world:
            world.customer(name, overlap='none')
            world.customer('good')
            self.assertIn(label, world.start().wait_line('ERROR event=bad_input').text)
            params = world.splunkd.inputs['good'][1]
            for change in ({'authorization_code': '0.AX' + 'c' * 40},
                           {'login_url': f'http://127.0.0.1:{closed_port()}'}):
                result = validate(world.home, name, {**params, 'client_secret': 'x', **change})
                self.assertIn('event=not_tried ' + label, result.err)

    @pytest.mark.promise('Log lines', 'External text never breaks a log line in two')
    def test_foreign_words_stay_in_their_line(self):
        """What a service says cannot start a line of its own, nor flood one."""
        with World() as world:
            feed = world.customer('a\u2028b "c" key=value')
            text = 'No.\r\nERROR event=forged input=x state=ok\n' + 'y' * 5000
            world.faults.add(faults.status(403, {'error': {'code': 'X\nERROR', 'message': text}}), service='graph')
            program = world.start()
            line = program.wait_line('WARN event=trouble .*HTTP 403')
            self.assertFalse([each for each in program.lines if each.text.startswith('ERROR event=forged')])
            self.assertLess(len(line.text), 2048)
            self.assertIn(feed.tenant.id, line.text)

    def test_a_log_that_nobody_reads_stops_nothing(self):
        """stderr is a pipe, too."""
        with World(tls=False) as world:
            feeds = [world.customer(f'c{i}', poll_interval='x' * 900) for i in range(150)]
            good = world.customer('good')
            for feed in feeds:
                world.ledger.unbind(f'defender_alerts://{feed.tenant.name}')
            good.publish(1)
            process = spawn(world.home)
            process.stdin.write(world.xml())
            process.stdin.flush()
            first = b''
            while b'</event>' not in first:
                first += process.stdout.read1(65536)
            process.terminate()
            self.assertEqual(process.wait(3), 0)
            process.communicate()


class Secrets(unittest.TestCase):
    """Every secret of a long day, looked for in everything that was written."""

    def setUp(self):
        self.world = World(far=True)
        self.addCleanup(self.world.close)
        self.secrets = []

    def keep(self, secret):
        """Remember it for the search."""
        self.secrets.append(secret)
        return secret

    def fill(self):
        """Inputs with all kinds of secrets in clear, good ones and bad ones."""
        world, identity = self.world, self.world.microsoft.identity
        self.proxy = Proxy(world.loop, 'user', self.keep('pr0xy+pass/word=9'))
        proxy = f'http://user:{self.secrets[-1]}@127.0.0.1:{self.proxy.port}'
        for name, changes in (
                ('plain', {}), ('proxied', {'proxy': proxy}),
                ('wrong proxy', {'proxy': f'http://user:{self.keep("wr0ng-proxy-pass")}@127.0.0.1:{self.proxy.port}'}),
                ('wrong secret', {'client_secret': self.keep(App().secret)}),
                ('bad value', {'client_secret': self.keep('control\x7fcharacters-in-it-' + 'z' * 20)}),
                ('bad proxy', {'proxy': f'http://user:{self.keep("s3cret-in-bad-proxy")}@nowhere'})):
            tenant = world.microsoft.tenant(name)
            self.keep(tenant.app.secret)
            world.customer(name, stored=False, **changes)
        for name, api in (('delegated', 'graph'), ('delegated siem', 'siem')):
            tenant = world.microsoft.tenant(name)
            self.keep(tenant.app.secret)
            world.customer(name, api, stored=False, refresh_token=self.keep(identity.new_refresh_token(tenant)))
        for name, spoil in (('coded', False), ('used code', True)):
            tenant = world.microsoft.tenant(name)
            code = self.keep(identity.new_code(tenant))
            identity.codes[code].used = spoil
            self.keep(tenant.app.secret)
            world.customer(name, stored=False, authorization_code=identity.landing_address(code))

    def trouble(self):
        """Services that repeat what they were sent, and others that break."""
        def echo(request, _):
            body = request.body.decode('utf-8', 'replace') + ' ' + request.headers.get('authorization', '')
            error = {'error': 'invalid_client', 'error_description': f'AADSTS7654321: you sent {body}',
                     'error_codes': [7654321]}
            return faults.status(400, error)(request, None)

        def echo_api(request, _):
            words = request.headers.get('authorization', '')
            return faults.status(403, {'error': {'code': words, 'message': f'bad header {words}'}})(request, None)

        def echo_splunkd(request, _):
            words = f'{request.headers.get("authorization")} {request.form.get("password")} {request.body.decode()}'
            return faults.status(400, {'messages': [{'type': 'ERROR', 'text': words}]})(request, None)
        for name, service, fault in (('echo login', 'login', echo), ('echo api', 'graph', echo_api)):
            tenant = self.world.microsoft.tenant(name)
            self.keep(tenant.app.secret)
            self.world.customer(name, stored=False)
            self.world.faults.add(fault, service=service, tenant=tenant)
        self.world.faults.add(echo_splunkd, kind='passwords', match=lambda request: request.method == 'POST',
                              nth=(2, 4))
        self.world.faults.add(echo_splunkd, kind='inputs', match=lambda request: request.method == 'POST', nth=(1, 3))
        self.world.faults.add(refusing(50076), service='login', tenant=self.world.microsoft.tenant('delegated siem'),
                              nth=2)

    def all_secrets(self):
        """Those typed, and those that the services handed out."""
        identity = self.world.microsoft.identity
        return self.secrets + list(identity.access) + list(identity.refresh) + list(identity.codes) + [
            self.world.splunkd.session_key]

    @pytest.mark.promise('Secrets', 'No secret appears on stderr or stdout, in a file or in the process list')
    def test_no_secret_is_written_anywhere(self):
        """stderr, stdout, checkpoints and every other file below SPLUNK_HOME, the process list; over two runs."""
        self.fill()
        self.trouble()
        good = ['plain', 'proxied', 'delegated', 'coded']
        for _ in range(2):
            program = self.world.start()
            for name in good:
                self.world.feeds[name].publish(1)
            since = len(self.world.events()) + len(good)
            wait_for(lambda since=since: len(self.world.events()) >= since, 30, program.tail)
            program.wait_line('AADSTS7654321')
            time.sleep(0.5)
            self.assertEqual(leaks(self.world, self.all_secrets()), [])
            program.terminate()
        self.assertEqual(leaks(self.world, self.all_secrets()), [])
        self.assertGreater(len(self.all_secrets()), 25)

    @pytest.mark.promise('Secrets', 'No secret appears on stderr or stdout, in a file or in the process list')
    def test_no_secret_in_validation(self):
        """Good and refused, with services that repeat what they were sent."""
        self.fill()
        self.trouble()
        for name, (_, params) in self.world.splunkd.inputs.items():
            result = validate(self.world.home, name, params, self.world.splunkd.session_key)
            found = in_bytes((result.out + result.err).encode(), self.all_secrets())
            self.assertEqual(found, [], (name, result.out, result.err))

    @pytest.mark.promise('Secrets', 'No secret appears on stderr or stdout, in a file or in the process list')
    def test_no_secret_in_a_broken_start(self):
        """XML that ends in the middle of one, or that is wrong around one."""
        secret = 'Aa8Q~' + 'secretsecret' * 4
        xml = inputxml.stream_input(self.world.home.header(secret), {
            'defender_alerts://a': ('s', {'client_secret': secret, 'tenant_id': 'x.y', 'client_id': secret})})
        cut = xml.index(b'client_secret') + 40
        runs = [spawn(self.world.home) for _ in range(5)]
        for process, document in zip(runs, (xml[:cut], xml[:cut] + b'<', xml[:cut] + b'&x;' + xml[cut:],
                                            xml[:cut] + b'\xff' + xml[cut:],
                                            re.sub(rb'</param>', b'</parm>', xml, count=1))):
            process.stdin.write(document)
            process.stdin.close()
            process.stdin = None
        for process in runs:
            out, err = process.communicate()
            self.assertEqual((process.returncode, out), (1, b''))
            for piece in (secret, secret[:20], 'secretsecret'):
                self.assertEqual(in_bytes(err, [piece]), [])
