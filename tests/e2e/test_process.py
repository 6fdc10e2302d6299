"""What happens to the process as a whole: its descriptors, its input, its end, its lock, its disk, its memory."""
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time

import pytest
from cases import SANITIZED, SOON, DeliveryCase, build_shim
from checks import spawn
from world import faults
from world.runner import SplunkHome, binary, listens_to, wait_for

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


class SlowDisk(DeliveryCase):
    """A disk on which each sync takes seconds."""

    def setUp(self):
        self.without_sanitizers()

    def slow(self, world, seconds):
        """The world's environment with that disk."""
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.says = os.path.join(folder, 'seconds')
        self.turn(seconds)
        return world.home.environment(LD_PRELOAD=build_shim(folder, 'slow'), SLOW_DISK=self.says)

    def turn(self, seconds):
        """From now on a sync takes that long."""
        with open(self.says + '.new', 'w', encoding='ascii') as file:
            file.write(str(seconds))
        os.rename(self.says + '.new', self.says)

    @pytest.mark.promise('Trouble', 'A slow disk delays neither SIGTERM nor any customer')
    def test_the_end_does_not_wait_for_it(self):
        world = self.world()
        feeds = [world.customer(f'c{number}') for number in range(5)]
        for feed in feeds:
            feed.publish(3)
        program = world.start(environment=self.slow(world, 3))
        program.wait_events(15)
        for feed in feeds:
            self.polls(world, feed, 1)
        self.assertLess(program.terminate(), SOON)
        world.start()
        self.exact(world)           # nothing twice: what was not synced was written all the same

    @pytest.mark.promise('Trouble', 'A slow disk delays neither SIGTERM nor any customer')
    def test_a_save_in_flight_delays_nobody(self):
        world = self.world()
        quiet, other = world.customer('quiet'), world.customer('other')
        quiet.publish(3)
        other.publish(1)
        world.start(environment=self.slow(world, 0)).wait_events(4)
        world.restart(environment=self.slow(world, 0))
        self.polls(world, quiet, 1)
        self.turn(6)
        os.remove(os.path.join(world.home.checkpoints, 'quiet.json'))       # it is saved again at once, for 6 s
        wait_for(lambda: os.path.exists(os.path.join(world.home.checkpoints, 'quiet.json.tmp')), 15, 'a save')
        began = time.monotonic()
        for _ in range(3):
            events = len(world.program.events)
            quiet.publish(1)
            other.publish(1)
            world.program.wait_events(events + 2, 3)
        self.assertTrue(os.path.exists(os.path.join(world.home.checkpoints, 'quiet.json.tmp')) or
                        time.monotonic() - began > 5.5, 'the save is over too soon')
        self.assertLess(world.program.terminate(), SOON)
        world.start()
        self.exact(world)

    def test_a_save_in_flight_ends_if_there_is_time(self):
        world = self.world()
        feed = world.customer('c')
        feed.publish(3)
        program = world.start(environment=self.slow(world, 0.2))
        program.wait_events(3)
        self.polls(world, feed, 1)
        self.assertLess(program.terminate(), SOON)
        world.start()
        self.exact(world)


class LostLock(DeliveryCase):
    """The lock file is removed, and a second process is started."""

    def begin(self, **how):
        """A world whose program has read everything and saved it; the feeds of two inputs, one with few alerts."""
        world = self.world()
        feeds = [world.customer('a', **how), world.customer('b', **how)]
        for feed in feeds:
            feed.publish(3)
        world.start().wait_events(6)
        world.restart().wait_line('state=ok input=a|input=a .*state=ok')
        self.polls(world, feeds[0], 1)
        return world, feeds

    def second(self, world):
        """Remove the lock file and start a second process, as if splunkd had lost sight of the first."""
        first = world.program
        os.remove(os.path.join(world.home.checkpoints, 'defender_alerts.lock'))
        return first, world.start()

    @pytest.mark.promise('Checkpoints', 'A process that has lost its lock file stops reading until it owns the lock')
    def test_the_loser_waits_and_goes_on(self):
        world, feeds = self.begin()
        first, second = self.second(world)
        for _ in range(4):
            for feed in feeds:
                feed.publish(2)
            self.polls(world, feeds[0], 1)
        first.wait_line('WARN event=waiting input=a .*took over', 15)
        first.wait_line('WARN event=waiting input=b .*took over', 15)
        self.exact(world)
        before = len(first.events)
        self.assertLess(second.terminate(), SOON)
        for feed in feeds:
            feed.publish(2)
        self.exact(world)
        self.assertEqual(len(first.events), before + 4, first.tail())
        self.assertLess(first.terminate(), SOON)
        world.start()
        self.exact(world)

    @pytest.mark.promise('Checkpoints', 'A process that has lost its lock file stops reading until it owns the lock')
    def test_with_a_request_in_flight(self):
        world, feeds = self.begin()
        world.faults.add(faults.delay(3), service='graph', times=4)
        wait_for(lambda: any(rule.hits for rule in world.faults._rules), 10, 'a slow request')
        first, _ = self.second(world)
        for feed in feeds:
            feed.publish(5)
        first.wait_line('WARN event=waiting input=a .*took over', 20)
        self.exact(world)
        self.assertLess(first.terminate(), SOON)
        feeds[0].publish(1)
        self.exact(world)
        self.ends(world)

    def test_the_loser_saves_nothing(self):
        """Neither at its regular save nor at its end."""
        world, feeds = self.begin(poll_interval='3')
        first, second = self.second(world)
        for feed in feeds:
            feed.publish(2)
        second.wait_events(4)
        self.assertLess(first.terminate(), SOON)
        self.polls(world, feeds[0], 2)
        self.assertLess(second.terminate(), SOON)
        world.start()
        self.exact(world)

    def test_a_removed_lock_file_alone_changes_nothing(self):
        world, feeds = self.begin()
        os.remove(os.path.join(world.home.checkpoints, 'defender_alerts.lock'))
        wait_for(lambda: os.path.exists(os.path.join(world.home.checkpoints, 'defender_alerts.lock')), 20, 'the file')
        second = world.start()
        second.wait_line('event=waiting input=a .*still works')
        for feed in feeds:
            feed.publish(2)
        self.exact(world)
        self.assertEqual(second.events, [])


