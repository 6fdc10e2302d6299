"""`sign-in`: authorization code and device code, printed or stored, and nothing secret where others can see it."""
import os
import pty
import re
import signal
import subprocess
import threading
import unittest
import urllib.parse
import urllib.request

import checks
import pytest
from world import faults
from world.login import App
from world.login_errors import refusing
from world.runner import binary, call, validate, wait_for
from world.world import World


class Session:
    """One run that is talked to while it goes on."""

    def __init__(self, world, *arguments):
        self.process = subprocess.Popen([binary(), 'sign-in', *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd='/', text=True,
                                        env=world.home.environment())
        self.out = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.out.append(line)

    def wait_out(self, pattern, seconds=10):
        """Waits until the pattern occurs in what was printed; the match."""
        return wait_for(lambda: re.search(pattern, ''.join(self.out)), seconds, lambda: f'{pattern}: {self.out}')

    def say(self, line):
        """One line on its stdin."""
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()

    def end(self, seconds=10):
        """Exit status, stdout, stderr."""
        self.process.stdin.close()
        code = self.process.wait(seconds)
        self._reader.join(5)
        err = self.process.stderr.read()
        self.process.stderr.close()
        self.process.stdout.close()
        return code, ''.join(self.out), err


def options(world, tenant, *more, app=None, api=None):
    """The arguments of a run for this tenant."""
    found = ['--tenant', tenant.id, '--client-id', (app or tenant.app).client_id, '--login-url',
             world.url('login'), '--ca-file', world.authority.cert, *more]
    return found + (['--api', api] if api else [])


def browse(world, address):
    """Open the address as a browser does; where it ends."""
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None
    opener = urllib.request.build_opener(Stay, urllib.request.HTTPSHandler(context=world.authority.client_context()))
    try:
        opener.open(address)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.headers['Location']
    return None


class Code(unittest.TestCase):
    def sign_in(self, world, tenant, *more, api=None, secret=True):
        session = Session(world, *options(world, tenant, *more, api=api))
        address = session.wait_out(r'(?m)^(https://\S+/authorize\?\S+)$').group(1)
        if secret:
            session.say(tenant.app.secret)
        session.say('  ' + browse(world, address) + ' ')
        return address, *session.end()

    @pytest.mark.promise('Calls', '`sign-in` takes the pasted address or a device code and prints the token once')
    @pytest.mark.promise('Calls',
                         '`sign-in` has options for cloud, login URL, redirect URI, API, device code and CA file')
    def test_prints_the_token_once(self):
        for api in ('graph', 'endpoint', 'siem'):
            with self.subTest(api), World() as world:
                tenant = world.microsoft.tenant('contoso')
                seen = checks.Spy(world, kind='token')
                address, code, out, err = self.sign_in(world, tenant, api=api)
                self.assertEqual((code, err), (0, ''))
                self.assertEqual(sum(out.count(token) for token in world.microsoft.identity.refresh), 1)
                self.assertEqual(checks.in_bytes((out + err).encode(), [tenant.app.secret]), [])
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)
                self.assertEqual(query['redirect_uri'], ['https://SiemMsspConnector'])
                self.assertEqual(query['code_challenge_method'], ['S256'])
                self.assertEqual('resource' in query, api == 'siem')
                self.assertIn('code_verifier', seen.forms[0])

    @pytest.mark.promise('Calls', '`sign-in` takes the pasted address or a device code and prints the token once')
    def test_a_code_that_was_asked_for_elsewhere(self):
        with World() as world:
            tenant = world.microsoft.tenant('contoso')
            identity = world.microsoft.identity
            for pasted in (identity.new_code(tenant), identity.landing_address(identity.new_code(tenant), state='x')):
                result = call(world.home, 'sign-in', *options(world, tenant),
                              stdin=f'{tenant.app.secret}\n{pasted}\n'.encode())
                self.assertEqual((result.code, result.err), (0, ''))
            app = tenant.add_app(App(public=True))
            result = call(world.home, 'sign-in', *options(world, tenant, app=app),
                          stdin=identity.new_code(tenant, app).encode())
            self.assertEqual((result.code, result.err), (0, ''))

    @pytest.mark.promise('Calls',
                         '`sign-in` has options for cloud, login URL, redirect URI, API, device code and CA file')
    def test_cloud_and_redirect_uri(self):
        """They decide the address that is opened; the redirect URI is sent with the code again."""
        with World() as world:
            tenant, back = world.microsoft.tenant('contoso'), 'https://siem.contoso.example/back?x=1'
            for cloud, host in (('commercial', 'login.microsoftonline.com'), ('gcc', 'login.microsoftonline.com'),
                                ('gcc_high', 'login.microsoftonline.us'), ('dod', 'login.microsoftonline.us')):
                result = call(world.home, 'sign-in', '--tenant', tenant.id, '--client-id', tenant.app.client_id,
                              '--cloud', cloud, stdin=b'\n\n')
                self.assertEqual(result.code, 1)
                self.assertIn(f'https://{host}/{tenant.id}/', result.out)
            tenant.app.redirect_uris.append(back)
            seen = checks.Spy(world, kind='token')
            address, code, _, err = self.sign_in(world, tenant, '--redirect-uri', back)
            self.assertEqual((code, err), (0, ''))
            self.assertEqual(urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)['redirect_uri'], [back])
            self.assertEqual(seen.forms[0]['redirect_uri'], back)

    def test_the_secret_from_a_file(self):
        with World() as world:
            tenant = world.microsoft.tenant('contoso')
            path = os.path.join(world.home.path, 'secret')
            with open(path, 'w', encoding='utf-8') as file:
                file.write(tenant.app.secret + '\n')
            _, code, _, err = self.sign_in(world, tenant, '--client-secret-file', path, secret=False)
            self.assertEqual((code, err), (0, ''))

    def test_refusals_are_sentences(self):
        with World() as world:
            tenant = world.microsoft.tenant('contoso')
            used = world.microsoft.identity.new_code(tenant)
            call(world.home, 'sign-in', *options(world, tenant), stdin=f'{tenant.app.secret}\n{used}\n'.encode())
            cases = [
                (used, 'AADSTS54005'), ('https://siemmsspconnector/?error=access_denied&error_description=AADSTS65004'
                                        '%3a+declined', 'AADSTS65004'),
                ('https://siemmsspconnector/?state=1', 'has no code'), ('', '')]
            for pasted, wanted in cases:
                with self.subTest(pasted[:40]):
                    result = call(world.home, 'sign-in', *options(world, tenant),
                                  stdin=f'{tenant.app.secret}\n{pasted}\n'.encode())
                    self.assertEqual(result.code, 1)
                    self.assertRegex(result.err, r'\AERROR .*' + wanted)
            for bad in (['--tenant', 'x y'], ['--tenant', tenant.id], ['--nonsense'], ['--tenant']):
                result = call(world.home, 'sign-in', *bad)
                self.assertEqual((result.code, result.out), (1, ''))
                self.assertRegex(result.err, r'\AERROR \S')

    @pytest.mark.promise('Secrets', 'No secret appears on stderr or stdout, in a file or in the process list')
    def test_with_a_terminal_nothing_secret_is_shown(self):
        with World() as world:
            tenant = world.microsoft.tenant('contoso')
            master, slave = pty.openpty()
            process = subprocess.Popen([binary(), 'sign-in', *options(world, tenant)], stdin=slave, stdout=slave,
                                       stderr=slave, cwd='/', env=world.home.environment(), start_new_session=True)
            os.close(slave)
            seen = b''

            def until(pattern):
                nonlocal seen
                while not re.search(pattern, seen):
                    seen += os.read(master, 65536)
                return re.search(pattern, seen)
            until(rb'Client secret \(not shown')
            os.write(master, tenant.app.secret.encode() + b'\n')
            address = until(rb'\n(https://\S+/authorize\?\S+)\r').group(1).decode()
            until(rb'Address: ')
            os.write(master, b'https://siemmsspconnector/\n')
            until(rb'has no code=[^\n]*\r\n.*Address: ')      # and may paste again
            landed = browse(world, address) + '&padding=' + 'x' * 5000      # longer than a terminal's own line
            os.write(master, landed.encode() + b'\n')
            until(rb'only this once:\r\n\S+\r\n')
            self.assertEqual(process.wait(10), 0)
            os.close(master)
            self.assertEqual(checks.in_bytes(seen, [tenant.app.secret]), [])

    def test_ctrl_c_at_the_prompt(self):
        with World() as world:
            session = Session(world, *options(world, world.microsoft.tenant('contoso')))
            session.wait_out('authorize')
            session.process.send_signal(signal.SIGINT)
            self.assertEqual(session.end()[0], 1)


