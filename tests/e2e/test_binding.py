"""Stored secrets and their tokens go where they were entered for, and nowhere else."""
import http.server
import json
import os
import threading
import unittest
from urllib.parse import unquote

import checks
import pytest
from test_certificate import key_file
from test_sign_in_stop import Terminal
from world import faults
from world.proxy import Proxy
from world.runner import call, validate, wait_for
from world.world import World

MASK = checks.MASK
AGAIN = r'may go to only Microsoft\'s own hosts.*Our administrator: enter {} again in this input'


class Catcher:
    """A host of somebody else: keeps what it is sent, and answers with tokens of its own."""

    def __init__(self):
        self.caught = caught = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get('content-length') or 0)).decode()
                caught.append(f'{self.path} {self.headers} {body}')
                said = json.dumps({'token_type': 'Bearer', 'expires_in': 3599, 'access_token': 'evil-access',
                                   'refresh_token': 'evil-refresh', 'value': []}).encode()
                self.send_response(200)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(said)))
                self.end_headers()
                self.wfile.write(said)
            do_GET = do_POST = do_CONNECT = answer

            def log_message(self, *_):
                pass
        self._server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.address = f'127.0.0.1:{self._server.server_port}'
        self.url = f'http://{self.address}'
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class BindingCase(unittest.TestCase):
    def setUp(self):
        self.world = World(tls=False)
        self.addCleanup(self.world.close)
        self.evil = Catcher()
        self.addCleanup(self.evil.close)

    def delegated(self, feed, **how):
        """A refresh token of the customer in the store. Returns its name and value."""
        token = self.world.microsoft.identity.new_refresh_token(feed.tenant)
        name = f'refresh_token.{feed.tenant.id}.{feed.tenant.app.client_id}'
        self.world.splunkd.store(name, token, **how)
        return name, token

    def attacker(self, victim, **changes):
        """Another input of the same customer and app, which brings no secret."""
        params = self.world.params(victim.tenant, victim.api, **{'client_secret': MASK, **changes})
        self.world.splunkd.add_input('attacker', 'search', **params)
        return params

    def refused(self, pattern):
        """The input is refused with this sentence, and the other one goes on."""
        program = self.world.program
        line = program.wait_line('ERROR event=refused input=attacker')
        self.assertRegex(line.text, pattern)
        program.wait_line('event=status input=attacker .*state=refused')
        return line

    def nothing_caught(self):
        self.assertEqual(self.evil.caught, [])


