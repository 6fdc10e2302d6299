#!/usr/bin/env python3
"""The packaged program does the demo's job (several customers and APIs, TLS, names resolved, an update, a restart) in
surroundings where a program that leans on the host would fail.

    test_portable.py        needs root, and the package that `make package` left in build/

ARCH=aarch64 runs the part that qemu-user can run."""
import io
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, 'tests/package'), os.path.join(TOP, 'tests/e2e')]
from app_rules import APP_ID, KIND  # noqa: E402
from world.names import NameServer  # noqa: E402
from world.proxy import Proxy  # noqa: E402
from world.world import World  # noqa: E402

ARCH = os.environ.get('ARCH') or platform.machine()
NATIVE = ARCH == platform.machine()
ZONE = 'mssp.test'
APIS = ('graph', 'endpoint', 'siem')
LIBRARIES = '''libcurl.so.4 libssl.so.3 libssl.so.1.1 libcrypto.so.3 libcrypto.so.1.1 libxml2.so.2 libz.so.1
    libnghttp2.so.14 libcjson.so.1 libc.so.6 libpthread.so.0 libm.so.6 libdl.so.2 ld-linux-x86-64.so.2 libnss_dns.so.2
    libisal.so.2'''.split()
# Where the oldest one that still can be had is looked for.
OLD_SUITES = 'wheezy jessie stretch buster bullseye bookworm'.split()
BUNDLES = {'/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem': 'RHEL', '/etc/ssl/certs/ca-certificates.crt': 'Debian',
           '/etc/ssl/ca-bundle.pem': 'SLES', '/etc/ssl/cert.pem': 'Alpine'}


def package():
    with open(os.path.join(TOP, 'VERSION'), encoding='ascii') as file:
        return os.path.join(TOP, 'build', f'{APP_ID}-{file.read().strip()}-linux_{ARCH}.spl')


class Surroundings(unittest.TestCase):
    """A world whose services have names, and an installed app."""

    @classmethod
    def setUpClass(cls):
        if os.getuid():
            raise unittest.SkipTest('needs root, for port 53 and roots of its own')
        if not os.path.exists(package()):
            raise AssertionError(f'{package()} is not there: make package ARCH={ARCH}')
        cls.names = NameServer(ZONE)
        cls.addClassCleanup(cls.names.close)

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='portable-')
        self.addCleanup(shutil.rmtree, self.folder)
        self.resolv = self.file('resolv.conf', f'nameserver {self.names.host}\noptions timeout:2 attempts:2\n')
        self.world = World()
        self.addCleanup(self.world.close)
        for service in self.world.microsoft.services:
            service.restart(self.world.authority.server(f'{service.name}.{ZONE}', '127.0.0.1'))
        self.home = self.world.home
        with tarfile.open(package()) as archive:
            shutil.rmtree(os.path.join(self.home.path, 'etc/apps', APP_ID))
            archive.extractall(os.path.join(self.home.path, 'etc/apps'))
        self.program = os.path.join(self.home.path, 'etc/apps', APP_ID, 'bin', KIND)

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w' if isinstance(content, str) else 'wb') as file:
            file.write(content)
        return path

    def named(self, service):
        """A service's address by its name, which only our name server knows."""
        return f'https://{service.name}.{ZONE}:{service.port}'

    def customers(self, **params):
        """One customer for each API. Returns the feeds."""
        microsoft, feeds = self.world.microsoft, []
        for api in APIS:
            how = {'login_url': self.named(microsoft.login), 'api_url': self.named(microsoft.service(api)), **params}
            feeds.append(self.world.customer(f'customer-{api}', api, stored=api != 'siem', **how))
        return feeds

    def does_the_job(self, command, environment=None, **params):
        """New alerts, an update, a stop, a restart without repeats: all of it exact."""
        feeds = self.customers(**params)
        how = {'program': command[0], 'arguments': command[1:], 'environment': environment or self.home.environment()}
        for feed in feeds:
            feed.publish(20)
        program = self.world.start(**how)
        program.wait_events(60, seconds=40)
        feeds[0].update(feeds[0].versions[0])
        program.wait_events(61, seconds=40)
        self.world.restart(**how)
        feeds[1].publish(5)
        self.world.program.wait_events(5, seconds=40)
        self.assertLess(self.world.program.terminate(), 5.0)
        verdict = self.world.verdict()
        self.assertTrue(verdict.exact, verdict)
        self.assertEqual(self.world.problems(), [])

    def with_names(self, *command):
        """The command, in a mount namespace in which our name server is the resolver."""
        return ['/usr/bin/unshare', '--mount', '/bin/sh', '-c', 'mount --bind "$0" /etc/resolv.conf && exec "$@"',
                self.resolv, *([] if NATIVE else [f'/usr/bin/qemu-{ARCH}-static']), *command]


