"""Starts the program under test as splunkd does, and watches all of its pipes."""
import fcntl
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import threading
import time

from . import inputxml
from .splunkd import APP, KIND
from .stream import StreamReader

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
_SANITIZER = re.compile(r'runtime error:|(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer')
_LOOK_MS = 50
_FACT = re.compile(r'(\w+)=("[^"]*"|\S+)')
_PASSED_ON = re.compile(r'(A|L|T|M|UB)SAN_OPTIONS\Z|LLVM_PROFILE_FILE\Z|GCOV_')


def binary():
    """The program under test: environment variable DEFENDER_ALERTS, or the one that was built in place."""
    return os.path.abspath(os.environ.get('DEFENDER_ALERTS') or os.path.join(_ROOT, 'bin', KIND))


def wait_for(condition, seconds=10.0, what='condition', pause=0.01):
    """Wait until condition() is true and return its value. Raises TimeoutError, with what() if that is a function."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f'not within {seconds} s: {what() if callable(what) else what}')
        time.sleep(pause)


def listens_to(pid, number=signal.SIGTERM):
    """Has the process set up a handler for this signal? Before that, it is not our code that runs."""
    with open(f'/proc/{pid}/status', encoding='ascii', errors='replace') as file:
        mask = next(line for line in file if line.startswith('SigCgt:'))
    return int(mask.split()[1], 16) >> (number - 1) & 1


class SplunkHome:
    """A SPLUNK_HOME in a temporary folder. ca: the PEM that splunkd's certificate is checked against; where says
    whether it is found by 'caCertFile' or 'sslRootCAPath' in server.conf, or only at etc/auth/cacert.pem ('auth')."""

    def __init__(self, ca=None, where='auth', uri='https://127.0.0.1:8089', name='test'):
        self.path = tempfile.mkdtemp(prefix='splunk-home-')
        self.uri, self.name = uri, name
        self.checkpoints = os.path.join(self.path, 'var/lib/splunk/modinputs', KIND)
        for folder in (self.checkpoints, *(os.path.join(self.path, part) for part in (
                'etc/auth', 'etc/system/local', f'etc/apps/{APP}/local', 'lib', 'bin'))):
            os.makedirs(folder)
        if ca:
            self.trust(ca, where)

    def trust(self, ca, where='auth'):
        """Put a CA file where splunkd's configuration points to."""
        target = 'etc/auth/cacert.pem' if where == 'auth' else 'etc/auth/mycerts.pem'
        shutil.copy(ca, os.path.join(self.path, target))
        if where != 'auth':
            with open(os.path.join(self.path, 'etc/system/local/server.conf'), 'w', encoding='utf-8') as file:
                file.write(f'[general]\nserverName = test\n\n[sslConfig]\n# own CA\n{where} = $SPLUNK_HOME/{target}\n')

    def header(self, session_key='none'):
        """The four elements that go before the configuration."""
        return {'server_host': self.name, 'server_uri': self.uri, 'session_key': session_key,
                'checkpoint_dir': self.checkpoints}

    def environment(self, **more):
        """What splunkd passes on; None removes a variable. Sanitizers and coverage keep their settings."""
        found = {name: value for name, value in os.environ.items() if _PASSED_ON.match(name)}
        path = os.path.join(self.path, 'bin') + ':/usr/local/bin:/usr/bin:/bin'
        found.update(SPLUNK_HOME=self.path, SPLUNK_DB=os.path.join(self.path, 'var/lib/splunk'),
                     SPLUNK_SERVER_NAME=self.name, PATH=path)
        found.update(more)
        return {name: value for name, value in found.items() if value is not None}

    def close(self):
        """Remove it all."""
        shutil.rmtree(self.path, ignore_errors=True)


class Line:
    """A line of stderr. when: time.time() of its arrival; facts: its key=value pairs."""

    def __init__(self, text):
        self.when, self.text = time.time(), text
        self.level = text.split(' ', 1)[0]
        self.facts = {name: value.strip('"') for name, value in _FACT.findall(text)}

    def __repr__(self):
        return self.text


