"""The process: how it ends in every state it can be in, and that it never outlives those who want its events."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import pytest
from checks import BlackHole, Mute, closed_port, end_within, spawn
from world import faults, inputxml
from world.login_errors import refusing
from world.runner import binary, listens_to, wait_for
from world.world import World

NOBODY = 65534


class Endings(unittest.TestCase):
    """SIGTERM within a second, whatever is going on."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def ends(self, stop=signal.SIGTERM):
        """The signal ends it within a second, with exit status 0."""
        process = self.world.program.process
        began = time.monotonic()
        process.send_signal(stop)
        self.assertEqual(process.wait(5), 0)
        self.assertLess(time.monotonic() - began, end_within())

    @pytest.mark.promise('Calls', 'SIGTERM and SIGINT end the program within a second, with exit code 0')
    def test_while_waiting_for_the_next_poll(self):
        """The usual state, with a whole stream behind it; twice, as SIGINT does it too."""
        feed = self.world.customer('a', poll_interval=3600)
        feed.publish(2)
        for stop in (signal.SIGTERM, signal.SIGINT):
            program = self.world.start()
            program.wait_line('state=ok')
            wait_for(lambda: len(self.world.events()) == 2, 10, program.tail)
            self.ends(stop)
            wait_for(lambda program=program: program.reader.finished == 1, 3, 'the end of the stream')
            self.assertEqual(program.reader.errors, [])
        self.assertTrue(self.world.verdict().exact, self.world.verdict())

    @pytest.mark.promise('Calls', 'SIGTERM and SIGINT end the program within a second, with exit code 0')
    def test_while_a_service_stays_mute(self):
        """The login service, an alert API before and in the middle of its answer, splunkd."""
        for name, where, fault in (
                ('token', {'service': 'login'}, faults.shaped(silent=True)),
                ('page', {'service': 'graph'}, faults.shaped(silent=True)),
                ('half a page', {'service': 'graph'}, faults.trickle(100, 1.0)),
                ('splunkd', {'service': 'splunkd'}, faults.shaped(silent=True))):
            with self.subTest(name):
                self.world.faults.clear()
                rule = self.world.faults.add(fault, **where)
                feed = self.world.customer(name)
                feed.publish(50)
                self.world.start().wait_line('event=start')
                wait_for(lambda rule=rule: rule.hits, 10, self.world.program.tail)
                self.ends()
                self.world.splunkd.inputs.pop(name)

    @pytest.mark.promise('Calls', 'SIGTERM and SIGINT end the program within a second, with exit code 0')
    def test_while_nobody_answers_at_all(self):
        """A connection that does not come about, TLS that does not, and a name that is looked up in vain."""
        with BlackHole() as hole, Mute() as mute:
            for name, url in (('hole', hole.url), ('mute', mute.url), ('closed', f'https://127.0.0.1:{closed_port()}'),
                              ('name', 'https://login.invalid')):
                with self.subTest(name):
                    self.world.customer(name, login_url=url)
                    self.world.start().wait_line('event=start')
                    time.sleep(0.5)
                    self.ends()
                    self.world.splunkd.inputs.pop(name)

    @pytest.mark.promise('Calls', 'SIGTERM and SIGINT end the program within a second, with exit code 0')
    def test_while_splunkd_cannot_be_reached(self):
        """At the start, when the secrets are still to be read."""
        with BlackHole() as hole:
            self.world.customer('a')
            xml = self.world.xml().replace(self.world.splunkd.url.encode(), hole.url.encode())
            self.world.start(xml=xml).wait_line('event=start')
            time.sleep(0.5)
            self.ends()

    @pytest.mark.promise('Trouble', 'While splunkd does not read, SIGTERM ends the program within a second')
    def test_while_splunkd_reads_nothing(self):
        """The pipe is full: it ends all the same, and what was not read comes at the next start."""
        feed = self.world.customer('a', start_time='-1h')
        feed.publish(800, span_s=3000)
        program = self.world.start(pipe_size=4096)
        program.stall()
        wait_for(lambda: program.unread() >= 3000, 15, program.tail)
        time.sleep(0.3)
        self.assertLess(program.terminate(), end_within())
        self.assertEqual(program.process.returncode, 0)
        seen = len(self.world.events())
        self.world.start()
        wait_for(lambda: len(self.world.events()) >= 800, 25, lambda: f'{seen} first; {self.world.program.tail()}')
        verdict = self.world.verdict()
        self.assertEqual((verdict.lost, verdict.altered, verdict.unexpected), ([], [], []), verdict)

    @pytest.mark.promise('Calls', 'SIGTERM and SIGINT end the program within a second, with exit code 0')
    def test_while_it_is_held_off(self):
        """In a long wait after a 429, and after a refusal."""
        self.world.customer('throttled')
        refused = self.world.customer('refused')
        self.world.faults.add(refusing(7000215), service='login', tenant=refused.tenant)
        self.world.faults.add(faults.throttled(429, 300), tenant=self.world.microsoft.tenant('throttled'),
                              service='graph')
        program = self.world.start()
        program.wait_line('input=throttled .*state=throttled')
        program.wait_line('input=refused .*state=refused')
        self.ends()

    def test_while_stdin_is_read_and_after_a_bad_start(self):
        """Before there is a configuration, and in the three seconds that a bad one costs."""
        for document, least in ((b'<input>', 0), (b'<input><', 0), (b'', 0), (b'no xml', 0.2)):
            process = spawn(self.world.home)
            process.stdin.write(document)
            process.stdin.flush()
            wait_for(lambda process=process: listens_to(process.pid), 10, 'the start of the program')
            time.sleep(0.1 + least)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(5), 0)
            self.assertLess(time.monotonic() - began, end_within())
            process.communicate()

    def test_a_validation_ends_too(self):
        """splunkd gives up on it after its own time limit."""
        tenant = self.world.microsoft.tenant('a')
        with BlackHole() as hole:
            params = self.world.params(tenant, 'graph', login_url=hole.url)
            process = spawn(self.world.home, '--validate-arguments')
            process.stdin.write(inputxml.validation_items(self.world.home.header(), 'a', params))
            process.stdin.flush()
            wait_for(lambda: listens_to(process.pid), 10, 'the start of the program')
            time.sleep(0.7)
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            process.wait(5)
            self.assertLess(time.monotonic() - began, end_within())
            process.communicate()

    def test_two_signals_are_as_good_as_one(self):
        """An impatient splunkd changes nothing about the way out."""
        self.world.customer('a').publish(3)
        program = self.world.start()
        program.wait_events(3)
        program.process.send_signal(signal.SIGTERM)
        try:
            program.process.send_signal(signal.SIGTERM)
        except ProcessLookupError:
            pass
        self.assertEqual(program.process.wait(3), 0)
        self.assertTrue(os.listdir(self.world.home.checkpoints))