class OnThisHost(Surroundings):
    """Everything around it is as here, but for one thing."""

    def test_names_are_found_although_their_aliases_fill_more_than_a_datagram(self):
        before = self.names.over_tcp
        self.does_the_job(self.with_names(self.program))
        self.assertGreater(self.names.over_tcp, before)

    @unittest.skipUnless(NATIVE, 'the emulator itself needs the real libraries')
    def test_library_path_full_of_broken_libraries(self):
        """As Splunk sets it, only worse."""
        for name in LIBRARIES:
            self.file(f'lib/{name}', 'this is no library\n')
        folder = os.path.join(self.folder, 'lib')
        broken = subprocess.run(['/bin/true'], env={'LD_LIBRARY_PATH': folder}, stderr=subprocess.PIPE, check=False)
        self.assertNotEqual(broken.returncode, 0, 'the trap does not work: /bin/true starts')
        self.does_the_job(self.with_names('/usr/bin/env', f'LD_LIBRARY_PATH={folder}', self.program))

    @unittest.skipUnless(NATIVE, 'the emulator itself needs the real libraries')
    def test_environment_full_of_nonsense(self):
        """Proxies too: the inputs have one of their own, and splunkd is never called through any."""
        config = self.file('openssl.cnf', 'openssl_conf = x\n[x]\nproviders = y\n[y]\nfips = z\n'
                                          '[z]\nactivate = 1\nmodule = /x\n')
        keys = os.path.join(self.folder, 'keys.log')
        settings = {'OPENSSL_CONF': config, 'OPENSSL_MODULES': '/nowhere', 'OPENSSL_ENGINES': '/nowhere',
                    'SSL_CERT_FILE': '/dev/null', 'SSL_CERT_DIR': '/nowhere', 'CURL_CA_BUNDLE': '/nowhere',
                    'CURL_SSL_BACKEND': 'gnutls', 'SSLKEYLOGFILE': keys, 'LD_PRELOAD': self.file('x.so', 'x'),
                    'LD_AUDIT': '/nowhere.so', 'LD_BIND_NOW': '1', 'GCONV_PATH': '/nowhere', 'LC_ALL': 'xx_XX.nonsense',
                    'LANG': 'tr_TR.UTF-8', 'TZ': ':/nowhere', 'TMPDIR': '/nowhere', 'HOME': '/nowhere',
                    'MALLOC_PERTURB_': '9',
                    'http_proxy': 'http://nowhere.invalid:1', 'https_proxy': 'http://nowhere.invalid:1',
                    'HTTPS_PROXY': 'nonsense://:::', 'ALL_PROXY': 'socks5://nowhere.invalid:1',
                    'all_proxy': 'http://[::1', 'NO_PROXY': ',,;', 'no_proxy': '*x*'}
        proxy = Proxy(self.world.loop)
        self.addCleanup(proxy.close)
        microsoft = self.world.microsoft
        for service in microsoft.services:      # the proxy asks this host's resolver, which knows no name of ours
            service.restart(self.world.authority.server('localhost', '127.0.0.1'))
        self.named = lambda service: f'https://localhost:{service.port}'
        self.does_the_job(self.with_names('/usr/bin/env', *(f'{name}={value}' for name, value in settings.items()),
                                          self.program), proxy=proxy.url)
        self.assertTrue(proxy.connects)
        self.assertFalse(os.path.exists(keys), 'session keys were written to SSLKEYLOGFILE')

    @unittest.skipUnless(NATIVE and ARCH == 'x86_64', 'the filter is made for x86_64')
    def test_a_kernel_as_old_as_that_of_rhel_7(self):
        old_kernel = os.path.join(TOP, 'tests/package/old_kernel.py')
        self.does_the_job(self.with_names(sys.executable, old_kernel, self.program))

    def test_it_starts_with_no_environment(self):
        command = [self.program] if NATIVE else [f'/usr/bin/qemu-{ARCH}-static', self.program]
        for arguments in (['--version'], ['--scheme']):
            with self.subTest(arguments):
                done = subprocess.run([*command, *arguments], env={}, stdout=subprocess.PIPE, check=False)
                self.assertEqual((done.returncode, bool(done.stdout)), (0, True))


