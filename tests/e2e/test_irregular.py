"""Named pipes, devices and folders in place of the files that the program reads: they cost one input, nothing else."""
import os
import shutil
import subprocess

import checks
import pytest
from cases import DeliveryCase
from test_certificate import key_file
from world.runner import binary, call, validate, wait_for

KINDS = ('pipe', 'folder', 'device')
SAID = {'pipe': 'it is a named pipe, not a file', 'folder': 'it is a folder, not a file',
        'device': 'it is a device, not a file'}


def put(kind, path):
    """Puts a pipe, a folder or a link to a device there, in the place of what is there."""
    remove(path)
    if kind == 'pipe':
        os.mkfifo(path)
    elif kind == 'folder':
        os.mkdir(path)
    else:
        os.symlink('/dev/zero', path)


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    elif os.path.lexists(path):
        os.remove(path)


class WhileItRuns(DeliveryCase):
    """One input has the bad file, and another one goes on."""

    def others_go_on(self, world, good, bad_line):
        """The good input still gets alerts after the bad one's line, and SIGTERM works."""
        world.program.wait_line(bad_line)
        good.publish(2)
        self.exact(world, good)
        self.ends(world)

    @pytest.mark.promise('Trouble', 'A named pipe, a device or a folder in place of a file holds up no other customer '
                                    'and no end')
    def test_checkpoint(self):
        for kind in KINDS:
            with self.subTest(kind):
                world = self.world()
                good, bad = world.customer('good'), world.customer('bad')
                path = os.path.join(world.home.checkpoints, 'bad.json')
                put(kind, path)
                program = world.start()
                program.wait_line(f"input=bad .*cannot open '{path}': {SAID[kind]}")
                good.publish(2)
                self.polls(world, good)
                remove(path)
                bad.publish(2)
                self.exact(world)
                self.ends(world)

    @pytest.mark.promise('Trouble', 'A named pipe, a device or a folder in place of a file holds up no other customer '
                                    'and no end')
    def test_lock_file(self):
        """Before the start, and while it runs: a lock file takes its place, as it would stop every input."""
        for kind in KINDS:
            with self.subTest(kind):
                world = self.world()
                feed = world.customer('c')
                path = os.path.join(world.home.checkpoints, 'defender_alerts.lock')
                put(kind, path)
                feed.publish(2)
                world.start()
                self.exact(world)
                put(kind, path)
                feed.publish(2)
                self.exact(world)
                wait_for(lambda path=path: os.path.isfile(path) and not os.path.islink(path), 20, 'a lock file')
                self.ends(world)

    @pytest.mark.promise('Trouble', 'A named pipe, a device or a folder in place of a file holds up no other customer '
                                    'and no end')
    def test_certificate(self):
        for kind in KINDS:
            with self.subTest(kind):
                world = self.world()
                path, _ = key_file(world.home.path, 'bad')
                good = world.customer('good')
                world.customer('bad', client_secret=None, client_certificate=path)
                put(kind, path)
                world.start()
                self.others_go_on(world, good, f"input=bad .*cannot open '{path}': {SAID[kind]}")

    @pytest.mark.promise('Trouble', 'A named pipe, a device or a folder in place of a file holds up no other customer '
                                    'and no end')
    def test_certificate_that_is_replaced_later(self):
        world = self.world()
        path, cert = key_file(world.home.path, 'bad')
        good, bad = world.customer('good'), world.customer('bad', client_secret=None, client_certificate=path)
        bad.tenant.app.certificates.append(cert)
        bad.publish(1)
        world.start().wait_events(1)
        put('pipe', path)
        self.others_go_on(world, good, f"event=certificate .*{SAID['pipe']}")

    @pytest.mark.promise('Trouble', 'A named pipe, a device or a folder in place of a file holds up no other customer '
                                    'and no end')
    def test_ca_file_that_is_replaced_later(self):
        for kind in KINDS:
            with self.subTest(kind):
                world = self.world(tls=True)
                path = os.path.join(world.home.path, 'own.pem')
                shutil.copy(world.authority.cert, path)
                good, bad = world.customer('good'), world.customer('bad', ca_file=path)
                bad.publish(1)
                world.start().wait_events(1)
                put(kind, path)
                self.others_go_on(world, good, f"input=bad .*CA file {path} cannot be read.*{SAID[kind]}")

    @pytest.mark.promise('Trouble', 'A named pipe, a device or a folder in place of a file holds up no other customer '
                                    'and no end')
    def test_files_of_splunk(self):
        """server.conf and the CA file of splunkd: splunkd is then not verified by it, and the process still ends."""
        world = self.world(tls=True)
        world.customer('c')
        for name in ('etc/system/local/server.conf', 'etc/auth/cacert.pem'):
            put('pipe', os.path.join(world.home.path, name))
        world.start()
        wait_for(lambda: world.program.lines, 15, 'a line')
        self.ends(world)

    @pytest.mark.promise('Parameters', '`ca_file` may be a link, as the bundles of Debian and SUSE are')
    def test_links_are_followed(self):
        world = self.world(tls=True)
        path = os.path.join(world.home.path, 'link.pem')
        os.symlink(world.authority.cert, path)
        world.customer('c', ca_file=path).publish(2)
        world.start()
        self.exact(world)
        self.ends(world)


