"""`export`: the present inputs as a CSV file that `import` takes again, never a secret."""
import csv
import io
import os
import stat
import subprocess
import unittest

import checks
import pytest
from test_sign_in_stop import CTRL_C, Terminal
from world.runner import binary, call
from world.splunkd import MASK
from world.world import World

NAMES = ['contoso', 'Müller & Söhne', '=cmd|"/c calc"!A1', "'=1+1", '-30',
         '@home', '+49 30', 'a;b,c', '"quoted"', "O'Neill"]


class Export(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.path = os.path.join(self.world.home.path, 'customers.csv')

    def run_export(self, *arguments, key=None):
        splunkd = self.world.splunkd
        return call(self.world.home, 'export', *arguments, '--server-uri', splunkd.url,
                    stdin=(key or splunkd.session_key).encode())

    def run_import(self, text):
        with open(self.path, 'w', encoding='utf-8', newline='') as file:
            file.write(text)
        return call(self.world.home, 'import', self.path, '--server-uri', self.world.splunkd.url,
                    stdin=self.world.splunkd.session_key.encode())

    def rows(self, text):
        return list(csv.DictReader(io.StringIO(text.removeprefix('\ufeff'))))

    def add(self, name, api='graph', app='search', **more):
        """A stanza as splunkd lists it, with a secret that is masked."""
        tenant = self.world.microsoft.tenant(f'tenant {name}', self.world.shared_app())
        self.world.splunkd.add_input(name, app, **self.world.params(tenant, api, client_secret=MASK, **more))
        return tenant

    @pytest.mark.promise('Calls', '`export` writes the present inputs as a CSV file that `import` takes again')
    @pytest.mark.promise('Secrets', '`export` writes no secret')
    def test_there_and_back(self):
        """Odd names, disabled inputs and several apps: nothing differs here, and elsewhere the same inputs are made."""
        world, app = self.world, self.world.shared_app()
        for number, name in enumerate(NAMES):
            self.add(name, app=('search', 'TA-defender-mssp')[number % 2], index=f'customer_{number}',
                     disabled=str(number % 3 // 2), start_time='-7d',
                     filter="title eq '=a;b'" if number == 1 else None, proxy=f'http://joe:{MASK}@127.0.0.1:1')
        world.splunkd.store(f'client_secret.{app.client_id}', app.secret)
        before = dict(world.splunkd.inputs)
        done = self.run_export()
        self.assertEqual((done.code, done.err), (0, ''))
        self.assertTrue(done.out.startswith('\ufeffname,tenant_id,client_id,client_secret,api,'), done.out[:80])
        self.assertEqual(checks.in_bytes(done.out.encode(), [app.secret]), [])
        for row in self.rows(done.out):
            for cell in row.values():
                self.assertFalse(cell[:1] and cell[0] in '=+-@', cell)
        same = self.run_import(done.out)
        self.assertIn(f'0 created, 0 updated, {len(NAMES)} unchanged, 0 refused', same.out)
        self.assertNotIn('POST', {entry.method for entry in world.splunkd.log})
        world.splunkd.inputs.clear()
        again = self.run_import(done.out)
        self.assertIn(f'{len(NAMES)} created, 0 updated, 0 unchanged, 0 refused', again.out)
        for name, (_, params) in before.items():
            kept = {key: value for key, value in params.items() if key != 'client_secret'}
            self.assertEqual(world.splunkd.inputs[name][1], kept)

    def test_what_is_not_set_is_left_out(self):
        """Columns of defaults only; and what splunkd shows for its own keys that no stanza sets."""
        for name in ('a', 'b'):
            self.add(name, poll_interval=60, overlap=900, cloud='commercial', index='default', disabled=False,
                     host='$decideOnStartup', sourcetype='defender_alerts')
        self.world.splunkd.inputs['b'][1].update(disabled=False, interval='60')
        done = self.run_export()
        self.assertEqual(done.out.partition('\n')[0],
                         'name,tenant_id,client_id,client_secret,api,login_url,api_url,ca_file,index')
        self.assertEqual([row['index'] for row in self.rows(done.out)], ['', ''])
        self.add('c', poll_interval=30, disabled=1)
        rows = self.rows(self.run_export().out)
        self.assertEqual([(row['poll_interval'], row['disabled']) for row in rows],
                         [('60', '0'), ('60', '0'), ('30', '1')])
        self.world.splunkd.inputs.clear()
        self.assertEqual(self.run_export().out, 'name,tenant_id,client_id,api,index\n')

    def test_secrets_that_are_in_the_open(self):
        """A stanza that was edited by hand, and not masked yet."""
        world = self.world
        secrets = ['a~plain-secret', 'a~plain-token', 'pa.ss', 'pass-word', 'plain-code']
        for name, proxy in (('a', f'http://joe:{secrets[2]}@127.0.0.1:1'), ('b', f'joe:{secrets[3]}@proxy')):
            tenant = world.microsoft.tenant(name, world.shared_app())
            world.splunkd.add_input(name, **world.params(
                tenant, 'graph', client_secret=secrets[0], refresh_token=secrets[1], proxy=proxy,
                authorization_code=secrets[4]))
        done = self.run_export()
        self.assertEqual((done.code, done.err), (0, ''))
        self.assertEqual(checks.in_bytes(done.out.encode(), secrets), [])
        self.assertEqual([(row['client_secret'], row['refresh_token'], row['proxy']) for row in self.rows(done.out)],
                         [(MASK, MASK, f'http://joe:{MASK}@127.0.0.1:1'), (MASK, MASK, MASK)])
        self.assertNotIn('authorization_code', done.out)

    def test_to_a_file(self):
        """Only its owner can read it. One that exists is not replaced, and nobody is asked for a key first."""
        self.add('contoso')
        done = self.run_export(self.path)
        self.assertEqual((done.code, done.err), (0, ''))
        self.assertRegex(done.out, r'\A1 input was written to \S+/customers.csv. Secrets are not in the file')
        with open(self.path, encoding='utf-8') as file:
            text = file.read()
        self.assertEqual(text, self.run_export().out)
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
        requests = len(self.world.splunkd.log)
        again = self.run_export(self.path, key='no key')
        self.assertEqual((again.code, again.out, len(self.world.splunkd.log)), (1, '', requests))
        self.assertRegex(again.err, r"\AERROR '\S+/customers.csv' exists; name another file")
        link = self.path + '.link'
        os.symlink(self.path + '.nowhere', link)
        self.assertRegex(self.run_export(link).err, r'\AERROR .* exists')
        nowhere = self.run_export('/nonexistent/customers.csv')
        self.assertEqual(nowhere.code, 1)
        self.assertRegex(nowhere.err, r"\AERROR cannot create '/nonexistent/customers.csv'")
        self.assertEqual(self.run_export(self.path + '.2', key='wrong').code, 1)
        self.assertFalse(os.path.exists(self.path + '.2'))

    def test_a_full_disk(self):
        self.add('contoso')
        with open('/dev/full', 'wb') as full:
            done = subprocess.run([binary(), 'export', '--server-uri', self.world.splunkd.url], stdout=full,
                                  stderr=subprocess.PIPE, input=self.world.splunkd.session_key.encode(), timeout=30,
                                  env=self.world.home.environment(), check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(), r'\AERROR cannot write to stdout: No space left')

    def test_on_a_terminal(self):
        """The key is asked for and not shown. Ctrl-C says what was done."""
        self.add('contoso')
        for keys, wanted, code in ((self.world.splunkd.session_key.encode() + b'\n', r'(?m)^contoso,', 0),
                                   (CTRL_C, '(?m)^ERROR stopped before anything was written', 1)):
            with self.subTest(code=code):
                terminal = Terminal(self.world, ['--server-uri', self.world.splunkd.url], 'export')
                self.addCleanup(terminal.close)
                terminal.until('session key')
                terminal.press(keys)
                terminal.until(wanted, 20)
                self.assertEqual(terminal.process.wait(20), code)
                self.assertNotIn(self.world.splunkd.session_key, terminal.seen)

    def test_marks_that_nobody_sees(self):
        """A terminal shows the table, too."""
        self.add('a\x1b[2J\u202eb')
        done = self.run_export()
        self.assertEqual(done.code, 0)
        self.assertEqual(self.rows(done.out)[0]['name'], 'a [2J b')
        self.assertRegex(done.err, r'\AWarning: blanks take the place of characters that import refuses, in 1 inputs')

    def test_hundreds_of_inputs(self):
        """splunkd lists thirty unless it is asked for all."""
        for number in range(300):
            self.world.splunkd.add_input(f'customer{number}', tenant_id='contoso.example', client_id='x')
        self.assertEqual(len(self.rows(self.run_export().out)), 300)