class Upgrade(Surroundings):
    """package/install with the real package, over an older one that has run."""

    def older(self):
        """The package as if of version 0.9.0, with a file that the new one no longer has."""
        path = os.path.join(self.folder, f'{APP_ID}-0.9.0.spl')
        with tarfile.open(package()) as old, tarfile.open(path, 'w:gz') as new:
            for member in old.getmembers():
                data = old.extractfile(member).read() if member.isfile() else b''
                if member.name.endswith('/default/app.conf'):
                    data = re.sub(rb'(?m)^version = .*', b'version = 0.9.0', data)
                    member.size = len(data)
                new.addfile(member, io.BytesIO(data))
            gone = tarfile.TarInfo(f'{APP_ID}/default/gone.conf')
            new.addfile(gone)
        return path

    def install(self, path):
        subprocess.run([os.path.join(TOP, 'package/install'), self.home.path, path], check=True,
                       stderr=subprocess.DEVNULL)

    def test_local_settings_and_places_outlive_it(self):
        app = os.path.join(self.home.path, 'etc/apps', APP_ID)
        how = {'program': self.with_names(self.program)[0], 'arguments': self.with_names(self.program)[1:],
               'environment': self.home.environment()}
        self.install(self.older())
        local = os.path.join(app, 'local/inputs.conf')
        os.makedirs(os.path.dirname(local), exist_ok=True)
        with open(local, 'w', encoding='ascii') as file:
            file.write('[defender_alerts://customer-graph]\nindex = mine\n')
        feeds = self.customers()
        for feed in feeds:
            feed.publish(10)
        self.world.start(**how).wait_events(30, seconds=40)
        self.world.program.terminate()
        places = sorted(os.listdir(self.home.checkpoints))

        self.install(package())
        with open(os.path.join(app, 'default/app.conf'), encoding='utf-8') as file:
            self.assertNotIn('0.9.0', file.read())
        self.assertFalse(os.path.exists(os.path.join(app, 'default/gone.conf')))
        with open(local, encoding='ascii') as file:
            self.assertIn('index = mine', file.read())
        self.assertEqual(sorted(os.listdir(self.home.checkpoints)), places)
        for feed in feeds:
            feed.publish(1)
        self.world.start(**how).wait_events(3, seconds=40)
        self.world.program.terminate()
        verdict = self.world.verdict()
        self.assertTrue(verdict.exact, verdict)
        self.assertEqual(self.world.problems(), [])