class AddressSpace(DeliveryCase):
    """ulimit -v: each life of the process saves what it has written, so that the next one does not write it again."""

    def setUp(self):
        self.without_sanitizers()

    def limited(self, world, more_mb):
        """The program's path, with a limit of that much above what it takes at rest."""
        with open(f'/proc/{world.program.pid}/status', encoding='ascii') as file:
            size = next(int(line.split()[1]) for line in file if line.startswith('VmSize'))
        path = os.path.join(world.home.path, 'bin', 'limited')
        with open(path, 'w', encoding='ascii') as file:
            file.write(f'#!/bin/sh\nulimit -v {size + more_mb * 1024}\nexec {binary()}\n')
        os.chmod(path, 0o755)
        return path

    def lives(self, world, program, count):
        """Start the program that often; it ends because memory runs out. Returns how many events each life wrote."""
        events = []
        for _ in range(count):
            life = world.start(program=program)
            self.assertEqual(life.wait(30), 1, life.tail())
            self.assertTrue([line for line in life.lines if 'event=fatal out of memory' in line.text], life.tail())
            problems = [text for text in life.problems() if 'no </stream>' not in text and 'ended' not in text]
            self.assertEqual(problems, [])
            events.append(len(life.events))
        return events

    @pytest.mark.promise('Trouble', 'Out of memory repeats no event that was saved, life after life')
    def test_a_record_that_never_fits(self):
        for kind in ('alone', 'among others'):
            with self.subTest(kind):
                world = self.world()
                feed, other = world.customer('c'), world.customer('other')
                other.publish(1)
                world.start().wait_events(1)
                self.polls(world, other)
                program = self.limited(world, 8)
                world.program.terminate()
                if kind != 'alone':
                    feed.publish(300, span_s=86400)
                feed.publish(1, size=15_000_000)
                other.publish(1)
                events = self.lives(world, program, 5)
                verdict = world.verdict()
                self.assertEqual((verdict.repeated, verdict.altered), ([], []), events)
                self.assertEqual(sum(events[1:]), sum(events) - events[0])
                world.programs[1:] = [self.cut_short(life) for life in world.programs[1:]]
                world.start()
                self.exact(world, seconds=60)
                self.ends(world)

    @staticmethod
    def cut_short(life):
        """Its stream has no end, which is as it must be."""
        life.reader.errors.clear()
        return life

    @pytest.mark.promise('Trouble', 'Out of memory repeats no event that was saved, life after life')
    def test_any_limit(self):
        """Wherever it strikes: a life that writes events saves them, or it writes none."""
        world = self.world()
        for number in range(20):
            world.customer(f'c{number}').publish(60, span_s=86400, size=20000)
        program = world.start()
        program.wait_line('event=start')
        path = self.limited(world, 0)
        program.kill()
        world.programs.clear()
        for more_mb in (-6, -3, -1, 0, 1, 2, 3, 4, 6, 8, 12):
            limited = path + str(more_mb)
            with open(path, encoding='ascii') as file, open(limited, 'w', encoding='ascii') as to:
                text = file.read()
                size = int(text.split('ulimit -v ')[1].split()[0])
                to.write(text.replace(str(size), str(size + more_mb * 1024), 1))
            os.chmod(limited, 0o755)
            life = world.start(program=limited)
            with contextlib.suppress(TimeoutError):
                wait_for(lambda life=life: not life.running or not world.verdict().lost, 6, 'an end')
            if life.running:
                life.terminate()
            self.cut_short(life)
        world.start()
        self.arrives(world, 40)
        verdict = world.verdict()
        self.assertEqual((verdict.repeated, verdict.altered), ([], []), verdict)
        self.ends(world)


class FirstMoments(DeliveryCase):
    """A stop signal as soon as it is caught."""

    @pytest.mark.promise('Calls', 'SIGTERM and SIGINT end the program within a second, with exit code 0')
    def test_at_once(self):
        """While a validation runs, 0 would mean that the input is valid."""
        world = self.world()
        world.customer('c')
        for arguments, code in (((), 0), (('--validate-arguments',), 1)):
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                for sent in (b'', world.xml()[:200]):
                    with self.subTest(arguments=arguments, number=number, sent=len(sent)):
                        process = spawn(world.home, *arguments)
                        process.stdin.write(sent)
                        process.stdin.flush()
                        wait_for(lambda process=process, number=number: listens_to(process.pid, number), 10,
                                 'a handler', pause=0.0005)
                        process.send_signal(number)
                        process.communicate(timeout=10)
                        self.assertEqual(process.returncode, code)


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
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(b'<input><x>' + b'x' * (65 << 20))
        self.assertEqual(process.wait(15), 1)
        self.assertIn(b'larger than 67108864 bytes', process.stderr.read())
        for pipe in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
