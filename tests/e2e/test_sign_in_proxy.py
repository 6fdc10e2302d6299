"""`sign-in` through a proxy: by argument and by the environment, its password never an argument."""
import os
import unittest

import checks
from test_sign_in import Session, options
from world.login import App
from world.proxy import Proxy
from world.runner import call, wait_for
from world.world import World

PASSWORD = 'p:a/s@s%w+rd'


class ThroughProxy(unittest.TestCase):
    def setUp(self):
        self.world = World(far=True)
        self.addCleanup(self.world.close)
        self.tenant = self.world.microsoft.tenant('contoso')
        self.proxy = Proxy(self.world.loop, 'user', PASSWORD)
        self.login = self.world.url('login').removeprefix('https://')

    def file(self, text):
        path = os.path.join(self.world.home.path, 'password')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text + '\n')
        return path

    def address(self, user='user@'):
        return f'http://{user}127.0.0.1:{self.proxy.port}'

    def run_code(self, *more):
        code = self.world.microsoft.identity.new_code(self.tenant)
        return call(self.world.home, 'sign-in', *options(self.world, self.tenant, *more),
                    stdin=f'{self.tenant.app.secret}\n{code}\n'.encode())

    def test_code(self):
        done = self.run_code('--proxy', self.address(), '--proxy-password-file', self.file(PASSWORD))
        self.assertEqual((done.code, done.err), (0, ''))
        self.assertEqual((set(self.proxy.connects), self.proxy.refused), ({self.login}, 0))
        self.assertEqual(checks.in_bytes((done.out + done.err).encode(), [PASSWORD]), [])

    def test_device_code(self):
        app = self.tenant.add_app(App(public=True))
        session = Session(self.world, *options(
            self.world, self.tenant, '--device-code', '--proxy', self.address(), '--proxy-password-file',
            self.file(PASSWORD), app=app))
        user_code = session.wait_out(r'enter the code (\S+)').group(1)
        self.world.microsoft.identity.approve_device(user_code)
        session.wait_out('only this once')
        self.assertEqual(session.end()[0], 0)
        wait_for(lambda: self.proxy.connects)
        self.assertEqual((set(self.proxy.connects), self.proxy.refused), ({self.login}, 0))

    def test_refusals_are_sentences(self):
        for wanted, more in (
                ('let us through: .*407', ['--proxy', self.address(), '--proxy-password-file', self.file('wrong')]),
                ('let us through: .*407', ['--proxy', self.address('')]),
                ('--proxy has a password', ['--proxy', self.address(f'user:{PASSWORD}@')]),
                ('from --proxy-password-file', ['--proxy', self.address()]),
                ('names its user', ['--proxy', self.address(''), '--proxy-password-file', self.file('x')]),
                ("proxy is 'ftp:", ['--proxy', 'ftp://x']),
                ('no/such', ['--proxy', self.address(), '--proxy-password-file', '/no/such'])):
            with self.subTest(wanted):
                done = self.run_code(*more)
                self.assertEqual(done.code, 1)
                self.assertRegex(done.err, r'\AERROR .*' + wanted)
                self.assertNotIn(PASSWORD, done.err)
        self.assertEqual(self.world.microsoft.requests(kind='token'), [])