class Page(unittest.TestCase):
    """The sign-in from the inputs page: what saving answers, and what becomes of the code."""

    def address(self, text):
        found = re.search(r'https://\S+/authorize\?\S+', text)
        self.assertTrue(found, text)
        return found.group(0)

    def test_saving_gives_the_address_and_then_takes_the_code(self):
        for api in ('graph', 'siem'):
            with self.subTest(api), World() as world:
                feed = world.customer('contoso', api=api)
                feed.publish(2)
                params = dict(world.splunkd.inputs['contoso'][1])
                asked = validate(world.home, 'contoso', dict(params, authorization_code='?'),
                                 world.splunkd.session_key)
                self.assertEqual(asked.code, 1)
                landed = browse(world, self.address(asked.message))
                saved = validate(world.home, 'contoso', dict(params, authorization_code=f' {landed} '),
                                 world.splunkd.session_key)
                self.assertEqual((saved.code, saved.out), (0, ''))
                world.splunkd.inputs['contoso'][1]['authorization_code'] = landed
                world.follow_edits()
                world.start()
                wait_for(lambda: len(world.events()) == 2)
                wait_for(lambda: world.splunkd.inputs['contoso'][1]['authorization_code'] == '')
                wait_for(lambda: len(world.programs) == 2)      # restarted by the edit
                world.program.wait_line('event=start')
                name = f'refresh_token.{feed.tenant.id}.{feed.tenant.app.client_id}'
                self.assertIn(world.splunkd.password(name), world.microsoft.identity.refresh)

    def test_without_any_credential_the_way_to_sign_in_is_shown(self):
        with World() as world:
            tenant = world.microsoft.tenant('contoso')
            params = world.params(tenant, 'graph', client_secret=None, redirect_uri='https://a.example/?x=1&y=/')
            refused = validate(world.home, 'contoso', params, world.splunkd.session_key)
            self.assertEqual(refused.code, 1)
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.address(refused.message)).query)
            self.assertEqual(query['redirect_uri'], ['https://a.example/?x=1&y=/'])
            self.assertEqual(query['scope'], ['https://graph.microsoft.com/.default offline_access'])
            self.assertEqual(query['client_id'], [tenant.app.client_id])

    def test_a_pasted_refusal_and_a_used_code_give_a_fresh_address(self):
        with World() as world:
            feed = world.customer('contoso')
            params = dict(world.splunkd.inputs['contoso'][1])
            for pasted in ('https://siemmsspconnector/?error=access_denied&error_description=AADSTS65004%3a+declined',
                           'https://siemmsspconnector/?state=1'):
                refused = validate(world.home, 'contoso', dict(params, authorization_code=pasted),
                                   world.splunkd.session_key)
                self.assertEqual(refused.code, 1)
                self.address(refused.message)
            code = world.microsoft.identity.new_code(feed.tenant)
            world.microsoft.identity.codes[code].used = True
            world.splunkd.inputs['contoso'][1]['authorization_code'] = code
            line = world.start().wait_line('ERROR event=code_refused')
            self.assertIn('AADSTS54005', line.text)
            self.assertIsNotNone(browse(world, self.address(line.text)))


