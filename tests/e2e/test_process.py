"""What happens to the process as a whole: its descriptors, its input, its clock, its lock, its disk, its memory."""
import os
import subprocess
import unittest

import pytest
from cases import SANITIZED, DeliveryCase
from checks import spawn
from world.runner import SplunkHome, binary, wait_for

CLOSED = 'exec "$0" "$@" {}'      # a shell that closes descriptors before it becomes the program


def start_without(home, redirections, *arguments, **pipes):
    """The program, started with descriptors closed: '>&-' stdout, '2>&-' stderr, '<&-' stdin."""
    return subprocess.Popen(['/bin/sh', '-c', CLOSED.format(redirections), binary(), *arguments], cwd='/',
                            env=home.environment(), **pipes)


class Descriptors(DeliveryCase):
    """Started with stdin, stdout or stderr closed."""

    @pytest.mark.promise('Calls', 'Started without stdin, stdout or stderr, no socket or file takes their place')
    def test_no_socket_becomes_stdout_or_stderr(self):
        world = self.world()
        world.customer('c').publish(3)
        process = start_without(world.home, '2>&-', stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.kill)
        process.stdin.write(world.xml())
        process.stdin.flush()
        wait_for(lambda: world.microsoft.requests(kind='graph'), 15, 'a poll')
        self.assertEqual(os.readlink(f'/proc/{process.pid}/fd/2'), '/dev/null')
        process.terminate()
        out, _ = process.communicate(timeout=10)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(out.count(b'<event '), 3)

    @pytest.mark.promise('Calls', 'Started without stdin, stdout or stderr, no socket or file takes their place')
    def test_without_stdout_no_event_counts_as_written(self):
        world = self.world()
        feed = world.customer('c')
        feed.publish(3)
        process = start_without(world.home, '>&-', stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        _, lines = process.communicate(world.xml(), timeout=15)
        self.assertIn(b'reason=stdout_closed', lines)
        self.assertNotIn(b'Sanitizer', lines)
        world.start()
        self.exact(world)

    def test_without_stdin_it_says_that_nothing_came(self):
        home = SplunkHome()
        self.addCleanup(home.close)
        process = start_without(home, '<&-', stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, lines = process.communicate(timeout=15)
        self.assertEqual((process.returncode, out), (1, b''))
        self.assertIn(b'event=bad_start', lines)

    def test_the_calls_that_print_fail_without_stdout(self):
        home = SplunkHome()
        self.addCleanup(home.close)
        for argument in ('--scheme', '--version', '--help'):
            with self.subTest(argument):
                process = start_without(home, '>&-', argument, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
                process.communicate(timeout=15)
                self.assertEqual(process.returncode, 1)

    def test_without_all_three(self):
        home = SplunkHome()
        self.addCleanup(home.close)
        for arguments in ((), ('--scheme',), ('--validate-arguments',), ('check',)):
            with self.subTest(arguments):
                self.assertEqual(start_without(home, '<&- >&- 2>&-', *arguments).wait(15), 1)


class Stdin(DeliveryCase):
    """Configurations of many inputs."""

    @pytest.mark.promise('Calls', 'Up to 64 MiB of configuration is accepted, and disabled inputs in it cost little')
    def test_tens_of_thousands_of_disabled_inputs(self):
        world = self.world()
        feed = world.customer('c')
        feed.publish(3)
        text = world.xml()
        stanza = (b'<stanza name="defender_alerts://off%d" app="search"><param name="disabled">1</param>'
                  b'<param name="tenant_id">contoso.com</param><param name="filter">' + b'x' * 900 +
                  b'</param></stanza>')
        many = b''.join(stanza % number for number in range(60000))
        self.assertGreater(len(many), 60 << 20)
        program = world.start(text.replace(b'<configuration>', b'<configuration>' + many, 1))
        program.wait_events(3, 40)
        self.assertLess(program.memory_kb(), 300000 if SANITIZED else 60000)
        self.exact(world)
        self.ends(world)

    def test_more_is_refused(self):
        home = SplunkHome()
        self.addCleanup(home.close)
        process = spawn(home)
        self.addCleanup(process.kill)
        try:
            process.stdin.write(b'<input><x>' + b'x' * (65 << 20))
        except BrokenPipeError:
            pass
        self.assertEqual(process.wait(15), 1)
        self.assertIn(b'larger than 67108864 bytes', process.stderr.read())
        for pipe in (process.stdin, process.stdout, process.stderr):
            try:
                pipe.close()
            except BrokenPipeError:
                pass


if __name__ == '__main__':
    unittest.main()
