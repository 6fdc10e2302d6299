"""What `check` prints for people, and what it finds on the host."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import checks
import pytest
from test_check import check
from test_sign_in_stop import Terminal
from world import faults
from world.runner import binary, call
from world.world import World

NOBODY = 65534
ESCAPE = re.compile(r'\x1b\[[0-9;]*[mK]')


def on_terminal(world, *arguments, columns=80, **environment):
    """Exit status and all that a terminal of that width shows. The XML comes from a file, as from a pipe."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(world.xml())
        file.flush()
        terminal = Terminal(world, ('-c', 'stty cols "$0"; "$@" <"$XML"; echo "exit=$?"', str(columns), binary(),
                                    'check', *arguments), None, program='/bin/sh',
                            environment=world.home.environment(XML=file.name, **environment))
        try:
            terminal.until(r'exit=\d', 30)
        finally:
            terminal.close()
    return int(re.search(r'exit=(\d)', terminal.seen)[1]), re.sub(r'exit=\d\s*\Z', '', terminal.seen)


def shown(text):
    """Its lines, without colors and without progress lines, which the next text replaced."""
    return [ESCAPE.sub('', line.rsplit('\x1b[K', 1)[-1]) for line in text.split('\n')]


class Table(unittest.TestCase):
    """An administrator of many customers looks at it."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.world.customer('good-1').publish(1)
        self.world.customer('secret-1', client_secret='wrong')
        self.world.customer('good-2').publish(1)
        self.world.customer('secret-2', client_secret='wrong')
        self.world.customer('secret-3', client_secret='wrong')
        self.world.customer('東京 of a name that is much longer than the others have', api='incidents').publish(1)
        self.world.customer('busy')
        self.world.faults.add(faults.throttled(429, 60), kind='graph', tenant=self.world.feeds['busy'].tenant)
        self.world.splunkd.add_input('broken', tenant_id='no tenant', client_id='x')

    @pytest.mark.promise('Calls', '`check` fits the terminal: bad inputs first, one short line for each good one')
    def test_bad_ones_first_and_one_line_for_each_good_one(self):
        lines = shown(call(self.world.home, 'check', stdin=self.world.xml()).out)
        rows = [line for line in lines if re.match(r'\S.* (ok|refused|failing|bad input) ', line)]
        self.assertEqual([re.search(' (ok|refused|failing|bad input) ', row)[1] for row in rows],
                         ['refused'] * 3 + ['failing', 'bad input'] + ['ok'] * 3)
        at = lines.index(next(row for row in rows if row.startswith('good-1 ')))
        self.assertRegex(lines[at], r'\Agood-1 +graph +ok +newest alert \d+ (s|min) ago\Z')
        self.assertRegex(lines[at + 1], r'\Agood-2 ')
        self.assertEqual(lines[-2], '3 of 8 inputs are good.')

    @pytest.mark.promise('Calls', '`check` fits the terminal: bad inputs first, one short line for each good one')
    def test_it_fits_the_terminal_and_breaks_no_word(self):
        """Terminals of any width; a pipe is taken for one of 80 columns. The words are those of a wide one."""
        wide = ' '.join(' '.join(shown(on_terminal(self.world, columns=2000)[1])).split())
        for columns in (40, 60, 80, 132, None):
            with self.subTest(columns):
                if columns:
                    status, text = on_terminal(self.world, columns=columns)
                else:
                    result = call(self.world.home, 'check', stdin=self.world.xml())
                    status, text = result.code, result.out
                self.assertEqual(status, 1)
                for line in shown(text):
                    if len(line.split()) > 1:
                        self.assertLessEqual(len(line), columns or 80, line)
                for word in ('incidents', 'AADSTS7000215:', 'administrator:', 'password', self.world.home.checkpoints):
                    self.assertIn(word, ' '.join(shown(text)).split() if word in wide.split() else wide)

    @pytest.mark.promise('Calls', '`check` fits the terminal: bad inputs first, one short line for each good one')
    def test_colors_and_progress_on_a_terminal_only(self):
        _, text = on_terminal(self.world)
        self.assertIn('\x1b[31mrefused\x1b[0m', text)
        self.assertIn('\x1b[32mok\x1b[0m', text)
        for calm in ({'NO_COLOR': '1'}, {'TERM': 'dumb'}):
            self.assertNotIn('\x1b[3', on_terminal(self.world, **calm)[1])
        result = call(self.world.home, 'check', stdin=self.world.xml())
        self.assertEqual((result.err, ESCAPE.search(result.out)), ('', None))
        self.world.faults.add(faults.delay(2), kind='graph')
        _, text = on_terminal(self.world)
        self.assertRegex(text, r'\r\x1b\[K\[#*\.*\] \d of 8 inputs tried, \d not ok')
        self.assertNotIn('inputs tried', ' '.join(shown(text)))
        _, text = on_terminal(self.world, columns=60)
        self.assertRegex(text, r'\r\x1b\[K\d of 8 inputs tried, \d not ok')     # no room for a bar

    @pytest.mark.promise('Calls', '`check --bad` shows only inputs that are not ok')
    def test_only_the_bad_ones(self):
        out = call(self.world.home, 'check', '--bad', stdin=self.world.xml()).out
        for name in ('secret-1', 'secret-3', 'busy', 'broken'):
            self.assertRegex(out, f'(?m)^{name} ')
        self.assertNotIn('good-', out)
        self.assertNotIn('checkpoint folder', out)
        self.assertIn('3 of 8 inputs are good.', out)
        code, rows, _ = check(self.world, '--bad')
        self.assertEqual((code, set(rows)), (1, {'secret-1', 'secret-2', 'secret-3', 'busy', 'broken'}))
        for name in rows:
            del self.world.splunkd.inputs[name]
        result = call(self.world.home, 'check', '--bad', stdin=self.world.xml())
        self.assertEqual((result.code, result.out), (0, '3 of 3 inputs are good.\n'))

    @pytest.mark.promise('Calls', '`check` counts its findings by cause, with who has to act')
    def test_causes(self):
        """Most first, and last on the screen, with the words of the tables."""
        lines = shown(call(self.world.home, 'check', stdin=self.world.xml()).out)
        causes = '\n'.join(lines[lines.index('Problems by cause'):])
        self.assertRegex(causes, r"  AADSTS7000215 \(refused\)\. Our administrator: enter the secret's value in the\n"
                         r'    input.*\n    3 inputs: secret-1, secret-2, secret-3\n'
                         r'  \w+ \([\w ]+\)')
        self.assertRegex(causes, r'  http_429 \(failing\)\. The input waits as long as .*\n.*\n    1 input: busy\n')
        _, rows, _ = check(self.world)
        self.assertEqual([rows[name]['cause'] for name in ('secret-1', 'busy', 'broken', 'good-1')],
                         ['AADSTS7000215', 'http_429', 'bad_input', None])


class Host(unittest.TestCase):
    """What none of the inputs can do anything about."""

    def world(self):
        world = World(tls=False)
        self.addCleanup(world.close)
        world.customer('a').publish(1)
        return world

    def finding(self, world, what, run=call):
        """Exit status, result and text of one finding; the input itself is good."""
        result = run(world.home, 'check', '--json', stdin=world.xml())
        found = json.loads(result.out)
        self.assertEqual([row['ok'] for row in found['inputs']], [True])
        self.assertEqual(found['ok'], result.code == 0)
        row = next(row for row in found['host'] if row['what'] == what)
        return result.code, row['result'], row['text']

    @pytest.mark.promise('Calls', '`check` looks at checkpoint folder, owner, disk space, password store and clock')
    def test_all_is_well(self):
        world = self.world()
        for what, said in (('checkpoint folder', world.home.checkpoints), ('disk', 'free'),
                           ('password store', world.splunkd.url), ('clock', 'right')):
            code, level, text = self.finding(world, what)
            self.assertEqual(code, 0)
            self.assertIn(level, ('ok', 'note'))    # a machine of developers may have little space
            self.assertIn(said, text)
        os.rmdir(world.home.checkpoints)
        self.assertEqual(self.finding(world, 'checkpoint folder')[:2], (0, 'ok'))
        self.assertFalse(os.path.exists(world.home.checkpoints), 'check makes nothing')

    @pytest.mark.promise('Calls', '`check` looks at checkpoint folder, owner, disk space, password store and clock')
    @unittest.skipUnless(os.geteuid() == 0, 'only root becomes another user')
    def test_a_folder_of_another_user(self):
        """Splunk was started as root once; then its own user cannot write, or read what is there."""
        world = self.world()
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        program = shutil.copy(binary(), folder)
        path = world.home.path
        while path != world.home.checkpoints:
            os.chmod(path, 0o755)
            path = os.path.join(path, os.path.relpath(world.home.checkpoints, path).split('/')[0])

        def as_nobody(home, *arguments, stdin):
            environment = home.environment(ASAN_OPTIONS='detect_leaks=0')
            return subprocess.run([program, *arguments], input=stdin, stdout=subprocess.PIPE, env=environment,
                                  cwd='/', timeout=30, check=False, user=NOBODY)

        class Run:
            """The result as call() gives it."""
            def __init__(self, home, *arguments, stdin):
                done = as_nobody(home, *arguments, stdin=stdin)
                self.code, self.out = done.returncode, done.stdout.decode()
        os.chmod(world.home.checkpoints, 0o755)
        code, level, text = self.finding(world, 'checkpoint folder', Run)
        self.assertEqual((code, level), (1, 'bad'))
        self.assertRegex(text, r"cannot write to '.*defender_alerts', which belongs to root: Permission denied")
        os.chown(world.home.checkpoints, NOBODY, -1)
        self.assertEqual(self.finding(world, 'checkpoint folder', Run)[:2], (0, 'ok'))
        with open(os.path.join(world.home.checkpoints, 'a.json'), 'w', encoding='ascii') as file:
            os.fchmod(file.fileno(), 0o600)
        code, level, text = self.finding(world, 'checkpoint folder', Run)
        self.assertEqual((code, level), (1, 'bad'))
        self.assertIn("such as 'a.json', which belongs to root", text)
        code, level, text = self.finding(world, 'checkpoint folder')        # root can only suspect it
        self.assertEqual((code, level), (0, 'note'))
        self.assertIn("such as 'a.json' (root)", text)

    @pytest.mark.promise('Calls', '`check` looks at checkpoint folder, owner, disk space, password store and clock')
    @unittest.skipUnless(os.geteuid() == 0 and shutil.which('mount'), 'only root mounts')
    def test_a_full_disk(self):
        world = self.world()
        done = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', world.home.checkpoints], check=False,
                              capture_output=True)
        if done.returncode:
            self.skipTest('mounting is not allowed here')
        self.addCleanup(subprocess.run, ['umount', '-l', world.home.checkpoints], check=False)
        code, level, text = self.finding(world, 'disk')
        self.assertEqual((code, level), (1, 'bad'))
        self.assertIn('it is full', text)
        result = call(world.home, 'check', stdin=world.xml())
        self.assertRegex(result.out, r'(?m)^  disk +bad +0 MB free')
        self.assertIn('1 of 1 inputs are good, but this host has a problem.', result.out)
        self.assertRegex(result.out, r'(?m)^  checkpoint_failed \(disk\)\. Our administrator: free disk space.*\n'
                         r'.*\n    every input ')

    @pytest.mark.promise('Calls', '`check` looks at checkpoint folder, owner, disk space, password store and clock')
    def test_a_password_store_that_is_locked(self):
        """In the words of the log; inputs that need no secret of it are not told to be bad."""
        world = self.world()
        world.customer('b', stored=False)
        world.faults.add(faults.status(503), kind='passwords')
        result = call(world.home, 'check', '--json', stdin=world.xml())
        found = json.loads(result.out)
        store = found['host'][0]
        self.assertEqual((result.code, store['what'], store['result']), (1, 'password store', 'bad'))
        self.assertIn('HTTP 503', store['text'])
        rows = {row['input']: (row['result'], row['cause']) for row in found['inputs']}
        self.assertEqual(rows, {'a': ('not tried', 'splunkd_busy'), 'b': ('ok', None)})
        self.assertLess(result.seconds, checks.end_within(10))