class Program:
    """One run in stream mode.

    events and lines grow as the program writes; take(event) is called for each event in the reader's thread, and
    keep=False stops them from being kept. Reading of stdout can be stalled, as splunkd does when its queues are
    full."""

    def __init__(self, home, xml, take=None, keep=True, stdin_open=True, pipe_size=None, environment=None,
                 arguments=(), program=None):
        self.home, self.events, self.lines, self.discarded = home, [], [], 0
        self._take, self._keep = take, keep
        self._go, self._reading_ended, self._abandoned = threading.Event(), threading.Event(), False
        self._reading = threading.Lock()
        self._go.set()
        self.reader = StreamReader(self._event)
        self.started = time.monotonic()
        self.process = subprocess.Popen([program or binary(), *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd='/', bufsize=0,
                                        env=environment or home.environment())
        if pipe_size:
            fcntl.fcntl(self.process.stdout, 1031, pipe_size)      # F_SETPIPE_SZ
        self._threads = [threading.Thread(target=target, args=arguments, daemon=True) for target, arguments in
                         ((self._read_out, ()), (self._read_err, ()), (self._write, (xml, stdin_open)))]
        for thread in self._threads:
            thread.start()

    pid = property(lambda self: self.process.pid)
    running = property(lambda self: self.process.poll() is None)

    def _write(self, xml, stay_open):
        try:
            self.process.stdin.write(xml)
            if not stay_open:
                self.process.stdin.close()
        except OSError:
            pass                                # it is free to leave without reading

    def _event(self, event):
        event.when = time.time()
        if self._take:
            self._take(event)
        if self._keep:
            self.events.append(event)

    def _read_out(self):
        # Waits in poll() and never in read(), so that a stalled reader has taken nothing out of the pipe.
        descriptor, poll = self.process.stdout.fileno(), select.poll()
        poll.register(descriptor, select.POLLIN)
        try:
            while self._go.wait() and not self._abandoned:
                if poll.poll(_LOOK_MS) and not self._read_some(descriptor):
                    return
        finally:
            self._reading_ended.set()

    def _read_some(self, descriptor):
        with self._reading:
            if not self._go.is_set():
                return True
            data = os.read(descriptor, 65536)
            if data:
                self.reader.feed(data)
            else:
                self.reader.close()
            return bool(data)

    def _read_err(self):
        for line in self.process.stderr:
            self.lines.append(Line(line.decode('utf-8', 'replace').rstrip('\n')))

    # --- steering -------------------------------------------------------------------------------------------------

    def stall(self):
        """Stop reading stdout: the pipe fills up. No event arrives after this returns."""
        self._go.clear()
        with self._reading:
            pass

    def resume(self):
        """Read on."""
        self._go.set()

    def unread(self):
        """Bytes that stand in the pipe now."""
        return struct.unpack('i', fcntl.ioctl(self.process.stdout, termios.FIONREAD, b'\0' * 4))[0]

    def close_stdin(self):
        """End of input, if it was left open."""
        self.process.stdin.close()

    def terminate(self, seconds=5.0):
        """SIGTERM as splunkd sends it, once the program is there to take it: a loader that is at work yet dies of it.
        Returns the seconds until the exit; kills and raises when it takes too long.

        While stalled, what is left in the pipe is thrown away and counted in .discarded, as when splunkd ends."""
        until = time.monotonic() + 5            # programs that are no good may never have a handler
        while self.running and not listens_to(self.pid) and time.monotonic() < until:
            time.sleep(0.01)
        return self._end(signal.SIGTERM, seconds)

    def kill(self):
        """SIGKILL; the rest as in terminate()."""
        return self._end(signal.SIGKILL, 5.0)

    def close_stdout(self):
        """splunkd's end of the pipe goes away; what was not read is counted in .discarded."""
        self.stall()
        self.discarded += self.unread()
        self._abandoned = True
        self._go.set()
        self._reading_ended.wait(5)
        self.process.stdout.close()

    def wait(self, seconds=10.0):
        """Wait for an exit of its own accord; the exit code."""
        code = self.process.wait(seconds)
        self._finish()
        return code

    def _end(self, number, seconds):
        began = time.monotonic()
        self.process.send_signal(number)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired as late:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f'still there {seconds} s after signal {number}; {self.tail()}') from late
        finally:
            taken = time.monotonic() - began
            self._finish()
        return taken

    def _finish(self):
        if not self._go.is_set():
            self.discarded += self.unread()
            self._abandoned = True
            self._go.set()
        self._reading_ended.wait(5)
        for thread in self._threads:
            thread.join(5)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                pipe.close()
            except OSError:
                pass

    # --- looking --------------------------------------------------------------------------------------------------

    def wait_events(self, count, seconds=15.0):
        """Wait for so many events in all; returns them."""
        wait_for(lambda: len(self.events) >= count or not self.running, seconds,
                 lambda: f'{count} events, there are {len(self.events)}; {self.tail()}')
        if len(self.events) < count:
            self._reading_ended.wait(5)
        if len(self.events) < count:
            raise AssertionError(f'ended after {len(self.events)} of {count} events; {self.tail()}')
        return self.events

    def wait_line(self, pattern, seconds=15.0, since=0):
        """Wait for a line of stderr in which the pattern occurs; returns it."""
        def found():
            return next((line for line in self.lines[since:] if re.search(pattern, line.text)), None)
        return wait_for(found, seconds, lambda: f'line like {pattern!r}; {self.tail()}')

    def tail(self, count=15):
        """The last lines of stderr, for messages."""
        broken = f'stream errors: {self.reader.errors[:3]}\n' if self.reader.errors else ''
        return broken + 'stderr:\n' + '\n'.join(f'  {line.text[:400]}' for line in self.lines[-count:])

    def problems(self):
        """What no run may show: sanitizer reports, a broken stream, lines without a level."""
        found = [line.text for line in self.lines if _SANITIZER.search(line.text)]
        if not found:
            found = [f'line without a level: {line.text}' for line in self.lines
                     if line.level not in ('DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL')]
        errors = self.reader.errors
        if self.process.returncode == -signal.SIGKILL or self.discarded:
            errors = [text for text in errors if 'ended' not in text and 'no </stream>' not in text]
        if self.process.returncode not in (None, 0, 1, -signal.SIGKILL):
            found.append(f'exit status {self.process.returncode}')
        return found + errors

    def secrets_seen(self, secrets):
        """Those of the given secrets that stand in its output or its command line."""
        text = '\n'.join([line.text for line in self.lines] + [event.data for event in self.events])
        if self.running:
            with open(f'/proc/{self.pid}/cmdline', 'rb') as file:
                text += file.read().decode('utf-8', 'replace')
        return [secret for secret in secrets if secret in text]

    def memory_kb(self):
        """Resident memory now."""
        with open(f'/proc/{self.pid}/status', encoding='ascii', errors='replace') as file:
            return int(re.search(r'VmRSS:\s+(\d+)', file.read()).group(1))

    def descriptors(self):
        """How many files and sockets it holds open."""
        return len(os.listdir(f'/proc/{self.pid}/fd'))


