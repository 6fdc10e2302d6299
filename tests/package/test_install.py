#!/usr/bin/env python3
"""package/install and package/uninstall on a make-believe SPLUNK_HOME: first install, upgrade, removal, and what they
refuse.

Needs no release build: the packages are made here."""
import io
import os
import stat
import subprocess
import sys
import tarfile
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
APP_ID = 'TA-defender-mssp'


class Install(unittest.TestCase):
    """One SPLUNK_HOME a test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='install test ')      # a path with spaces is a path too
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.home = os.path.join(self.folder, 'splunk')
        self.app = os.path.join(self.home, 'etc/apps', APP_ID)
        self.checkpoint = self.write('var/lib/splunk/modinputs/defender_alerts/contoso.json', '{"version": 1}')
        os.makedirs(os.path.join(self.home, 'etc/apps/search'))

    def write(self, path, text, mode=0o600):
        full = os.path.join(self.home, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(full, mode)
        return full

    @staticmethod
    def read(path):
        with open(path, encoding='utf-8') as file:
            return file.read()

    def package(self, version, **more):
        """A .spl with this version and more files."""
        path = os.path.join(self.folder, f'{APP_ID}-{version}.spl')
        files = {'default/app.conf': f'[id]\nversion = {version}\n', 'bin/defender_alerts': f'program {version}',
                 'metadata/default.meta': '[]\n', **more}
        with tarfile.open(path, 'w:gz') as archive:
            for name, text in files.items():
                member = tarfile.TarInfo(f'{APP_ID}/{name}')
                member.size, member.mode = len(text), 0o755 if name.startswith('bin/') else 0o644
                archive.addfile(member, io.BytesIO(text.encode()))
        return path

    def run_script(self, name, *arguments, fails=False):
        done = subprocess.run([os.path.join(TOP, 'package', name), *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, env={**os.environ, 'ARCH': 'x86_64'})
        said = done.stdout.decode()
        self.assertEqual(done.returncode != 0, fails, said)
        return said

    def install(self, package, **how):
        return self.run_script('install', self.home, package, **how)

    def test_first_install(self):
        said = self.install(self.package('1.0.0'))
        self.assertIn('restart', said)
        self.assertEqual(self.read(self.app + '/bin/defender_alerts'), 'program 1.0.0')
        self.assertEqual(stat.S_IMODE(os.stat(self.app + '/bin/defender_alerts').st_mode), 0o755)
        self.assertEqual(os.listdir(os.path.join(self.home, 'etc')), ['apps'])

    def test_upgrade_keeps_what_is_the_administrators(self):
        self.install(self.package('1.0.0', **{'default/gone.conf': '[x]\n', 'lookups/ours.csv': 'old\n'}))
        inputs = self.write(f'etc/apps/{APP_ID}/local/inputs.conf', '[defender_alerts://contoso]\n')
        secrets = self.write(f'etc/apps/{APP_ID}/local/passwords.conf', '[credential:x:y:]\n', 0o600)
        meta = self.write(f'etc/apps/{APP_ID}/metadata/local.meta', '[inputs]\n')
        theirs = self.write(f'etc/apps/{APP_ID}/lookups/theirs.csv', 'theirs\n')
        self.install(self.package('1.1.0', **{'lookups/ours.csv': 'new\n'}))

        self.assertEqual(self.read(self.app + '/bin/defender_alerts'), 'program 1.1.0')
        self.assertFalse(os.path.exists(self.app + '/default/gone.conf'), 'a file of the old version is left')
        self.assertEqual(self.read(self.app + '/lookups/ours.csv'), 'new\n')
        self.assertEqual(self.read(theirs), 'theirs\n')
        self.assertEqual(self.read(inputs), '[defender_alerts://contoso]\n')
        self.assertEqual(stat.S_IMODE(os.stat(secrets).st_mode), 0o600)
        self.assertEqual(self.read(meta), '[inputs]\n')
        self.assertEqual(self.read(self.checkpoint), '{"version": 1}')
        self.assertEqual(os.listdir(os.path.join(self.home, 'etc')), ['apps'])

    def test_a_running_program_is_replaced_not_written_over(self):
        """Its old file lives on under no name: no ETXTBSY, no crash of a process in the middle of its work."""
        self.install(self.package('1.0.0'))
        with open(self.app + '/bin/defender_alerts', encoding='utf-8') as running:
            self.install(self.package('1.1.0'))
            self.assertEqual(running.read(), 'program 1.0.0')

    @unittest.skipIf(os.getuid(), 'only root gives files away')
    def test_files_belong_to_splunks_user(self):
        os.chown(os.path.join(self.home, 'etc/apps'), 12345, 12346)
        self.install(self.package('1.0.0'))
        for path in (self.app, self.app + '/bin/defender_alerts', self.app + '/default'):
            self.assertEqual((os.stat(path).st_uid, os.stat(path).st_gid), (12345, 12346), path)

    def test_an_install_that_was_cut_off_is_mended_by_the_next(self):
        self.install(self.package('1.0.0'))
        inputs = self.write(f'etc/apps/{APP_ID}/local/inputs.conf', 'mine\n')
        os.rename(self.app, os.path.join(self.home, f'etc/.{APP_ID}.old'))
        self.install(self.package('1.1.0'))
        self.assertEqual((self.read(inputs), self.read(self.app + '/bin/defender_alerts')), ('mine\n', 'program 1.1.0'))

    def test_a_broken_package_changes_nothing(self):
        self.install(self.package('1.0.0'))
        package = self.package('1.1.0')
        with open(package, 'r+b') as file:
            file.truncate(100)
        self.install(package, fails=True)
        other = os.path.join(self.folder, 'other.spl')
        with tarfile.open(other, 'w:gz') as archive:
            archive.addfile(tarfile.TarInfo('other/default/app.conf'))
        self.assertIn('not a package', self.install(other, fails=True))
        self.assertEqual(self.read(self.app + '/bin/defender_alerts'), 'program 1.0.0')
        self.assertEqual(os.listdir(os.path.join(self.home, 'etc')), ['apps'])

    def test_no_splunk_there(self):
        package = self.package('1.0.0')
        self.assertIn('no etc/apps', self.run_script('install', os.path.join(self.folder, 'nowhere'), package,
                                                     fails=True))
        self.assertIn('which Splunk', self.run_script('install', '', package, fails=True))
        self.assertIn('which Splunk', self.run_script('uninstall', fails=True))
        self.assertIn('not installed', self.run_script('uninstall', self.home, fails=True))

    def test_uninstall_keeps_place_and_settings_and_a_later_install_finds_the_place(self):
        self.install(self.package('1.0.0'))
        self.write(f'etc/apps/{APP_ID}/local/inputs.conf', 'mine\n')
        self.write(f'etc/apps/{APP_ID}/metadata/local.meta', '[]\n')
        said = self.run_script('uninstall', self.home)
        self.assertFalse(os.path.exists(self.app))
        self.assertTrue(os.path.exists(self.checkpoint))
        kept = os.path.join(self.home, f'etc/{APP_ID}-local.tgz')
        self.assertIn(kept, said)
        self.assertEqual(stat.S_IMODE(os.stat(kept).st_mode), 0o600)
        with tarfile.open(kept) as archive:
            self.assertLessEqual({f'{APP_ID}/local/inputs.conf', f'{APP_ID}/metadata/local.meta'},
                                 set(archive.getnames()))

    def test_purge_leaves_nothing(self):
        self.install(self.package('1.0.0'))
        self.write(f'etc/apps/{APP_ID}/local/inputs.conf', 'mine\n')
        self.run_script('uninstall', self.home, '--purge')
        self.assertFalse(os.path.exists(self.app))
        self.assertFalse(os.path.exists(os.path.dirname(self.checkpoint)))
        self.assertEqual(os.listdir(os.path.join(self.home, 'etc')), ['apps'])


if __name__ == '__main__':
    outcome = unittest.main(exit=False).result
    failed = len(outcome.failures) + len(outcome.errors)
    print(f'{outcome.testsRun - failed} passed, {failed} failed')
    sys.exit(1 if failed else 0)