class Store(unittest.TestCase):
    def test_key_then_address(self):
        with World() as world:
            tenant = world.microsoft.tenant('contoso')
            client = tenant.app.client_id
            name = f'refresh_token.{tenant.id}.{client}'
            for first in (world.splunkd.session_key.encode(), world.xml()):
                code = world.microsoft.identity.new_code(tenant)
                result = call(world.home, 'sign-in', *options(world, tenant, '--store', '--server-uri',
                                                              world.splunkd.url),
                              stdin=first + f'\n{tenant.app.secret}\n{code}\n'.encode())
                self.assertEqual((result.code, result.err), (0, ''))
                token = world.splunkd.password(name)
                self.assertIn(token, world.microsoft.identity.refresh)
                self.assertNotIn(token, result.out)
                self.assertEqual(world.splunkd.password(f'client_secret.{client}'), tenant.app.secret)
                del world.splunkd.passwords['TA-defender-mssp', 'TA-defender-mssp', name]
                # The second time the stored client secret would do; a given one replaces it all the same.

    def test_the_stored_client_secret_is_used(self):
        with World() as world:
            tenant = world.microsoft.tenant('contoso')
            world.splunkd.store(f'client_secret.{tenant.app.client_id}', tenant.app.secret)
            code = world.microsoft.identity.new_code(tenant)
            result = call(world.home, 'sign-in', *options(world, tenant, '--store', '--server-uri', world.splunkd.url),
                          stdin=f'{world.splunkd.session_key}\n{code}\n'.encode())
            self.assertEqual((result.code, result.err), (0, ''))

    def test_a_store_that_refuses(self):
        with World() as world:
            tenant = world.microsoft.tenant('contoso')
            world.splunkd.new_session()
            result = call(world.home, 'sign-in', *options(world, tenant, '--store', '--server-uri', world.splunkd.url),
                          stdin=b'old-key\nsecret\ncode\n')
            self.assertEqual(result.code, 1)
            self.assertIn('session key', result.err)
            self.assertEqual(world.microsoft.requests(kind='token'), [])