class Result:
    """What a short call left behind."""

    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds

    @property
    def message(self):
        """The text of `<error><message>`, or None."""
        match = re.search(r'<error>\s*<message>(.*?)</message>', self.out, re.DOTALL)
        if not match:
            return None
        text = match.group(1)
        for name, mark in (('&lt;', '<'), ('&gt;', '>'), ('&quot;', '"'), ('&apos;', "'"), ('&amp;', '&')):
            text = text.replace(name, mark)
        return text


def call(home, *arguments, stdin=b'', environment=None, seconds=35, program=None):
    """Run the program to its end (--scheme, --validate-arguments, check, ...)."""
    began = time.monotonic()
    done = subprocess.run([program or binary(), *arguments], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, cwd='/', env=environment or home.environment(), timeout=seconds)
    result = Result(done.returncode, done.stdout.decode('utf-8', 'replace'), done.stderr.decode('utf-8', 'replace'),
                    time.monotonic() - began)
    if _SANITIZER.search(result.err):
        raise AssertionError(f'sanitizer report: {result.err}')
    return result


def validate(home, name, params, session_key='none', environment=None, program=None, **variant):
    """--validate-arguments with these parameters; variant: keywords of inputxml.validation_items."""
    xml = inputxml.validation_items(home.header(session_key), name, params, **variant)
    return call(home, '--validate-arguments', stdin=xml, environment=environment, program=program)
