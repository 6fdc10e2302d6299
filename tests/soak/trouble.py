"""Trouble around the program, each kind in a thread of its own. What happens, to whom and for how long comes from the
seed; mend() leaves everything in order."""
import collections
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from world.certs import Authority
from world.names import NameServer, refusal
from world.runner import wait_for

ZONE = 'soak.test'
# The one in our resolv.conf, if we have a mount namespace of our own; else the one to put there. Each run has its own.
NAME_SERVER = os.environ.get('SOAK_APART') or f'127.0.{os.getpid() % 250 + 1}.9'
DISK_MB = 256
PAGE = 4096
RETRY_S = 11        # the longest pause between two tries of the program to use its checkpoint folder


def mounts_allowed():
    """Are we in a mount namespace of our own?"""
    return bool(os.environ.get('SOAK_APART'))


def _mount(*arguments):
    subprocess.run(['mount', *arguments], check=True, capture_output=True)


class Trouble:
    """Strikes again and again until it is over."""

    name, kinds, pause = '', (), (5, 25)

    def __init__(self, soak):
        self.soak, self.world, self.over = soak, soak.world, soak.over
        self.rng = random.Random(f'{soak.args.seed}/{self.name}')
        self.counts, self.now = collections.Counter(), ''
        self.thread = threading.Thread(target=self.run, daemon=True, name=self.name)

    def run(self):
        """Until it is over."""
        try:
            while self.kinds and not self.over.wait(self.rng.uniform(*self.pause)):
                kind = self.rng.choice(self.kinds)
                self.counts[kind] += 1
                self.now = kind
                getattr(self, '_' + kind)()
                self.now = ''
        except Exception as problem:            # a thread that dies unseen would make the run worthless
            self.soak.complaints.append(f'the trouble with {self.name} broke down: {problem!r}')
        finally:
            self.mend()

    def customer(self, feed):
        """A new one, with its past."""

    def mend(self):
        """Everything as it should be."""

    def close(self):
        """At the very end, when the program is gone."""


def quiet(soak):
    """The pause after trouble that concerns everybody: some polls of healthy customers lie in it."""
    return (30, 90 + 2 * soak.args.poll)


class Services(Trouble):
    """Outages, certificates that are not in order, revoked tokens, jumps of the service's clock."""

    name = 'services'
    kinds = ('outage', 'certificate', 'no_tls', 'revoked_tokens', 'splunkd_starting', 'clock_jump')

    def __init__(self, soak):
        super().__init__(soak)
        self._shift, self._good, self._stranger = 0, {}, Authority(name='Another authority')
        authority, names = self.world.authority, ('127.0.0.1', *soak.hosts)
        self._bad = {'expired': authority.server(*names, expired=True), 'name': authority.server('else.example.test'),
                     'unknown': self._stranger.server(*names)}

    def _disturbed(self, service):
        """For the watch: the login service is everybody's."""
        return self.soak.watch.disturbed(self.now, *(() if service.name == 'login' else (service.name,)))

    def _with(self, service, pair):
        with self._disturbed(service):
            good = service.pair
            service.stop()
            service.pair = pair                 # None: it speaks http without TLS
            service.start()
            self.over.wait(3 + self.rng.random() * 15)
            service.restart(good)

    def _outage(self):
        service = self.rng.choice(self.world.microsoft.services)
        with self._disturbed(service):
            service.stop()
            self.over.wait(self.rng.random() * 6)
            service.start()

    def _certificate(self):
        self._with(self.rng.choice(self.world.microsoft.services), self._bad[self.rng.choice(sorted(self._bad))])

    def _no_tls(self):
        self._with(self.rng.choice(self.world.microsoft.services), None)

    def _revoked_tokens(self):
        self.world.microsoft.identity.revoke()

    def _splunkd_starting(self):
        seconds = self.rng.random() * 5
        with self.soak.watch.disturbed(f'{self.name} {self.now}'):
            self.world.splunkd.starting(seconds)
            self.over.wait(seconds)

    def _clock_jump(self):
        jump = self.rng.choice((3600, -3600)) if not self._shift else -self._shift
        self._shift += jump
        self.world.clock.jump(jump)

    def mend(self):
        self.world.clock.jump(-self._shift)

    def close(self):
        self._stranger.close()


class Names(Trouble):
    """A name server that fails in each of its ways, longer than an answer of it is remembered. Connections are dropped,
    so that names are asked for at all."""

    name = 'names'
    kinds = ('unknown', 'failing', 'refusing', 'silent', 'wrong_address', 'slow')

    def __init__(self, soak):
        super().__init__(soak)
        self.pause = quiet(soak)
        self._server, self.spoilt, self._spoil = None, 0, None
        if mounts_allowed():
            self._server = NameServer(ZONE, host=NAME_SERVER, spoil=self._answer)
        else:
            self.kinds = ()

    def _answer(self, query, answer):
        if not self._spoil:
            return answer
        self.spoilt += 1
        return self._spoil(query, answer)

    def _while(self, spoil):
        with self.soak.watch.disturbed(f'{self.name} {self.now}'):
            self._spoil = spoil
            for service in self.world.microsoft.services:
                service.drop()
            self.over.wait(10 + self.rng.random() * 90)
            self._spoil = None

    def _unknown(self):
        self._while(lambda query, answer: refusal(query, 3))

    def _failing(self):
        self._while(lambda query, answer: refusal(query, 2))

    def _refusing(self):
        self._while(lambda query, answer: refusal(query, 5))

    def _silent(self):
        self._while(lambda query, answer: None)

    def _wrong_address(self):
        self._server.address = NAME_SERVER      # where nobody listens on the services' ports
        self._while(lambda query, answer: answer)
        self._server.address = '127.0.0.1'

    def _slow(self):
        def late(query, answer):
            time.sleep(0.3)
            return answer
        self._while(late)

    def mend(self):
        self._spoil = None

    def close(self):
        if self._server:
            self._server.close()