class Running(BindingCase):
    """Inputs at work."""

    @pytest.mark.promise('Secrets', 'A stored secret goes only to Microsoft and to hosts that were named when it was '
                                    'entered')
    @pytest.mark.promise('Secrets', 'A token goes only to hosts of its audience')
    def test_another_input_gets_neither_the_secret_nor_a_token(self):
        for parameter in ('login_url', 'api_url'):
            with self.subTest(parameter):
                victim = self.world.customer(parameter)
                victim.publish(1)
                self.attacker(victim, **{parameter: self.evil.url})
                program = self.world.start()
                self.refused(rf'stored client_secret may go to .* not to {self.evil.url} \({parameter}\)\. Our '
                             r'administrator: enter client_secret again')
                program.wait_events(1)
                program.terminate()
                self.nothing_caught()
                del self.world.splunkd.inputs[parameter]

    @pytest.mark.promise('Secrets', 'A refresh token from a host that is not bound replaces nothing')
    def test_a_stored_refresh_token_is_neither_sent_nor_replaced(self):
        victim = self.world.customer('victim')
        name, token = self.delegated(victim)
        self.attacker(victim, login_url=self.evil.url, client_secret=victim.tenant.app.secret)
        self.world.start()
        self.refused('stored refresh_token may go to')
        wait_for(lambda: self.world.splunkd.password(name) != token, 10, self.world.program.tail)   # rotated
        self.assertIn(self.world.splunkd.password(name), self.world.microsoft.identity.refresh)
        self.nothing_caught()

    def test_a_code_for_a_foreign_host_replaces_no_stored_token(self):
        """An app without a secret: nothing stored would be sent, but a token of that host would be stored."""
        victim = self.world.customer('victim')
        name, _ = self.delegated(victim)
        del self.world.splunkd.passwords['TA-defender-mssp', 'TA-defender-mssp',
                                         f'client_secret.{victim.tenant.app.client_id}']
        params = self.attacker(victim, login_url=self.evil.url, client_secret='', authorization_code='a-code-of-mine')
        result = validate(self.world.home, 'attacker', params, self.world.splunkd.session_key)
        self.assertEqual(result.code, 1)
        self.assertIn('stored refresh_token may go to', result.message)
        self.world.start()
        self.refused('stored refresh_token may go to .*login_url')
        self.assertNotEqual(self.world.splunkd.password(name), 'evil-refresh')
        self.nothing_caught()

    def test_a_code_that_fails_opens_no_way_to_the_stored_token(self):
        """The sign-in service is the real one, so the input would share the victim's tokens."""
        victim = self.world.customer('victim')
        self.delegated(victim)
        self.world.splunkd.store(f'client_secret.{victim.tenant.app.client_id}', victim.tenant.app.secret,
                                 hosts=[*self.world.splunkd.hosts, self.evil.url])
        self.attacker(victim, api_url=self.evil.url, authorization_code='a-code-that-is-not-good')
        self.world.start()
        self.refused('stored refresh_token may go to .*api_url')
        self.nothing_caught()

    def test_inputs_with_other_hosts_share_no_token(self):
        """A store that takes nothing: the attacker's secret is used as given, the victim's is the stored one."""
        world = self.world
        world.faults.add(faults.status(403), kind='passwords', match=lambda request: request.method == 'POST')
        victim = world.customer('victim')
        victim.publish(1)
        self.attacker(victim, api_url=self.evil.url, client_secret='a-new~secret-of-mine')
        program = world.start()
        program.wait_events(1)
        program.wait_line('ERROR event=refused input=attacker', 30)
        victim.publish(1)
        program.wait_events(2)
        self.nothing_caught()

    @pytest.mark.promise('Secrets', 'A secret of version 1.0.0 goes to Microsoft only until it is entered again')
    def test_a_secret_of_version_1_0_0_is_entered_again(self):
        """Also by another process: the store is looked at each minute, and the input goes on without a restart."""
        feed = self.world.customer('a', stored=False)
        name, secret = f'client_secret.{feed.tenant.app.client_id}', feed.tenant.app.secret
        self.world.splunkd.store(name, secret, hosts=())
        self.world.splunkd.inputs['a'][1]['client_secret'] = MASK
        feed.publish(1)
        program = self.world.start()
        self.assertRegex(program.wait_line('ERROR event=refused input=a').text, AGAIN.format('client_secret'))
        self.assertEqual(self.world.microsoft.requests(service='login'), [])
        self.world.splunkd.inputs['a'][1]['client_secret'] = secret
        self.world.restart().wait_events(1)
        wait_for(lambda: checks.param(self.world, 'a', 'client_secret') == MASK, 10, self.world.program.tail)
        feed.publish(1)
        self.world.restart().wait_events(1)

    def test_one_that_cannot_be_masked_is_bound_again(self):
        """It comes in plaintext at each start: with a new host, its owner has named that host."""
        world = self.world
        feed = world.customer('a', stored=False)
        feed.publish(1)
        world.start().wait_events(1)
        wait_for(lambda: checks.param(world, 'a', 'client_secret') == MASK, 10, world.program.tail)
        name = f'client_secret.{feed.tenant.app.client_id}'
        world.splunkd.store(name, feed.tenant.app.secret, hosts=['http://other'])
        world.splunkd.inputs['a'][1]['client_secret'] = feed.tenant.app.secret
        feed.publish(1)
        world.restart().wait_events(1)
        self.assertRegex(world.splunkd.password(name + '.hosts'), 'http://other')

    @pytest.mark.promise('Secrets', 'A rotated refresh token may go where the one before it could')
    def test_a_rotated_token_keeps_its_hosts(self):
        """Over several rotations, and after a restart; hosts of the first are still those of the last."""
        world = self.world
        feed = world.customer('a')
        name, token = self.delegated(feed)
        feed.publish(1)
        world.start().wait_events(1)
        for _ in range(2):
            wait_for(lambda old=token: world.splunkd.password(name) != old, 10, world.program.tail)
            token = world.splunkd.password(name)
            feed.publish(1)
            world.restart().wait_events(1)

    def stops_at(self, name):
        """Start, let the store swallow the write of this entry, and kill the program then."""
        seen = []

        def swallow(request, answer):
            if request.form.get('name') == name or unquote(request.path).endswith(f':{name}:'):
                seen.append(request)
                return faults.black_hole()(request, answer)
            return answer()
        rule = self.world.faults.add(swallow, kind='passwords', match=lambda request: request.method == 'POST')
        program = self.world.start()
        wait_for(lambda: seen, 15, program.tail)
        program.kill()
        rule.remove()

    @pytest.mark.promise('Secrets', 'A crash between two writes binds no secret to hosts of another')
    def test_a_kill_between_the_note_and_the_secret(self):
        """The note of the attacker's secret is written; the secret is still the victim's."""
        world = self.world
        victim = world.customer('victim', disabled='1')
        name = f'client_secret.{victim.tenant.app.client_id}'
        self.attacker(victim, login_url=self.evil.url, client_secret='a-new~secret-of-mine')
        self.stops_at(name)
        self.assertEqual(world.splunkd.password(name), victim.tenant.app.secret)
        self.assertIn(self.evil.url, world.splunkd.password(name + '.hosts'))
        world.splunkd.inputs['attacker'][1]['client_secret'] = MASK
        world.start()
        self.refused(AGAIN.format('client_secret'))
        self.nothing_caught()

    def test_a_kill_while_a_token_rotates(self):
        """The note of the successor is written, the successor is not: the stored token keeps its hosts."""
        world = self.world
        feed = world.customer('a')
        name, token = self.delegated(feed)
        feed.publish(1)
        self.stops_at(name)
        self.assertEqual(world.splunkd.password(name), token)
        world.start().wait_events(1)
        wait_for(lambda: world.splunkd.password(name) != token, 10, world.program.tail)

    def test_two_inputs_name_two_hosts_at_once(self):
        """The same secret in plaintext in both: neither takes away what the other named."""
        world = self.world
        for name, api in (('a', 'graph'), ('b', 'endpoint'), ('c', 'siem')):
            world.customer(name, api, shared=True, stored=False).publish(1)
        world.start().wait_events(3)
        world.program.terminate()
        for name in ('a', 'b', 'c'):
            world.splunkd.inputs[name][1]['client_secret'] = MASK
            world.feeds[name].publish(1)
        world.start().wait_events(3)

    def test_long_lists_of_hosts(self):
        """The note is split like a long secret where the store keeps 255 characters."""
        world = self.world
        feed = world.customer('a', stored=False)
        name = f'client_secret.{feed.tenant.app.client_id}'
        world.splunkd.store(name, feed.tenant.app.secret, hosts=[f'https://host-number-{n}.example' for n in range(5)])
        world.splunkd.cut_at = 255
        feed.publish(1)
        world.start().wait_events(1)
        world.program.terminate()
        self.assertLessEqual(max(len(secret) for secret in world.splunkd.passwords.values()), 255)
        world.splunkd.inputs['a'][1]['client_secret'] = MASK
        feed.publish(1)
        world.start().wait_events(1)

    @pytest.mark.promise('Secrets', "A proxy's stored password goes only to the proxy that it was entered for")
    def test_the_password_of_a_proxy(self):
        self.world.close()
        world = self.world = World(far=True)
        self.addCleanup(world.close)
        proxy, other = Proxy(world.loop, 'user', 'the-pass-word'), Proxy(world.loop)
        feed = world.customer('attacker', proxy=f'http://user:the-pass-word@127.0.0.1:{proxy.port}')
        feed.publish(1)
        program = world.start()
        program.wait_events(1)
        wait_for(lambda: MASK in checks.param(world, 'attacker', 'proxy'), 10, program.tail)
        world.splunkd.inputs['attacker'][1]['proxy'] = f'http://user:{MASK}@127.0.0.1:{other.port}'
        world.restart()
        self.refused(f'stored password of the proxy may go to {proxy.url}, not to .*{other.port}.*enter proxy again')
        self.assertEqual(other.connects, [])
        code, rows, _ = self.check()
        self.assertEqual((code, rows['attacker']['result'], other.connects), (1, 'refused', []))

    def check(self):
        result = call(self.world.home, 'check', '--json', stdin=self.world.xml())
        return result.code, {row['input']: row for row in json.loads(result.out)['inputs']}, result

    @pytest.mark.promise('Secrets', 'Only entries of our own realm are asked for')
    def test_entries_of_other_apps_are_not_asked_for(self):
        world = self.world
        world.splunkd.store('theirs', 'a-password-of-another-app', realm='other', app='TA-defender-mssp')
        seen = []

        def look(request, answer):
            response = answer()
            seen.append((request.args.get('search'), b'a-password-of-another-app' in response.body))
            return response
        world.faults.add(look, kind='passwords', match=lambda request: request.method == 'GET')
        world.customer('a').publish(1)
        world.start().wait_events(1)
        self.assertEqual(seen, [('realm=TA-defender-mssp', False)])

    @pytest.mark.promise('Checkpoints', "A checkpoint holds no hash of a proxy's password")
    def test_a_checkpoint_has_no_hash_of_the_proxys_password(self):
        """Neither a new one, nor one of an older version after its first save."""
        self.world.close()
        world = self.world = World(far=True)
        self.addCleanup(world.close)
        proxy = Proxy(world.loop, 'user', 'the-pass-word')
        feed = world.customer('a', stored=False, proxy=f'http://user:the-pass-word@127.0.0.1:{proxy.port}')
        feed.publish(1)
        world.start().wait_events(1)
        world.program.terminate()
        path = os.path.join(world.home.checkpoints, 'a.json')
        with open(path, encoding='utf-8') as file:
            saved = json.load(file)
        self.assertEqual(list(saved['taken']), ['client_secret'])
        saved['taken']['proxy'] = 'ab' * 32
        with open(path, 'w', encoding='utf-8') as file:
            json.dump(saved, file)
        feed.publish(1)
        world.start().wait_events(1)
        world.program.terminate()
        with open(path, encoding='utf-8') as file:
            self.assertEqual(list(json.load(file)['taken']), ['client_secret'])


