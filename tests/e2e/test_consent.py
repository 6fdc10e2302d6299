"""`consent`: links from the CSV file of `import`; --watch creates the inputs of customers that have consented."""
import csv
import io
import json
import os
import re
import threading
import time
import unittest
import urllib.parse

import checks
import pytest
from cases import ShimCase
from test_sign_in_stop import Terminal
from world.login_errors import refusing
from world.runner import call
from world.world import World

HASTE = 60          # a minute in a second


class ConsentCase(ShimCase):
    """A world and a file of customers of one app. The program's clock runs fast."""

    SHIM = 'haste'

    def setUp(self):
        self.world = World(tls=False)
        self.addCleanup(self.world.close)
        self.path = os.path.join(self.world.home.path, 'customers.csv')
        self.app = self.world.shared_app()

    def rows(self, names, **columns):
        """Rows of the file; the first one brings the secret."""
        made = []
        for name in names:
            tenant = self.world.microsoft.tenant(name, self.app)
            tenant.feed('graph')
            row = self.world.params(tenant, 'graph', **columns) | {'name': name}
            made.append(row)
        return made

    def write(self, rows):
        names = list(dict.fromkeys(name for row in rows for name in row))
        with open(self.path, 'w', encoding='utf-8', newline='',
                  opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            table = csv.DictWriter(file, names, restval='')
            table.writeheader()
            table.writerows(rows)

    def consent(self, *arguments, key=None, haste=HASTE, seconds=35):
        """Runs the command to its end."""
        environment = self.world.home.environment(LD_PRELOAD=self.shim, HASTE=str(haste), COLUMNS='80')
        return call(self.world.home, 'consent', self.path, *arguments, program=self.program, environment=environment,
                    stdin=(self.world.splunkd.session_key if key is None else key).encode(), seconds=seconds)

    def watch(self, *arguments, **how):
        return self.consent('--watch', '--server-uri', self.world.splunkd.url, *arguments, **how)

    def withdraw(self, *names):
        """These customers have not consented yet."""
        for name in names:
            self.world.microsoft.tenant(name).consent(given=False)

    def asked(self, name):
        """When a token of the customer was asked for."""
        return [entry.when for entry in self.world.microsoft.requests(self.world.microsoft.tenant(name),
                                                                      service='login', kind='token')]


class Links(ConsentCase):
    @pytest.mark.promise('Calls', "`consent` prints each customer's consent link for the right cloud")
    def test_in_each_format(self):
        rows = self.rows(['contoso', 'fabrikam'], login_url=None, api_url=None)
        rows[1].update(cloud='dod', redirect_uri='https://www.example.com/thanks')
        self.write([*rows, {**rows[0], 'name': 'bad', 'tenant_id': 'no tenant'}])
        links = {}
        for name, flags in (('text', ()), ('csv', ('--csv',)), ('json', ('--json',)), ('mail', ('--mail',))):
            done = self.consent('--redirect-uri', 'https://ours.example/', *flags, key='')
            self.assertEqual(done.code, 1)
            self.assertRegex(done.err, r"Refused:\nline 4  bad: tenant_id is 'no tenant', but it should be")
            self.assertNotIn(self.app.secret, done.out + done.err)
            links[name] = re.findall(r'https://login[^\s",]+', done.out)
        contoso, fabrikam = links['text']
        self.assertEqual({tuple(found) for found in links.values()}, {(contoso, fabrikam)})
        for link, host, tenant, page in ((contoso, 'com', 'contoso', 'https://ours.example/'),
                                         (fabrikam, 'us', 'fabrikam', 'https://www.example.com/thanks')):
            parts = urllib.parse.urlsplit(link)
            self.assertEqual((parts.netloc, parts.path), (f'login.microsoftonline.{host}',
                                                          f'/{self.world.microsoft.tenant(tenant).id}/adminconsent'))
            self.assertEqual(dict(urllib.parse.parse_qsl(parts.query)), {'client_id': self.app.client_id,
                                                                         'redirect_uri': page})
        self.assertEqual(len(self.world.splunkd.log), 0, 'no session is needed')

    def test_file_and_refusals(self):
        self.write(self.rows(['contoso']))
        output = os.path.join(self.world.home.path, 'links.csv')
        done = self.consent('--csv', '--output', output, key='')
        self.assertEqual((done.code, done.err), (0, ''))
        with open(output, encoding='utf-8', newline='') as file:
            row, = csv.DictReader(file)
        self.assertEqual((row['name'], row['permission']), ('contoso', 'SecurityAlert.Read.All'))
        self.assertEqual(os.stat(output).st_mode & 0o777, 0o600)
        for arguments, said in ((('--csv', '--output', output), 'exists; name another file'),
                                (('--csv', '--json'), 'exclude each other'),
                                (('--minutes', '1'), '--minutes is for --watch'),
                                (('--watch', '--minutes', 'x'), "--minutes is 'x', but"),
                                (('--watch', '--mail'), '--mail'),
                                (('--redirect-uri', 'x'), "--redirect-uri: redirect_uri is 'x', but it should be")):
            done = self.consent(*arguments, key='')
            self.assertEqual((done.code, done.out), (1, ''))
            self.assertRegex(done.err, r'\AERROR .*' + re.escape(said))
        with open(self.path, 'w', encoding='utf-8') as file:
            file.write('name,tenant\nx,y\n')
        done = self.consent(key='')
        self.assertIn("line 1: the column 'tenant' is not a parameter", done.err)


class Watch(ConsentCase):
    @pytest.mark.promise('Calls', '`consent --watch` creates the input of each customer that has consented, and can be '
                                  'interrupted and repeated')
    def test_creates_after_the_consent_and_goes_on(self):
        names = ['early', 'late', 'never']
        self.write(self.rows(names))
        self.withdraw('late', 'never')
        done = self.watch('--minutes', '0')
        self.assertEqual(done.code, 1)
        self.assertIn('early: created\n', done.out)
        self.assertRegex(done.out, r'late: waiting: the app can sign in, but SecurityAlert.Read.All has not been')
        self.assertRegex(done.out, r'1 created, 0 updated, 0 unchanged, 2 waiting, 0 in trouble, 0\s+refused\.\n')
        self.assertEqual(list(self.world.splunkd.inputs), ['early'])
        self.assertEqual(list(self.world.splunkd.secrets().values()), [self.app.secret])
        before = len(self.asked('early'))
        timer = threading.Timer(1.5, lambda: self.world.microsoft.tenant('late').consent())
        timer.start()
        self.addCleanup(timer.join)
        done = self.watch('--minutes', '4', '--json')
        states = {row['name']: (row['state'], row['why']) for row in json.loads(done.out)['customers']}
        self.assertEqual((states['early'], states['late']), (('unchanged', None), ('created', None)))
        self.assertEqual(states['never'][0], 'waiting')
        self.assertEqual(done.code, 1)
        self.assertEqual(len(self.asked('early')), before, 'what is there is not tried')
        self.assertEqual(checks.in_bytes((done.out + done.err).encode(), [self.app.secret]), [])
        self.world.microsoft.tenant('never').consent()
        done = self.watch('--minutes', '0', '--csv')
        self.assertEqual(done.code, 0, done)
        self.assertEqual([row['state'] for row in csv.DictReader(io.StringIO(done.out))],
                         ['unchanged', 'unchanged', 'created'])
        self.world.feeds.update({name: self.world.microsoft.tenant(name).feed('graph') for name in names})
        for feed in self.world.feeds.values():
            feed.publish(1)
        self.world.start().wait_events(3)
        done = self.watch('--minutes', '0', '--csv', '--output', '/no/such/folder/states.csv')
        self.assertEqual((done.code, done.err), (1, "ERROR cannot create '/no/such/folder/states.csv': No such file or "
                                                    'directory\n'))

    @pytest.mark.promise('Trouble', '`consent --watch` tries a customer at most once a minute, and all together twice '
                                    'a second')
    def test_is_polite(self):
        self.write(self.rows(['a', 'b']))
        self.withdraw('a', 'b')
        began = time.monotonic()
        self.watch('--minutes', '5')
        minutes = (time.monotonic() - began) * HASTE / 60
        for name in ('a', 'b'):
            self.assertGreaterEqual(len(self.asked(name)), 2)
            self.assertLessEqual(len(self.asked(name)), minutes + 1)

    def test_what_is_not_the_customers(self):
        """A wrong secret, a service that is busy, an app that is not known: who has to act."""
        self.write(self.rows(['a', 'b', 'c']))
        for name, code in (('a', 7000215), ('b', 90033), ('c', 7000229)):
            self.world.faults.add(refusing(code), kind='token', tenant=self.world.microsoft.tenant(name))
        done = self.watch('--minutes', '0')
        self.assertEqual(done.code, 1)
        text = re.sub(r'\s+', ' ', done.out)
        self.assertRegex(text, "a: trouble: AADSTS7000215: .*Our administrator: enter the secret's value")
        self.assertRegex(text, 'b: trouble: AADSTS90033: ')
        self.assertRegex(text, "c: waiting: AADSTS7000229: .*The customer's administrator: ")
        self.assertIn('0 created, 0 updated, 0 unchanged, 1 waiting, 2 in trouble, 0 refused.', text)
        for line in done.out.splitlines():
            self.assertLessEqual(len(line), 80)

    def test_input_that_splunkd_refuses(self):
        """It is tried again; a row that can never be used is not."""
        rows = self.rows(['a', 'b'])
        rows[1]['tenant_id'] = 'no tenant'
        self.write(rows)
        refusals = ['license']
        self.world.splunkd.validate = lambda name, params: refusals.pop() if refusals else None
        done = self.watch('--minutes', '5')
        self.assertRegex(done.out, 'a: trouble: .*license')
        self.assertIn('a: created\n', done.out)
        self.assertRegex(re.sub(r'\s+', ' ', done.out), "b: refused: tenant_id is 'no tenant'")

    def test_input_that_somebody_else_creates(self):
        """Two at work: what is there is there."""
        rows = self.rows(['a'])
        self.write(rows)
        self.withdraw('a')

        def meanwhile():
            params = {name: text for name, text in rows[0].items() if name != 'name'}
            self.world.splunkd.add_input('a', 'search', **{**params, 'client_secret': '********'})
            self.world.microsoft.tenant('a').consent()
        timer = threading.Timer(1.0, meanwhile)
        timer.start()
        self.addCleanup(timer.join)
        done = self.watch('--minutes', '9')
        self.assertEqual(done.code, 0, done)
        self.assertIn('a: unchanged\n', done.out)

    @pytest.mark.promise('Secrets', '`consent --watch` sends a stored secret to no other host than `import` would')
    def test_another_host(self):
        rows = self.rows(['a', 'b'])
        rows[1].update(client_secret='', login_url='http://127.0.0.1:9')
        self.write(rows)
        done = self.watch('--minutes', '0')
        self.assertIn('a: created\n', done.out)
        self.assertRegex(re.sub(r'\s+', ' ', done.out), 'b: refused: the stored client_secret may go to only')

    def test_session_that_ends(self):
        self.write(self.rows(['a']))
        self.withdraw('a')
        done = self.watch('--minutes', '0', key='wrong')
        self.assertEqual(done.code, 1)
        self.assertIn('ERROR', done.err)
        self.assertIn('not accepted', done.err)
        self.assertEqual(self.asked('a'), [])


class Live(ConsentCase):
    """On a terminal."""

    @pytest.mark.promise('Calls', '`consent --watch` shows a table that fits the terminal')
    def test_table_and_stop(self):
        """The table is drawn in place; Ctrl-C leaves what was created, and the next run goes on."""
        self.write(self.rows(['early', 'late']))
        self.withdraw('late')
        for colors in (True, False):
            environment = self.world.home.environment(LD_PRELOAD=self.shim, HASTE='1', TERM='xterm',
                                                      NO_COLOR='' if colors else '1')
            terminal = Terminal(self.world, [self.path, '--watch', '--server-uri', self.world.splunkd.url],
                                'consent', self.program, environment)
            self.addCleanup(terminal.close)
            terminal.until('session key')
            terminal.press(self.world.splunkd.session_key.encode() + b'\n')
            terminal.until(r'1 of 2 done\. Ctrl-C ends')
            terminal.until(r'late +(\x1b\[\d+m)?waiting +(\x1b\[0m)?1:\d\d +the app can sign in, but Security')
            terminal.until(r'\x1b\[3A\x1b\[J')
            self.assertEqual('\x1b[32m' in terminal.seen, colors)
            terminal.press(b'\x03')
            terminal.until('ERROR stopped: customers that have consented have their inputs')
            self.assertEqual(terminal.process.wait(5), 1)
            self.assertEqual(list(self.world.splunkd.inputs), ['early'])
            table = re.sub(r'\x1b\[[0-9]*[A-Za-z]', '', terminal.seen)
            for line in table.splitlines():
                self.assertTrue(len(line) <= 80 or line.startswith('ERROR '), line)


if __name__ == '__main__':
    unittest.main()
