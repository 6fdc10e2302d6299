"""What a person sees who starts the program on a terminal."""
import subprocess
import unittest

import pytest
from test_sign_in_stop import Terminal
from world.runner import SplunkHome, binary, call
from world.world import World


class Waiting(unittest.TestCase):
    """Without XML on stdin it would stay mute."""

    @pytest.mark.promise('Calls', 'Started on a terminal, the program says what it waits for')
    def test_it_says_what_it_waits_for(self):
        """In one sentence, on stderr alone; what is typed then is still read."""
        with World(tls=False) as world:
            for arguments, said in (((), r"Waiting on stdin for .* Splunk .*'defender_alerts -h'"),
                                    (('--validate-arguments',), 'Waiting on stdin for .* Splunk '),
                                    (('check',), 'Waiting on stdin for .*print-modinput-config')):
                with self.subTest(arguments):
                    terminal = Terminal(world, arguments, None)
                    try:
                        terminal.until(said)
                        self.assertEqual(terminal.seen.count('\n'), 1)
                        terminal.press(b'<x></x>\n')
                        terminal.until('ERROR |<error>', 15)
                        self.assertEqual(terminal.process.wait(10), 1)
                    finally:
                        terminal.close()

    @pytest.mark.promise('Calls', 'Started on a terminal, the program says what it waits for')
    def test_nothing_is_said_to_splunkd(self):
        """Its pipes are no terminal."""
        home = SplunkHome()
        self.addCleanup(home.close)
        done = subprocess.run([binary()], input=b'<input>', capture_output=True, cwd='/', env=home.environment(),
                              timeout=30, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, b''))
        self.assertNotIn(b'Waiting', done.stderr)


class Typed(unittest.TestCase):
    """Options are named as they were typed."""

    @pytest.mark.promise('Calls', 'The messages of `sign-in` name options as they are typed')
    def test_options_of_sign_in(self):
        home = SplunkHome()
        self.addCleanup(home.close)
        guid = '01234567-89ab-cdef-0123-456789abcdef'
        for arguments, said in (((), 'ERROR --tenant is missing'),
                                (('--tenant', 'x y'), "ERROR --tenant is 'x y'"),
                                (('--tenant', guid), 'ERROR --client-id is missing'),
                                (('--tenant', guid, '--client-id', guid, '--api', 'x'), "ERROR --api is 'x'"),
                                (('--tenant', guid, '--client-id', guid, '--cloud', 'x'), "ERROR --cloud is 'x'"),
                                (('--tenant', guid, '--client-id', guid, '--ca-file', '/x'), "ERROR --ca-file is '/x'"),
                                (('--tenant', guid, '--client-id', guid, '--redirect-uri', 'x'),
                                 "ERROR --redirect-uri is 'x'"),
                                (('--tenant', guid, '--client-id', guid, '--proxy', 'x'), "ERROR --proxy is 'x'"),
                                (('--tenant', guid, '--client-id', guid, '--login-url', 'x'),
                                 "ERROR --login-url is 'x'")):
            with self.subTest(arguments):
                result = call(home, 'sign-in', *arguments)
                self.assertEqual((result.code, result.out), (1, ''))
                self.assertTrue(result.err.startswith(said), result.err)

    @pytest.mark.promise('Calls', 'The messages of `sign-in` name options as they are typed')
    def test_refusals_of_entra(self):
        """Their advice is made for inputs."""
        with World() as world:
            tenant = world.microsoft.tenant('contoso')
            result = call(world.home, 'sign-in', '--tenant', tenant.id, '--client-id', tenant.app.client_id,
                          '--login-url', world.url('login'), '--ca-file', world.authority.cert,
                          '--redirect-uri', 'https://elsewhere.example',
                          stdin=f'{tenant.app.secret}\n{world.microsoft.identity.new_code(tenant)}\n'.encode())
            self.assertEqual(result.code, 1)
            self.assertIn('--redirect-uri', result.err)
            self.assertNotIn('redirect_uri', result.err)