class Commands(BindingCase):
    """Validation, check, import and sign-in."""

    def validated(self, params):
        return validate(self.world.home, 'attacker', params, self.world.splunkd.session_key)

    @pytest.mark.promise('Secrets', 'Validation, check, import and sign-in send a stored secret nowhere else either')
    def test_saving_is_refused_before_anything_is_sent(self):
        victim = self.world.customer('victim')
        cases = [{'login_url': self.evil.url}, {'api_url': self.evil.url},
                 {'client_secret': '', 'api_url': self.evil.url},
                 {'login_url': self.evil.url, 'refresh_token': 'a-token-of-mine'},
                 {'login_url': self.evil.url, 'authorization_code': 'a-code-of-mine'}]
        for changes in cases:
            with self.subTest(changes):
                result = self.validated(self.attacker(victim, **changes))
                self.assertEqual(result.code, 1)
                self.assertRegex(result.message, 'stored client_secret may go to .*enter client_secret again')
        self.delegated(victim, hosts=())
        result = self.validated(self.attacker(victim))
        self.assertEqual((result.code, 'stored refresh_token may go to only' in result.message), (1, True))
        self.nothing_caught()
        self.assertEqual(self.world.microsoft.requests(), [])

    def test_saving_with_the_secret_allows_the_hosts(self):
        victim = self.world.customer('victim')
        result = self.validated(self.attacker(victim, client_secret=victim.tenant.app.secret))
        self.assertEqual(result.code, 0)
        self.assertRegex(result.err, r"\AWARN event=duplicate input=attacker [^\n]*'victim'[^\n]*\n\Z")

    def test_saving_another_proxy_asks_for_its_password(self):
        victim = self.world.customer('victim')
        self.world.splunkd.store('proxy_password.attacker', 'the-pass-word', hosts=['http://127.0.0.1:9'])
        result = self.validated(self.attacker(victim, proxy=f'http://user:{MASK}@{self.evil.address}'))
        self.assertEqual(result.code, 1)
        self.assertRegex(result.message, 'stored password of the proxy may go to http://127.0.0.1:9, not to')
        self.nothing_caught()

    def test_check(self):
        """Its look at the hosts carries no secret."""
        victim = self.world.customer('victim')
        name, token = self.delegated(victim, hosts=())
        secrets = [victim.tenant.app.secret, token]
        for changes in ({'login_url': self.evil.url}, {'api_url': self.evil.url},
                        {'login_url': self.evil.url, 'refresh_token': 'a-token-of-mine'},
                        {'login_url': self.evil.url, 'client_secret': 'a~secret-of-mine', 'authorization_code': 'x'}):
            with self.subTest(changes):
                self.attacker(victim, **changes)
                result = call(self.world.home, 'check', '--json', '--input', 'attacker', stdin=self.world.xml())
                row = json.loads(result.out)['inputs'][0]
                self.assertEqual((result.code, row['result']), (1, 'refused'))
                self.assertRegex(row['why'], 'may go to .*enter .* again')
                self.assertEqual(checks.in_bytes('\n'.join(self.evil.caught).encode(), secrets), [])
        self.assertFalse([text for text in self.evil.caught if 'uthorization:' in text])
        self.assertEqual(self.world.splunkd.password(name), token)

    def test_import(self):
        victim = self.world.customer('victim')
        secret = victim.tenant.app.secret
        path = os.path.join(self.world.home.path, 'x.csv')

        def run(value):
            with open(path, 'w', encoding='utf-8') as file:
                file.write('name,tenant_id,client_id,client_secret,login_url\n'
                           f'new,{victim.tenant.id},{victim.tenant.app.client_id},{value},{self.evil.url}\n')
            os.chmod(path, 0o600)
            return call(self.world.home, 'import', path, '--server-uri', self.world.splunkd.url,
                        stdin=self.world.splunkd.session_key.encode())
        done = run('')
        self.assertEqual(done.code, 1)
        self.assertRegex(done.out, 'refused: the stored client_secret may go to .*enter client_secret again')
        self.assertEqual(list(self.world.splunkd.inputs), ['victim'])
        done = run(secret)
        self.assertEqual((done.code, list(self.world.splunkd.inputs)), (0, ['victim', 'new']), done.out)
        note = self.world.splunkd.password(f'client_secret.{victim.tenant.app.client_id}.hosts')
        self.assertTrue({self.evil.url, *self.world.splunkd.hosts} <= set(note.split()), note)
        self.nothing_caught()

    def test_sign_in(self):
        victim = self.world.customer('victim')
        options = ['--tenant', victim.tenant.id, '--client-id', victim.tenant.app.client_id, '--store', '--server-uri',
                   self.world.splunkd.url, '--login-url']
        done = call(self.world.home, 'sign-in', *options, self.evil.url,
                    stdin=f'{self.world.splunkd.session_key}\ncode\n'.encode())
        self.assertEqual(done.code, 1)
        self.assertRegex(done.err, 'ERROR the stored client_secret may go to .* not to http://127')
        self.nothing_caught()
        code = self.world.microsoft.identity.new_code(victim.tenant)
        done = call(self.world.home, 'sign-in', *options, self.world.url('login'), '--api-url', self.world.url('graph'),
                    stdin=f'{self.world.splunkd.session_key}\n{code}\n'.encode())
        self.assertEqual((done.code, done.err), (0, ''))
        victim.publish(1)
        self.world.start().wait_events(1)


