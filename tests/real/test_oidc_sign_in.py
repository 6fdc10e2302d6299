"""The sign-in command against an OAuth server that others wrote: the printed address, PKCE, right and wrong secrets."""
import re
import subprocess
import threading
import unittest

import oidc
from realworld import RealWorld
from world.runner import binary


def setUpModule():
    try:
        oidc.install()
    except oidc.Unavailable as why:
        raise unittest.SkipTest(f'no OAuth server: {why}') from why


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
                code, out, error = self._run(world, 'one', '--api', api, secret=world.microsoft.tenant('one').app.secret)
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


if __name__ == '__main__':
    unittest.main()