@unittest.skipUnless(NATIVE, 'a root of its own would have to hold the emulator')
class InARootOfItsOwn(Surroundings):
    """chroot: what is not put there does not exist."""

    def root(self, base=None):
        """Moves SPLUNK_HOME into a new root (or a copy of base), to the path that it had; a link leads there."""
        root = os.path.join(self.folder, 'root')
        if base:
            subprocess.run(['cp', '-a', base, root], check=True)
        inside = root + self.home.path
        os.makedirs(os.path.dirname(inside), exist_ok=True)
        shutil.move(self.home.path, inside)
        os.symlink(inside, self.home.path)
        self.addCleanup(os.unlink, self.home.path)
        self.home.close = lambda: None
        os.makedirs(os.path.join(root, 'etc'), exist_ok=True)
        shutil.copy(self.resolv, os.path.join(root, 'etc/resolv.conf'))
        with open(os.path.join(root, 'etc/hosts'), 'w', encoding='ascii') as file:
            file.write('127.0.0.1 localhost\n')
        return root

    def trust(self, root, place):
        """The authority of this run as bundle of the system."""
        path = root + place
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(self.world.authority.cert, path)

    def inside(self, root):
        return ['/usr/sbin/chroot', root, self.program]

    def test_the_app_resolv_conf_and_hosts_are_enough(self):
        root = self.root()
        shutil.copy(self.world.authority.cert, os.path.join(self.home.path, 'ca.pem'))
        present = [os.path.relpath(os.path.join(base, name), root)
                   for base, _folders, names in os.walk(root) for name in names
                   if not os.path.join(base, name).startswith(root + self.home.path)]
        self.assertEqual(sorted(present), ['etc/hosts', 'etc/resolv.conf'])
        self.does_the_job(self.inside(root), ca_file=os.path.join(self.home.path, 'ca.pem'))

    def test_each_known_bundle_is_found(self):
        root = self.root()
        self.customers(ca_file=None)
        splunks = self.home.path + '/etc/auth/appsCA.pem'
        for place, system in [*BUNDLES.items(), (splunks, 'Splunk')]:
            with self.subTest(system):
                with open(root + splunks, 'w', encoding='ascii') as file:
                    file.write('the last to be asked, and of no use\n')
                self.trust(root, place)
                feed = self.world.feeds['customer-graph']
                feed.publish(1)
                self.world.start(program=self.inside(root)[0], arguments=self.inside(root)[1:],
                                 environment=self.home.environment())
                self.world.program.wait_events(1)
                self.world.program.terminate()
                os.remove(root + place)

    def test_without_any_bundle_the_message_names_the_places(self):
        root = self.root()
        self.customers(ca_file=None)
        self.world.feeds['customer-graph'].publish(1)
        program = self.world.start(program=self.inside(root)[0], arguments=self.inside(root)[1:],
                                   environment=self.home.environment())
        line = program.wait_line('no CA certificates')
        for place in (*BUNDLES, '$SPLUNK_HOME/etc/auth/appsCA.pem', 'ca_file'):
            self.assertIn(place, line.text)
        program.terminate()
        self.assertEqual(program.events, [])

    def test_the_oldest_distribution_that_can_be_had(self):
        suite, base = old_distribution()
        if not base:
            self.skipTest('debootstrap brings none of ' + ', '.join(OLD_SUITES))
        root = self.root(base)
        self.trust(root, '/etc/ssl/certs/ca-certificates.crt')
        self.does_the_job(self.inside(root), ca_file=None)
        print(f'\nseen in the userland of {suite}', file=sys.stderr)


def old_distribution():
    """(suite, folder) of the first of OLD_SUITES that the mirror has; kept in build/ for the next run."""
    keep = os.path.join(TOP, 'build/release/old')
    for suite in OLD_SUITES:
        if os.path.exists(os.path.join(keep, suite, 'etc/debian_version')):
            return suite, os.path.join(keep, suite)
    if not shutil.which('debootstrap'):
        subprocess.run(['apt-get', '-qq', 'install', '-y', '--no-install-recommends', 'debootstrap'], check=True,
                       stdout=subprocess.DEVNULL)
    os.makedirs(keep, exist_ok=True)
    mirror = subprocess.run(['bash', '-c', f'. {TOP}/package/mirrors && '
                             'mirrors x | sed -n "s/.*] \\(.*\\) x main$/\\1/p"'],
                            stdout=subprocess.PIPE, check=True).stdout.decode().split()
    for suite in OLD_SUITES:
        target = os.path.join(keep, suite)
        done = subprocess.run(['debootstrap', '--variant=minbase', suite, target + '.part', *mirror[:1]],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if done.returncode == 0:
            os.rename(target + '.part', target)
            return suite, target
        shutil.rmtree(target + '.part', ignore_errors=True)
    return None, None


if __name__ == '__main__':
    outcome = unittest.main(verbosity=2, exit=False).result
    failed = len(outcome.failures) + len(outcome.errors)
    print(f'{outcome.testsRun - failed - len(outcome.skipped)} passed, {failed} failed, {len(outcome.skipped)} skipped')
    sys.exit(1 if failed else 0)