class AtRest(unittest.TestCase):
    """Hundreds of inputs at rest must cost nothing, whatever state they are in."""

    @pytest.mark.promise('Calls', 'Idle inputs do not wake the process, and neither do refused ones')
    @pytest.mark.waits(10)
    def test_sleeps(self):
        with World() as world:
            world.customer('quiet', poll_interval=3600)
            refused = world.customer('refused', poll_interval=3600)
            world.faults.add(refusing(7000215), service='login', tenant=refused.tenant)
            program = world.start()
            program.wait_line('input=quiet .*state=ok')
            program.wait_line('input=refused .*state=refused')
            time.sleep(3)
            before = _waits(program.process.pid)
            time.sleep(9)
            self.assertLessEqual(_waits(program.process.pid) - before, 4)


class WithoutAReader(unittest.TestCase):
    """splunkd died, or closed the pipe."""

    def setUp(self):
        self.world = World(tls=False)
        self.addCleanup(self.world.close)

    @pytest.mark.promise('Calls', 'The program exits with 0 when its stdout is closed')
    def test_stdout_closed_while_idle(self):
        """Noticed without anything to write, and at once; exit 0, no signal, no noise."""
        self.world.customer('a', poll_interval=3600)
        program = self.world.start()
        program.wait_line('state=ok')
        program.close_stdout()
        self.assertEqual(program.process.wait(3), 0)
        program.wait_line('reason=stdout_closed')

    @pytest.mark.promise('Calls', 'The program exits with 0 when its stdout is closed')
    def test_stdout_closed_while_writing(self):
        """At the next write; what was not read comes again."""
        feed = self.world.customer('a', start_time='-1h')
        feed.publish(800, span_s=3000)
        program = self.world.start(pipe_size=4096)
        program.wait_events(10)
        program.stall()
        time.sleep(0.3)
        program.close_stdout()
        self.assertEqual(program.process.wait(5), 0)
        self.world.start()
        wait_for(lambda: not self.world.verdict().lost, 30, lambda: str(self.world.verdict()), pause=0.3)
        verdict = self.world.verdict()
        self.assertEqual((verdict.altered, verdict.unexpected), ([], []))

    @pytest.mark.promise('Checkpoints', 'What splunkd took within the minute before it crashed is written again')
    def test_splunkd_crashed_after_it_had_read(self):
        """It may not have indexed it. Nobody asked the program to stop, so this is no ordinary end."""
        feed = self.world.customer('a', start_time='-1h', poll_interval=3600)
        feed.publish(5, span_s=1000)
        program = self.world.start()
        program.wait_events(5)
        program.wait_line('state=ok')
        program.close_stdout()
        self.assertEqual(program.process.wait(10), 0)
        self.assertEqual(len(self.world.start().wait_events(5, 30)), 5)

    @pytest.mark.promise('Calls', 'The program exits with 0 when its parent dies')
    def test_its_parent_dies(self):
        """Killed without a word, while another process still holds the pipe's end: it must not go on for ever."""
        self.world.customer('a', poll_interval=3600)
        path = os.path.join(self.world.home.path, 'stdin.xml')
        with open(path, 'wb') as file:
            file.write(self.world.xml())
        script = ('import subprocess, sys\n'
                  'child = subprocess.Popen([sys.argv[1]], stdin=open(sys.argv[2]))\n'
                  'print(child.pid, file=sys.stderr, flush=True)\nchild.wait()\n')
        parent = subprocess.Popen([sys.executable, '-c', script, binary(), path], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env=self.world.home.environment())
        pid = int(parent.stderr.readline())
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(parent.stderr), daemon=True)
        reader.start()
        wait_for(lambda: any(b'state=ok' in line for line in lines), 10, lambda: str(lines))
        parent.kill()
        parent.wait()
        wait_for(lambda: not os.path.exists(f'/proc/{pid}') or _zombie(pid), 15, f'the end of process {pid}')
        parent.stdout.close()
        reader.join(5)
        parent.stderr.close()