class OnTheCommandLine(DeliveryCase):
    """Commands and validation."""

    def test_validation_says_what_is_there(self):
        world = self.world(tls=True)
        tenant = world.microsoft.tenant('c')
        path = os.path.join(world.home.path, 'file.pem')
        for parameter in ('ca_file', 'client_certificate'):
            for kind in KINDS:
                with self.subTest(parameter=parameter, kind=kind):
                    put(kind, path)
                    done = validate(world.home, 'c', world.params(tenant, 'graph', **{parameter: path}))
                    self.assertEqual(done.code, 1)
                    self.assertRegex(done.message, f"{parameter} is '{path}'.*: .*{SAID[kind]}")

    def test_files_that_are_named(self):
        world = self.world()
        path = os.path.join(world.home.path, 'file')
        sign_in = ('sign-in', '--tenant', 'contoso.com', '--client-id', '01234567-89ab-cdef-0123-456789abcdef')
        commands = (('import',), (*sign_in, '--client-secret-file'), (*sign_in, '--ca-file'),
                    (*sign_in, '--client-certificate'),
                    (*sign_in, '--proxy', 'http://joe@127.0.0.1:1', '--proxy-password-file'))
        for command in commands:
            for kind in KINDS:
                with self.subTest(command=command[-1], kind=kind):
                    put(kind, path)
                    done = call(world.home, *command, path, stdin=b'key\n', seconds=15)
                    self.assertEqual(done.code, 1)
                    self.assertIn(SAID[kind], done.err + done.out)

    def test_a_pipe_that_the_shell_passes_is_read(self):
        """import <(...): the CSV is never on the disk."""
        world = self.world()
        app = world.shared_app()
        row = world.params(world.microsoft.tenant('contoso', app), 'graph') | {'name': 'contoso'}
        text = ','.join(row) + '\n' + ','.join(row.values()) + '\n'
        ours, theirs = os.pipe()
        os.write(theirs, text.encode())
        os.close(theirs)
        done = subprocess.run([binary(), 'import', f'/dev/fd/{ours}', '--server-uri', world.splunkd.url],
                              input=world.splunkd.session_key.encode(), stdout=subprocess.PIPE, pass_fds=(ours,),
                              env=world.home.environment(), timeout=35, check=False)
        os.close(ours)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn('contoso', world.splunkd.inputs)
        self.assertEqual(checks.in_bytes(done.stdout, [app.secret]), [])

    def test_an_endless_file_ends(self):
        """A device that the shell passes: the limit ends it."""
        world = self.world()
        with open('/dev/zero', 'rb') as zero:
            done = subprocess.run([binary(), 'import', '/dev/stdin'], stdin=zero, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env=world.home.environment(), timeout=35, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b'is larger than', done.stderr + done.stdout)