class Loopback(BindingCase):
    """Programs of this machine talk to each other without a proxy."""

    @pytest.mark.promise('Secrets', 'No proxy is used for a loopback address')
    def test_no_proxy_sees_a_loopback_request(self):
        proxy = Proxy(self.world.loop)
        names = ('http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY')
        environment = self.world.home.environment(**dict.fromkeys(names, proxy.url), no_proxy=None, NO_PROXY=None)
        feeds = {'own': self.world.customer('own', proxy=proxy.url), 'environment': self.world.customer('environment')}
        feeds['name'] = self.world.customer('name', login_url=self.world.url('login').replace('127.0.0.1', 'localhost'))
        for feed in feeds.values():
            feed.publish(1)
        program = self.world.start(environment=environment)
        program.wait_events(3)
        params = self.world.params(feeds['own'].tenant, 'graph', proxy=proxy.url)
        self.assertEqual(validate(self.world.home, 'x', params, self.world.splunkd.session_key, environment).code, 0)
        result = call(self.world.home, 'check', stdin=self.world.xml(), environment=environment)
        self.assertEqual(result.code, 0, result.out)
        self.assertEqual(proxy.connects, [])

    def test_other_spellings_are_not_loopback(self):
        victim = self.world.customer('victim')
        for host in ('127.0.0.-0', '2130706433', '0x7f.1', '127.1', 'localhost.evil', '[::ffff:127.0.0.1]', '0.0.0.0',
                     'localhost.', '127.0.0.1.evil.example', '0177.0.0.1'):
            for parameter in ('login_url', 'api_url'):
                with self.subTest(host, parameter=parameter):
                    params = self.world.params(victim.tenant, 'graph', **{parameter: f'http://{host}:1'})
                    result = validate(self.world.home, 'x', params, self.world.splunkd.session_key)
                    self.assertEqual(result.code, 1)
                    self.assertRegex(result.message, f'{parameter} is .* but it should be')


