"""`sign-in` is stopped: at each prompt, while it waits and while a service does not answer. A terminal is as it was."""
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
import unittest

from test_sign_in import options
from world import faults
from world.login import App
from world.runner import binary, wait_for
from world.world import World

CTRL_C = b'\x03'
SAID = r'(?m)^ERROR stopped before the sign-in was complete'


class Terminal:
    """One run whose terminal is ours."""

    def __init__(self, world, arguments, command='sign-in', program=None, environment=None):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen([program or binary(), *([command] if command else []), *arguments],
                                        stdin=self.slave, stdout=self.slave, stderr=self.slave, cwd='/',
                                        env=environment or world.home.environment(),
                                        preexec_fn=self._take_terminal)     # Ctrl-C reaches the foreground only
        self.seen = ''

    def _take_terminal(self):
        os.setsid()
        os.close(os.open(os.ttyname(self.slave), os.O_RDWR))

    def until(self, pattern, seconds=10):
        """Reads on until the pattern has occurred."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.seen):
            if not select.select([self.master], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError(f'{pattern}: {self.seen}')
            self.seen += os.read(self.master, 65536).decode().replace('\r\n', '\n')

    def press(self, keys):
        """Types."""
        os.write(self.master, keys)

    def close(self):
        """Ends what is left."""
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


class Stop(unittest.TestCase):
    def has_stopped(self, terminal, seconds=5):
        """It says so, with its exit status, and the terminal is as it was."""
        terminal.until(SAID, seconds)
        self.assertEqual(terminal.process.wait(seconds), 1)
        self.assertEqual(termios.tcgetattr(terminal.slave), terminal.before)

    def stopped(self, world, arguments, *talk):
        """Goes through the talk, (what is waited for, what is typed) each, presses Ctrl-C and looks."""
        terminal = Terminal(world, arguments)
        try:
            for pattern, keys in talk:
                terminal.until(pattern)
                terminal.press(keys)
            began = time.monotonic()
            self.has_stopped(terminal)
            self.assertLess(time.monotonic() - began, 1)
        finally:
            terminal.close()

    def test_at_the_prompts(self):
        with World() as world:
            tenant = world.microsoft.tenant('contoso')
            self.stopped(world, options(world, tenant, '--store', '--server-uri', world.splunkd.url),
                         ('session key', b'abc' + CTRL_C))
            self.stopped(world, options(world, tenant), ('Client secret', b'abc' + CTRL_C))
            self.stopped(world, options(world, tenant), ('Client secret', b'secret\n'), ('Address: ', b'abc' + CTRL_C))
            self.stopped(world, options(world, tenant, '--proxy', 'http://user@127.0.0.1:1'),
                         ('Password of the proxy', CTRL_C))

    def test_while_a_service_is_silent(self):
        with World() as world:
            tenant = world.microsoft.tenant('contoso')
            asked, hole = [], faults.black_hole()

            def silent(request, answer):
                asked.append(request)
                return hole(request, answer)
            world.faults.add(silent, kind='token')
            code = world.microsoft.identity.new_code(tenant).encode()
            terminal = Terminal(world, options(world, tenant))
            try:
                terminal.until('Client secret')
                terminal.press(tenant.app.secret.encode() + b'\n')
                terminal.until('Address: ')
                terminal.press(code + b'\n')
                wait_for(lambda: asked)
                terminal.press(CTRL_C)
                self.has_stopped(terminal, 2)
            finally:
                terminal.close()

    def test_while_the_other_device_is_waited_for(self):
        with World() as world:
            tenant = world.microsoft.tenant('contoso')
            app = tenant.add_app(App(public=True))
            self.stopped(world, options(world, tenant, '--device-code', app=app), ('Waiting for the sign-in', CTRL_C))

    def test_by_a_signal_without_a_terminal(self):
        with World() as world:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
                with self.subTest(number), subprocess.Popen(
                        [binary(), 'sign-in', *options(world, world.microsoft.tenant('contoso'))],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd='/', text=True,
                        env=world.home.environment()) as process:
                    while 'authorize' not in process.stdout.readline():
                        pass
                    process.send_signal(number)
                    self.assertEqual(process.wait(5), 1)
                    self.assertRegex(process.stderr.read(), r'\AERROR stopped before the sign-in was complete.*\n\Z')