class Device(unittest.TestCase):
    def start(self, world, tenant, app):
        session = Session(world, *options(world, tenant, '--device-code', app=app))
        return session, session.wait_out(r'Open (\S+) and enter the code (\S+)').group(2)

    @pytest.mark.promise('Calls', '`sign-in` takes the pasted address or a device code and prints the token once')
    def test_approved_after_a_while(self):
        with World() as world:
            tenant = world.microsoft.tenant('contoso')
            session, user_code = self.start(world, tenant, tenant.add_app(App(public=True)))
            wait_for(lambda: len(world.microsoft.requests(kind='token')) >= 1)
            world.microsoft.identity.approve_device(user_code)
            session.wait_out('only this once:\n1')
            self.assertEqual(session.end()[0], 0)

    @pytest.mark.promise('Calls',
                         '`sign-in` has options for cloud, login URL, redirect URI, API, device code and CA file')
    def test_declined_and_expired(self):
        for wanted in ('AADSTS65004', 'AADSTS70019'):
            with self.subTest(wanted), World() as world:
                tenant = world.microsoft.tenant('contoso')
                if wanted == 'AADSTS70019':
                    world.faults.add(refusing(70019), kind='token')
                session, user_code = self.start(world, tenant, tenant.add_app(App(public=True)))
                world.microsoft.identity.approve_device(user_code, declined=True)
                code, _, err = session.end()
                self.assertEqual(code, 1)
                self.assertIn(wanted, err)

    def test_slow_down_is_obeyed(self):
        with World() as world:
            tenant = world.microsoft.tenant('contoso')
            world.faults.add(faults.status(400, {'error': 'slow_down'}), kind='token', times=1)
            session, user_code = self.start(world, tenant, tenant.add_app(App(public=True)))
            world.microsoft.identity.approve_device(user_code)
            session.wait_out('only this once', 15)
            wait_for(lambda: len(world.microsoft.requests(kind='token')) >= 2)
            first, second = world.microsoft.requests(kind='token')[:2]
            self.assertGreaterEqual(second.when - first.when, 5.9)
            self.assertEqual(session.end()[0], 0)