def _waits(pid):
    """How often a process has waited for something."""
    with open(f'/proc/{pid}/status', encoding='ascii') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('voluntary_ctxt_switches'))


def _zombie(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii') as file:
            return file.read().rpartition(')')[2].split()[0] == 'Z'
    except FileNotFoundError:
        return True


class Inputs(unittest.TestCase):
    """Which inputs run, and where."""

    def setUp(self):
        self.world = World(tls=False)
        self.addCleanup(self.world.close)

    @pytest.mark.promise('Calls', 'Disabled inputs are skipped')
    def test_disabled_inputs_are_skipped(self):
        """Should splunkd hand them over after all, in whatever spelling."""
        self.world.customer('on').publish(1)
        words = ('1', 'true', 'True', 't', 'yes')
        for word in words:
            self.world.customer(f'off-{word}')
        xml = self.world.xml().decode()
        for word in words:
            head, _, rest = xml.partition(f'defender_alerts://off-{word}"')
            first = '<param name="tenant_id">'
            rest = rest.replace(first, f'<param name="disabled">{word}</param>{first}', 1)
            xml = f'{head}defender_alerts://off-{word}"{rest}'
        program = self.world.start(xml=xml.encode())
        program.wait_events(1)
        program.wait_line('input=on .*state=ok')
        for word in words:
            tenant = self.world.microsoft.tenant(f'off-{word}')
            self.assertEqual(self.world.microsoft.requests(tenant), [])
        self.assertFalse([line for line in program.lines if 'off-' in line.text])

    @pytest.mark.promise('Checkpoints', 'A second process waits and never runs at the same time as the first')
    def test_a_second_process_waits_for_the_first(self):
        """An edit starts the next one while the last still winds up: never both on one input, nothing twice."""
        feed = self.world.customer('a')
        other = self.world.customer('b')
        feed.publish(2)
        other.publish(1)
        first = self.world.start()
        first.wait_events(3)
        second = self.world.start()
        second.wait_line('event=waiting input=a')
        feed.publish(2)
        first.wait_events(5)
        self.assertEqual(second.events, [])
        first.terminate()
        feed.publish(1)
        second.wait_events(1)
        second.wait_line('input=a .*state=ok')
        self.assertTrue(self.world.verdict().exact, self.world.verdict())

    @pytest.mark.promise('Checkpoints',
                         'A checkpoint is a readable file with a version, a percent-encoded name and mode 0600')
    def test_checkpoints_are_private_and_readable(self):
        """Mode 0600, the name percent-encoded, plain JSON with a version in it."""
        name = 'Zürich/../%41 "ü"'
        self.world.customer(name).publish(1)
        self.world.start().wait_events(1)
        self.world.program.terminate()
        file, = [path for path in os.listdir(self.world.home.checkpoints) if path.endswith('.json')]
        expected = ''.join(chr(b) if chr(b).isalnum() and b < 128 or b in b'_-' else f'%{b:02X}' for b in name.encode())
        self.assertEqual(file, expected + '.json')
        path = os.path.join(self.world.home.checkpoints, file)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, encoding='utf-8') as text:
            self.assertTrue(any('version' in key for key in json.load(text)))

    @pytest.mark.promise('Secrets', 'No secret appears in a core dump')
    def test_no_core_and_no_debugger(self):
        """A crash must not write secrets to a disk."""
        self.world.customer('a')
        program = self.world.start()
        program.wait_line('state=ok')
        with open(f'/proc/{program.pid}/limits', encoding='ascii') as file:
            core = next(line for line in file if line.startswith('Max core file size'))
        self.assertEqual(core.split()[4:6], ['0', '0'])
        with open(f'/proc/{program.pid}/status', encoding='ascii') as file:
            self.assertIn('NoNewPrivs:\t1\n', file.readlines())

    @pytest.mark.promise('Secrets', 'No secret appears in a core dump')
    def test_its_memory_is_closed_to_its_own_user(self):
        """Core files that go to a program have no limit, and a debugger of the same user needs none: the kernel gives
        what belongs to a process that cannot be dumped to root."""
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            program = shutil.copy(binary(), folder)
            os.chmod(program, 0o755)
            process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       cwd='/', env={'ASAN_OPTIONS': 'detect_leaks=0'},
                                       user=NOBODY if os.geteuid() == 0 else None)
            try:
                wait_for(lambda: os.stat(f'/proc/{process.pid}/environ').st_uid == 0, 10, 'a process that is closed')
            finally:
                process.kill()
                process.communicate()


class Home(unittest.TestCase):
    """Surroundings that are poorer than usual."""

    def test_the_checkpoint_folder_is_made(self):
        """`splunk clean` removed it, or this is the first start ever."""
        with World(tls=False) as world:
            os.rmdir(world.home.checkpoints)
            world.customer('a').publish(1)
            world.start().wait_events(1)
            world.program.terminate()
            self.assertTrue(os.path.isdir(world.home.checkpoints))

    def test_a_bare_environment(self):
        """No HOME, no PATH, no LANG, a strange working directory, a strange umask of the parent."""
        with World(tls=False) as world:
            world.customer('a').publish(1)
            program = world.start(environment={'SPLUNK_HOME': world.home.path, 'LC_ALL': 'de_DE.UTF-8',
                                               'TZ': 'Asia/Kathmandu'})
            program.wait_events(1)
            self.assertTrue(world.verdict().exact, world.verdict())
