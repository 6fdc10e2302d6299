#!/usr/bin/env python3
"""What guards the way from the authors of the libraries to the user: outdated pins fail, the SBOM can be matched,
checksums are signed.

Needs no network and no release build."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 'package'))
import notices  # noqa: E402
import pins  # noqa: E402

PINS = '''# name suite version license home
curl      trixie    8.14.1-2+deb13u5    curl   https://curl.se
zlib      trixie    1:1.3.1-1+deb13u1   Zlib   https://zlib.net
'''


def run(*command, **more):
    """The command, with what it said."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True, **more)


class Folder(unittest.TestCase):
    """A folder for each test."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='supply-')
        self.addCleanup(shutil.rmtree, self.folder)

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path


class Pins(Folder):
    """package/pins.py, with pins and lists of its own."""

    def setUp(self):
        super().setUp()
        shutil.copy(os.path.join(TOP, 'package/pins.py'), self.folder)
        self.file('versions', PINS)
        self.file('instead', '# none\n')

    def judge(self, versions, *options, reason=None, unknown=''):
        """(exit status, what was said, reasons that were accepted)"""
        accepted = os.path.join(self.folder, 'accepted')
        environment = {name: value for name, value in os.environ.items() if name != 'OUTDATED'}
        done = run(sys.executable, os.path.join(self.folder, 'pins.py'), *options, '--accepted', accepted,
                   '--unknown', self.file('unknown', unknown), self.file('listed', versions),
                   env=environment | ({'OUTDATED': reason} if reason else {}))
        try:
            with open(accepted, encoding='utf-8') as file:
                found = json.load(file)
            os.remove(accepted)
        except FileNotFoundError:
            found = None
        return done.returncode, done.stdout, found

    CURRENT = '''curl listed 8.14.1-2+deb13u5
curl listed 8.14.1-2+deb13u4
zlib listed 1:1.3.1-1+deb13u1
curl used 8.14.1-2+deb13u5
zlib used 1:1.3.1-1+deb13u1
'''
    NEWER = CURRENT + 'curl listed 8.14.1-2+deb13u10\n'

    @pytest.mark.promise('Package', '`make package` fails if a library is outdated, unless a reason is given')
    def test_current_pins_pass(self):
        self.assertEqual(self.judge(self.CURRENT), (0, '', {}))
        self.assertEqual(self.judge(self.CURRENT, '--strict')[0], 0)

    @pytest.mark.promise('Package', '`make package` fails if a library is outdated, unless a reason is given')
    def test_a_newer_release_fails(self):
        """As Debian compares versions: u10 is newer than u5, and ~ sorts before all."""
        code, said, accepted = self.judge(self.NEWER)
        self.assertEqual((code, accepted), (1, None))
        self.assertIn('OUTDATED curl 8.14.1-2+deb13u5 is outdated: trixie has 8.14.1-2+deb13u10', said)
        self.assertIn('package/versions', said)
        self.assertEqual(self.judge(self.CURRENT + 'zlib listed 1:1.3.1-1+deb13u1~bpo1\n')[0], 0)
        self.assertEqual(self.judge(self.CURRENT + 'zlib listed 2:1.0-1\n')[0], 1)

    @pytest.mark.promise('Package', '`make package` fails if a library is outdated, unless a reason is given')
    def test_a_reason_is_recorded(self):
        code, said, accepted = self.judge(self.NEWER, reason='u10 does not build;\n see the issue')
        self.assertEqual((code, list(accepted)), (0, ['curl']))
        self.assertIn('8.14.1-2+deb13u10: u10 does not build; see the issue', accepted['curl'])
        self.assertIn('WARNING curl', said)
        self.assertEqual(self.judge(self.NEWER, '--strict', reason='x')[0], 1)
        self.assertEqual(self.judge(self.NEWER, reason='  ')[0], 1)

    def test_a_version_in_place_of_the_pin(self):
        """package/instead speaks for exactly one pin and one version; it never speaks for an outdated pin."""
        used = self.CURRENT.replace('curl used 8.14.1-2+deb13u5', 'curl used 8.14.1-2+deb13u4')
        self.assertEqual(self.judge(used)[0], 1)
        self.file('instead', 'curl 8.14.1-2+deb13u5 8.14.1-2+deb13u4 the mirror lacks it\n')
        code, said, accepted = self.judge(used)
        self.assertEqual((code, list(accepted)), (0, ['curl']), said)
        self.assertIn('the mirror lacks it', accepted['curl'])
        self.assertEqual(self.judge(used.replace('used 8.14.1-2+deb13u4', 'used 8.14.1-2+deb13u3'))[0], 1)
        self.assertEqual(self.judge(used + 'curl listed 8.14.1-2+deb13u6\n')[0], 1)

    def test_lists_that_cannot_be_had_are_no_good_news(self):
        code, said, _ = self.judge(self.CURRENT, unknown='trixie\n')
        self.assertEqual(code, 1)
        self.assertIn('lists of trixie and trixie-security cannot be had', said)
        self.assertEqual(self.judge(self.CURRENT, unknown='trixie\n', reason='no network')[0], 0)
        self.assertEqual(self.judge('curl listed 8.14.1-2+deb13u5\n')[0], 1)

    def test_a_suite_without_support_fails(self):
        self.file('versions', PINS.replace('zlib      trixie', 'zlib      bookworm'))
        code, said, _ = self.judge(self.CURRENT)
        self.assertEqual(code, 1)
        self.assertIn('zlib comes from bookworm, which has no regular security support', said)

    def test_our_own_pins_are_of_supported_suites(self):
        for name, suite, version, *_ in pins.rows('versions', 5):
            self.assertIn(suite, pins.SUPPORTED_UNTIL, name)
            self.assertRegex(version, r'^[0-9:A-Za-z.+~-]+$')
        names = {row[0]: row[2] for row in pins.rows('versions', 5)}
        for package, pinned, version, reason in pins.rows('instead', 4):
            self.assertEqual(pinned, names.get(package), f'package/instead has an old row for {package}')
            self.assertTrue(pins.newer(pinned, version) and reason)


class Sbom(Folder):
    """package/notices.py on a made-up stage."""

    @pytest.mark.promise('Package', 'The SBOM names the distribution of each library, and why one is outdated')
    def test_each_library_names_its_distribution(self):
        stage, app = os.path.join(self.folder, 'stage'), os.path.join(self.folder, 'app')
        names = [row.split()[0] for row in open(os.path.join(TOP, 'package/versions'), encoding='ascii')
                 if row.strip() and not row.startswith('#')]
        for name in names:
            self.file(f'stage/built/{name}', f'recipe 1.2+x-3 {"0" * 64}\n')
            self.file(f'stage/licenses/{name}.txt', 'as is\n')
        self.file('stage/accepted', json.dumps({'curl': 'there is a newer one: the mirror lacks it'}))
        self.file('app/bin/defender_alerts', 'program')
        self.file('app/appserver/static/dashboard.js', 'the page')
        inside = self.file('packages.json', json.dumps({'packages': [
            {'name': '@splunk/x', 'version': '1.2.3', 'license': 'MIT', 'home': 'https://x.example', 'text': ''}]}))
        done = run(sys.executable, os.path.join(TOP, 'package/notices.py'), stage, app, '1.2.3', 'x86_64', '12', inside,
                   env={**os.environ, 'SOURCE_DATE_EPOCH': '0'})
        self.assertEqual(done.returncode, 0, done.stdout)
        with open(os.path.join(app, 'sbom.spdx.json'), encoding='utf-8') as file:
            found = {each['name']: each for each in json.load(file)['packages']}
        for part in notices.parts(stage):
            self.assertEqual([each['referenceLocator'] for each in found[part.name]['externalRefs']],
                             [f'pkg:deb/debian/{part.name}@1.2%2Bx-3?arch=source&distro=trixie'])
        self.assertIn('the mirror lacks it', found['curl']['comment'])
        self.assertNotIn('comment', found['zlib'])
        self.assertEqual([each['referenceLocator'] for each in found['@splunk/x']['externalRefs']],
                         ['pkg:npm/%40splunk/x@1.2.3'])
        with open(os.path.join(app, 'THIRD-PARTY.md'), encoding='utf-8') as file:
            self.assertIn('the mirror lacks it', file.read())


class Signature(Folder):
    """package/checksums in a made-up tree, with keys that are thrown away."""

    def setUp(self):
        super().setUp()
        self.tree = os.path.join(self.folder, 'tree')
        for name in ('common.sh', 'checksums'):
            os.makedirs(os.path.join(self.tree, 'package'), exist_ok=True)
            shutil.copy(os.path.join(TOP, 'package', name), os.path.join(self.tree, 'package'))
        self.file('tree/VERSION', '1.2.3\n')
        self.package = self.file('tree/build/TA-defender-mssp-1.2.3-linux_x86_64.spl', 'a package')
        self.file('tree/build/TA-defender-mssp-1.2.2-linux_x86_64.spl', 'an older one')
        self.sums = os.path.join(self.tree, 'build/SHA256SUMS')
        self.key, self.public = self.new_key('release')

    def new_key(self, name):
        """As CONTRIBUTING.md tells the maintainers to make one."""
        key, public = os.path.join(self.folder, f'{name}.key'), os.path.join(self.folder, f'{name}.pem')
        run('openssl', 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key)
        run('openssl', 'pkey', '-in', key, '-pubout', '-out', public)
        return key, public

    def checksums(self, key=None):
        environment = {name: value for name, value in os.environ.items() if name != 'SIGNING_KEY'}
        return run(os.path.join(self.tree, 'package/checksums'),
                   env=environment | ({'SIGNING_KEY': key} if key else {}))

    def verify(self, public):
        """As SECURITY.md tells users to."""
        return run('openssl', 'dgst', '-sha256', '-verify', public, '-signature', self.sums + '.sig',
                   self.sums).returncode

    @pytest.mark.promise('Package', 'A package has a checksum, and the checksums a signature')
    def test_signed_and_verified(self):
        shutil.copy(self.public, os.path.join(self.tree, 'package/release-key.pem'))
        done = self.checksums(self.key)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.verify(self.public), 0)
        with open(self.sums, encoding='ascii') as file:
            self.assertEqual([line.split()[1] for line in file], [os.path.basename(self.package)])
        command = ('sha256sum', '--check', '--strict', 'SHA256SUMS')
        self.assertEqual(run(*command, cwd=os.path.dirname(self.sums)).returncode, 0)
        with open(self.package, 'a', encoding='ascii') as file:
            file.write('!')
        self.assertNotEqual(run(*command, cwd=os.path.dirname(self.sums)).returncode, 0)
        self.assertNotEqual(self.verify(self.new_key('other')[1]), 0)
        with open(self.sums, 'a', encoding='ascii') as file:
            file.write('\n')
        self.assertNotEqual(self.verify(self.public), 0)

    def test_without_a_key_there_is_no_signature(self):
        self.checksums(self.key)
        self.assertTrue(os.path.exists(self.sums + '.sig'))
        self.assertEqual(self.checksums().returncode, 0)
        self.assertFalse(os.path.exists(self.sums + '.sig'), 'an old signature is left')

    def test_keys_that_are_refused(self):
        shutil.copy(self.public, os.path.join(self.tree, 'package/release-key.pem'))
        inside = os.path.join(self.tree, 'release.key')
        shutil.copy(self.key, inside)
        for key, why in ((inside, 'inside of the repository'), (self.new_key('other')[0], 'does not fit'),
                         ('/no/such/key', 'cannot be read')):
            with self.subTest(why):
                done = self.checksums(key)
                self.assertEqual(done.returncode, 1)
                self.assertIn(why, done.stdout)
                self.assertFalse(os.path.exists(self.sums + '.sig'))


if __name__ == '__main__':
    outcome = unittest.main(exit=False).result
    failed = len(outcome.failures) + len(outcome.errors)
    print(f'{outcome.testsRun - failed} passed, {failed} failed')
    sys.exit(1 if failed else 0)
