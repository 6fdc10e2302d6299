"""What several test modules look at: traces of secrets, what a request carried, doors that nobody answers."""
import base64
import json
import os
import socket
import subprocess
import urllib.parse

from world.runner import binary

MASK = '********'       # what stands in inputs.conf when a secret was moved to the store
_LIMIT = 64 * 1024 * 1024
_SANITIZED_MORE_S = 4.0


def end_within(seconds=1.0):
    """That many seconds; more for a sanitizer build, which is slow to start and searches its memory for leaks after our
    own code is done. Promises are about the plain one."""
    with open(binary(), 'rb') as file:
        return seconds + (_SANITIZED_MORE_S if b'__asan_init' in file.read() else 0)


def param(world, name, parameter):
    """A parameter as it stands in inputs.conf now."""
    return world.splunkd.inputs[name][1].get(parameter)


class Spy:
    """A rule that changes nothing and keeps what matching requests carried: .forms, .requests.

    look(request) is called while the service has not yet answered, to see how the world stood at that moment."""

    def __init__(self, world, look=None, **when):
        self.requests, self.found, self._look = [], [], look
        self.rule = world.faults.add(self._see, **when)

    def _see(self, request, answer):
        if self._look:
            self.found.append(self._look(request))
        self.requests.append(request)
        return answer()

    @property
    def forms(self):
        """The decoded form of each request, in order."""
        return [request.form for request in self.requests]


def spellings(secret):
    """A secret in every form in which it might be written down."""
    raw = secret.encode()
    found = {raw, urllib.parse.quote(secret, safe='').encode(), urllib.parse.quote_plus(secret).encode(),
             urllib.parse.quote(secret).encode(), base64.b64encode(raw), json.dumps(secret)[1:-1].encode(),
             secret.replace('&', '&amp;').replace('<', '&lt;').encode(), raw.hex().encode()}
    if len(raw) > 120:      # of a long one, a piece is enough to be a leak
        found |= {raw[:60], raw[-60:], raw[len(raw) // 2:][:60]}
    return found


def in_bytes(data, secrets):
    """Those of the secrets that occur in data, in whatever spelling."""
    return [secret for secret in secrets if any(spelling in data for spelling in spellings(secret))]


def in_files(folder, secrets):
    """[(path, secret), ...] of all files below a folder, their names included."""
    found = []
    for path in (os.path.join(base, name) for base, _, names in os.walk(folder) for name in names):
        try:
            with open(path, 'rb') as file:
                data = path.encode() + b'\0' + file.read(_LIMIT)
        except FileNotFoundError:       # a checkpoint that is just being replaced
            continue
        found += [(path, secret) for secret in in_bytes(data, secrets)]
    return found


def in_process(pid, secrets):
    """Those that the process list shows: command line, name, environment."""
    data = b''
    for name in ('cmdline', 'comm', 'environ'):
        with open(f'/proc/{pid}/{name}', 'rb') as file:
            data += file.read()
    return in_bytes(data, secrets)


def leaks(world, secrets):
    """Everywhere a secret could have been written to: [(where, secret), ...]. The world's own inputs.conf and password
    store are not files here, so whatever is found is the program's doing."""
    found = in_files(world.home.path, secrets)
    for program in world.programs:
        text = '\n'.join(line.text for line in list(program.lines)).encode()
        found += [('stderr', secret) for secret in in_bytes(text, secrets)]
        data = b''.join(bytes(event.raw or b'') for event in list(program.events))
        found += [('stdout', secret) for secret in in_bytes(data, secrets)]
        if program.running:
            found += [('process list', secret) for secret in in_process(program.pid, secrets)]
    return [(where, secret[:12] + '...') for where, secret in found]


class BlackHole:
    """A port on loopback where a connection is never completed: its queue is full, and nobody accepts."""

    def __init__(self):
        self._server = socket.socket()
        self._server.bind(('127.0.0.1', 0))
        self._server.listen(0)
        self.port = self._server.getsockname()[1]
        self.url = f'https://127.0.0.1:{self.port}'
        self._fill = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(('127.0.0.1', self.port))
            self._fill.append(client)

    def close(self):
        """Let go of it."""
        for each in self._fill + [self._server]:
            each.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Mute(BlackHole):
    """A port that takes connections and whatever is sent, and never says a word: TLS does not get going."""

    def __init__(self):
        self._server = socket.create_server(('127.0.0.1', 0), backlog=64)
        self.port = self._server.getsockname()[1]
        self.url = f'https://127.0.0.1:{self.port}'
        self._fill = []


def closed_port():
    """A port that refuses connections."""
    with socket.create_server(('127.0.0.1', 0)) as server:
        return server.getsockname()[1]


def spawn(home, *arguments, environment=None, **pipes):
    """The program, bare: for tests that hold its pipes themselves."""
    how = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, **pipes}
    return subprocess.Popen([binary(), *arguments], cwd='/', env=environment or home.environment(), **how)
