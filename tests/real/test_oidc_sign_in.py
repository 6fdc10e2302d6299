"""The sign-in command against an OAuth server that others wrote: the printed address, PKCE, right and wrong secrets."""
import re
import subprocess
import threading
import unittest

import oidc
from needs import needs
from realworld import RealWorld
from world.runner import binary, wait_for


def setUpModule():
    needs(oidc.install, oidc.Unavailable, 'OAuth server')


class SignIn(unittest.TestCase):
    """bin/defender_alerts sign-in."""

    def _run(self, world, name, *more, secret=None):
        """Exit status, stdout and stderr, with the sign-in done by a browser's stand-in."""
        tenant = world.microsoft.tenant(name)
        process = subprocess.Popen(
            [binary(), 'sign-in', '--tenant', tenant.id, '--client-id', tenant.app.client_id, '--login-url',
             world.oidc.url, '--ca-file', world.authority.cert, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=world.home.environment())
        watchdog = threading.Timer(30, process.kill)
        watchdog.start()
        lines = []
        for line in process.stdout:
            lines.append(line)
            if re.match(r'https://\S+/authorize\?', line):
                landed = world.oidc.sign_in(line.strip())
                process.stdin.write(''.join(text + '\n' for text in (secret, landed) if text))
                process.stdin.close()
        error = process.stderr.read()
        watchdog.cancel()
        for pipe in (process.stdout, process.stderr):
            pipe.close()
        return process.wait(), ''.join(lines), error

    def test_with_a_secret(self):
        with RealWorld(['one']) as world:
            for api in ('siem', 'graph'):
                code, out, error = self._run(world, 'one', '--api', api,
                                             secret=world.microsoft.tenant('one').app.secret)
                self.assertEqual((code, error), (0, ''))
                token = out.splitlines()[-1]
                self.assertGreater(len(token), 40)
                self.assertIn('code_challenge', out)
        self.assertEqual(out.count(token), 1)

    def test_with_a_wrong_secret(self):
        with RealWorld(['one']) as world:
            code, _, error = self._run(world, 'one', '--api', 'siem', secret='wrong')
            self.assertEqual(code, 1)
            self.assertRegex(error, r'\AERROR AADSTS7000215')


class DeviceCode(unittest.TestCase):
    """The same by device code: the server's pages are walked as a person on another device does."""

    def start(self, world, *more):
        tenant = world.microsoft.tenant('one')
        process = subprocess.Popen(
            [binary(), 'sign-in', '--device-code', '--tenant', tenant.id, '--client-id', world.public_client('one'),
             '--login-url', world.oidc.url, '--ca-file', world.authority.cert, *more], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=world.home.environment())
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        self.addCleanup(watchdog.cancel)
        line = process.stdout.readline()
        where, user_code = re.fullmatch(r'Open (\S+) and enter the code (\S+)\n', line).groups()
        return process, where, user_code

    def end(self, process):
        out, error = process.communicate(timeout=60)
        return process.returncode, out, error

    def asked(self, world):
        return world.granted('one', grant='urn:ietf:params:oauth:grant-type:device_code')

    def test_somebody_signs_in_after_a_while(self):
        for api in ('graph', 'siem'):
            with self.subTest(api), RealWorld(['one'], interval_s=1) as world:
                process, where, user_code = self.start(world, '--api', api)
                wait_for(lambda: len(self.asked(world)) >= 2)
                self.assertIn('Sign-in Success', world.oidc.enter_code(where, user_code))
                code, out, error = self.end(process)
                self.assertEqual((code, error), (0, ''))
                asked = self.asked(world)
                self.assertTrue(all(line['v1'] == (api == 'siem') for line in asked))
                self.assertEqual([line.get('code') for line in asked][:2], [70016, 70016])      # pending
                self.assertEqual([line['ok'] for line in asked][-1], True)
                self._use(world, api, out.splitlines()[-1])

    def _use(self, world, api, token):
        """The token is the real thing: an input collects with it."""
        tenant = world.microsoft.tenant('one')
        app = tenant.apps[world.public_client('one')]
        world.splunkd.add_input('one', 'search', **world.params(tenant, api, app, client_secret=None,
                                                                refresh_token=token))
        tenant.feed(api).publish(2)
        world.start().wait_events(2)
        self.assertNotEqual(world.splunkd.password(f'refresh_token.{tenant.id}.{app.client_id}'), token)     # rotated

    def test_pauses_are_kept(self):
        with RealWorld(['one'], interval_s=2) as world:
            process, where, user_code = self.start(world)
            wait_for(lambda: len(self.asked(world)) >= 3, 20)
            world.oidc.enter_code(where, user_code)
            self.assertEqual(self.end(process)[0], 0)
            times = [line['when'] for line in self.asked(world)]
            self.assertGreater(min(later - earlier for earlier, later in zip(times, times[1:])), 1.8)

    def test_somebody_turns_it_down(self):
        with RealWorld(['one'], interval_s=1) as world:
            process, where, user_code = self.start(world)
            world.oidc.enter_code(where, user_code, agree=False)
            code, _, error = self.end(process)
            self.assertEqual(code, 1)
            self.assertRegex(error, r'\AERROR AADSTS65004: .*')

    def test_nobody_signs_in(self):
        with RealWorld(['one'], interval_s=1, device_s=3) as world:
            process, _, _ = self.start(world)
            code, _, error = self.end(process)
            self.assertEqual(code, 1)
            # whoever notices first says it: the program, or the service
            self.assertRegex(error, r'\AERROR (nobody signed in before the code expired|AADSTS70019)')