class Files(BindingCase):
    """Files with secrets that others can read."""

    @pytest.mark.promise('Secrets', 'A client key that others can read is reported')
    def test_a_client_key_that_others_can_read(self):
        for mode, shared in ((0o644, True), (0o604, True), (0o602, True), (0o600, False), (0o640, False)):
            with self.subTest(oct(mode)):
                path, cert = key_file(self.world.home.path, 'key')
                os.chmod(path, mode)
                feed = self.world.customer(f'c{mode}', client_secret=None, client_certificate=path)
                feed.tenant.app.certificates.append(cert)
                feed.publish(1)
                program = self.world.start()
                program.wait_events(1)
                found = [line.text for line in program.lines if 'event=file_shared' in line.text]
                self.assertEqual(len(found), shared, found)
                if shared:
                    self.assertRegex(found[0], f'^WARN .*"{path}".*chmod 600')
                program.terminate()
                del self.world.splunkd.inputs[f'c{mode}']

    def test_a_key_of_another_group(self):
        if os.getuid():
            self.skipTest('only root can give files away')
        path, cert = key_file(self.world.home.path, 'key')
        os.chown(path, 0, 12345)
        os.chmod(path, 0o640)
        feed = self.world.customer('a', client_secret=None, client_certificate=path)
        feed.tenant.app.certificates.append(cert)
        self.world.start().wait_line('WARN event=file_shared')

    def test_a_file_of_sign_in_that_others_can_read(self):
        with World(tls=False) as world:
            path = os.path.join(world.home.path, 'secret')
            for mode, shared in ((0o644, True), (0o600, False)):
                with open(path, 'w', encoding='utf-8') as file:
                    file.write('a~secret-of-an-app')
                os.chmod(path, mode)
                done = call(world.home, 'sign-in', '--tenant', 'contoso.example', '--client-id',
                            '01234567-89ab-cdef-0123-456789abcdef', '--client-secret-file', path, '--login-url',
                            world.url('login'), stdin=b'')
                self.assertEqual('others on this host can read' in done.out, shared)

    def table(self, mode=0o640, end='\r\n', bad=False):
        """A CSV file with a secret in each place that a secret can have."""
        world = self.world
        rows = [['name', 'client_secret', 'tenant_id', 'refresh_token', 'client_id', 'proxy', 'source']]
        for number, name in enumerate(('a', 'b')):
            tenant = world.microsoft.tenant(name, world.shared_app())
            rows.append([name, world.shared_app().secret, tenant.id if not bad else 'no tenant', 'a-refresh~token-0',
                         tenant.app.client_id, f'http://joe:pa.ss@127.0.0.1:{number + 1}', '"with ""quotes"", and é"'])
        self.path = os.path.join(world.home.path, 'customers.csv')
        with open(self.path, 'w', encoding='utf-8', newline='') as file:
            file.write('\ufeff' + ''.join(','.join(row) + end for row in rows))
        os.chmod(self.path, mode)
        return rows

    def text(self):
        with open(self.path, encoding='utf-8', newline='') as file:
            return file.read()

    def run_import(self, *arguments):
        return call(self.world.home, 'import', self.path, '--server-uri', self.world.splunkd.url, *arguments,
                    stdin=self.world.splunkd.session_key.encode())

    @pytest.mark.promise('Secrets', '`import` removes the secrets from its file if asked to')
    def test_import_removes_the_secrets(self):
        rows = self.table()
        if not os.getuid():
            os.chown(self.path, 12346, 0)
        before = os.stat(self.path)
        done = self.run_import('--remove-secrets')
        self.assertEqual((done.code, done.err), (0, ''), done.out)
        self.assertIn('The secrets were removed from', done.out)
        wanted = [[row[0], row[2], row[4], row[5].replace('pa.ss', MASK), row[6]] for row in rows]
        self.assertEqual(self.text(), '\ufeff' + ''.join(','.join(row) + '\r\n' for row in wanted))
        after = os.stat(self.path)
        self.assertEqual((after.st_mode, after.st_uid, after.st_gid), (before.st_mode, before.st_uid, before.st_gid))
        self.assertEqual(os.listdir(os.path.dirname(self.path)).count('customers.csv'), 1)
        self.assertFalse([name for name in os.listdir(os.path.dirname(self.path)) if name.startswith('customers.csv.')])
        again = self.run_import()
        self.assertIn('2 unchanged, 0 refused', again.out)
        self.assertNotIn('secrets', again.out)

    def test_import_says_that_secrets_are_left(self):
        self.table(0o644)
        text = self.text()
        dry = self.run_import('--dry-run', '--remove-secrets')
        self.assertNotIn('removed', dry.out)
        done = self.run_import()
        self.assertEqual(done.code, 0)
        self.assertIn('--remove-secrets removes them there', done.out)
        self.assertRegex(done.out, r'others on this host can read the secrets in \S+customers.csv;.*chmod 600')
        self.assertEqual(self.text(), text)

    def test_the_question_on_a_terminal(self):
        for keys, removed in ((b'y\n', True), (b'Y\n', True), (b'n\n', False), (b'\n', False)):
            with self.subTest(keys):
                self.table()
                text = self.text()
                terminal = Terminal(self.world, [self.path, '--server-uri', self.world.splunkd.url], 'import')
                self.addCleanup(terminal.close)
                terminal.until('session key')
                terminal.press(self.world.splunkd.session_key.encode() + b'\n')
                terminal.until(r'Remove the secrets from .*\[y/N\]')
                terminal.press(keys)
                self.assertEqual(terminal.process.wait(10), 0)
                self.assertEqual(self.text() != text, removed)
                self.assertEqual(self.world.shared_app().secret in self.text(), not removed)

    def test_a_file_that_changes_meanwhile_stays(self):
        """A row that was added after the file was read would lose its secret."""
        self.table()

        def append(_, answer):
            with open(self.path, 'a', encoding='utf-8') as file:
                file.write('late,another-secret,,,,,\n')
            return answer()
        self.world.faults.add(append, kind='inputs', times=1)
        done = self.run_import('--remove-secrets')
        self.assertEqual(done.code, 1)
        self.assertRegex(done.err, 'ERROR the secrets are still in the file: .* has changed since')
        self.assertIn('another-secret', self.text())

    def test_secrets_of_refused_rows_stay(self):
        self.table(bad=True)
        text = self.text()
        done = self.run_import('--remove-secrets')
        self.assertEqual((done.code, self.text()), (1, text))
        self.assertIn('The secrets stay in', done.out)

    def test_a_link_is_followed_and_the_rest_of_the_folder_left_alone(self):
        self.table(end='\n')
        link = self.path + '.link'
        os.symlink(self.path, link)
        real, self.path = self.path, link
        self.assertEqual(self.run_import('--remove-secrets').code, 0)
        self.assertTrue(os.path.islink(link))
        self.path = real
        self.assertNotIn(self.world.shared_app().secret, self.text())
        self.assertNotIn('\r', self.text())