class Disk(Trouble):
    """The checkpoint folder full, read-only, replaced by a file, or gone with all that was in it.

    fails: it takes nothing now, and an end of the program cannot save. held: nobody may kill the program now, as what a
    vanished folder held is in its memory alone. removing: the folder is being removed, file by file; what the program
    saves at its end meanwhile would be removed as well."""

    name = 'disk'
    kinds = ('full', 'read_only', 'replaced', 'vanished')

    def __init__(self, soak):
        super().__init__(soak)
        self.pause = quiet(soak)
        self.fails, self.held, self.removing = False, threading.Lock(), threading.Lock()
        self.folder = self.world.home.checkpoints
        self._disk = os.path.dirname(self.folder)
        if not mounts_allowed():
            self.kinds = self.kinds[2:]
            return
        _mount('-t', 'tmpfs', '-o', f'size={DISK_MB}m', 'tmpfs', self._disk)
        os.mkdir(self.folder, 0o700)

    def close(self):
        if mounts_allowed():
            subprocess.run(['umount', '-l', self._disk], check=False)

    def _while(self, mend):
        with self.soak.watch.disturbed(f'{self.name} {self.now}'):
            ends = self.soak.repeats.sick(time.monotonic())
            self.over.wait(3 + self.rng.random() * 40)
            mend()
            ends(time.monotonic() + RETRY_S)
            self.over.wait(RETRY_S)         # what was written before it began could not be saved until now
            self.fails = False

    def _full(self):
        spare = self.rng.choice((0, 0, 1, 3, 10)) * PAGE
        self.fails = True
        for _ in range(100):            # the program may write at the same time
            stat = os.statvfs(self._disk)
            used = (stat.f_blocks - stat.f_bfree) * stat.f_frsize
            try:
                _mount('-o', f'remount,size={used + spare}', self._disk)
                break
            except subprocess.CalledProcessError:
                spare += PAGE
        self._while(lambda: _mount('-o', f'remount,size={DISK_MB}m', self._disk))

    def _read_only(self):
        """By a mount over it: the folder's own cannot turn read-only while the program has its lock file open."""
        self.fails = True
        _mount('--bind', self.folder, self.folder)
        _mount('-o', 'remount,bind,ro', self.folder)
        self._while(lambda: subprocess.run(['umount', self.folder], check=True))

    def _replaced(self):
        with self.held:                 # a start in between would find neither
            self.fails = True
            os.rename(self.folder, self.folder + '.away')
            with open(self.folder, 'wb'):
                pass

        def mend():
            with self.held:
                os.unlink(self.folder)
                os.rename(self.folder + '.away', self.folder)
        self._while(mend)

    def _vanished(self):
        """Gone by somebody's hand. What the program has in memory must be back soon."""
        with self.held:
            program = self.world.program
            if not program.running or not os.path.exists(os.path.join(self.folder, 'defender_alerts.lock')):
                return
            had = self._files()
            with self.removing:
                shutil.rmtree(self.folder, ignore_errors=True)
            try:
                wait_for(lambda: self._files() >= had, 40, lambda: sorted(had - self._files())[:5], pause=0.1)
            except TimeoutError as late:
                self.soak.complaints.append(f'checkpoints of a vanished folder do not come back: {late}')

    def _files(self):
        try:
            return {name for name in os.listdir(self.folder) if name.endswith('.json')}
        except OSError:
            return set()


def apart(script, arguments):
    """Start the script again with a mount namespace of its own, whose resolver asks our name server; returns when that
    is not possible here. Nothing of it outlives the process."""
    if mounts_allowed() or os.geteuid() or not shutil.which('unshare'):
        return
    with tempfile.NamedTemporaryFile('w', prefix='soak-resolv-', delete=False) as file:
        file.write(f'nameserver {NAME_SERVER}\noptions timeout:1 attempts:2\n')
    path, steps = file.name, 'mount --bind "$1" /etc/resolv.conf && rm "$1" && shift && exec "$@"'
    if subprocess.run(['unshare', '-m', 'sh', '-c', steps.replace('&& rm "$1"', ''), 'sh', path, 'true'], check=False,
                      capture_output=True).returncode:
        os.unlink(path)
        return
    os.environ['SOAK_APART'] = NAME_SERVER
    os.execvp('unshare', ['unshare', '-m', 'sh', '-c', steps, 'sh', path, sys.executable, script, *arguments])