def in_memory(pid, secrets):
    """Those that the process has in memory, with the number of copies. Only root may look."""
    found = dict.fromkeys(secrets, 0)
    with open(f'/proc/{pid}/maps', encoding='ascii') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            start, end = (int(edge, 16) for edge in span.split('-'))
            if not rights.startswith('rw') or end - start > 1 << 30:
                continue
            try:
                memory.seek(start)
                data = memory.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue
            for secret in secrets:
                found[secret] += data.count(secret.encode())
    return {secret: count for secret, count in found.items() if count}


class Memory(unittest.TestCase):
    """What the process does not need any more is not in its memory."""

    def look(self, world, secrets):
        try:
            return in_memory(world.program.pid, secrets)
        except PermissionError:
            self.skipTest("no permission to read the process's memory")

    @pytest.mark.promise('Secrets', 'A rotated refresh token and an entered secret are wiped from memory')
    def test_rotated_tokens_are_wiped(self):
        for tls in (False, True):
            with self.subTest(tls=tls), World(tls=tls) as world:
                self.rotate(world)

    def rotate(self, world):
        """Three times; the tokens before the present one are gone then."""
        world.microsoft.identity.rotation = 'strict'
        world.microsoft.identity.life_s = 3
        feed = world.customer('a')
        name = f'refresh_token.{feed.tenant.id}.{feed.tenant.app.client_id}'
        world.splunkd.store(name, world.microsoft.identity.new_refresh_token(feed.tenant))
        seen = [world.splunkd.password(name)]
        feed.publish(1)
        program = world.start()
        program.wait_events(1)
        while len(seen) < 4:
            wait_for(lambda: world.splunkd.password(name) not in seen, 15, program.tail)
            seen.append(world.splunkd.password(name))
        old = [token[200:240] for token in seen[:-1]]
        wait_for(lambda: not self.look(world, old), 3, lambda: f'{self.look(world, old)} of {old}')
        wait_for(lambda: self.look(world, [world.splunkd.password(name)[200:240]]), 5,
                 'the present token: the search finds nothing at all')

    def test_an_entered_secret_is_wiped(self):
        for tls in (False, True):
            with self.subTest(tls=tls), World(tls=tls) as world:
                self.enter(world)

    def enter(self, world):
        """What stays: the view of the store, the copy that signs in, and for a while what curl has received."""
        feed = world.customer('a', stored=False)
        secret = feed.tenant.app.secret
        feed.publish(1)
        program = world.start()
        program.wait_events(1)
        wait_for(lambda: checks.param(world, 'a', 'client_secret') == MASK, 10, program.tail)
        wait_for(lambda: 0 < self.look(world, [secret]).get(secret, 0) <= 3, 3, lambda: f'{self.look(world, [secret])}')
