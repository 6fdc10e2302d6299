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

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
APP_ID = 'TA-defender-mssp'


class Install(unittest.TestCase):
    """One SPLUNK_HOME a test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='install test ')      # a path with spaces is a path too
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.chmod(self.folder, 0o755)
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


SPLUNK, GROUP, OTHER = 12345, 12346, 12347


@unittest.skipIf(os.getuid(), 'only root can be led astray')
class ByRoot(Install):
    """Splunk runs as a user without rights, and root installs: nothing that this user planted reaches files of root.

    The tests above are repeated for it."""

    def setUp(self):
        super().setUp()
        self.private = os.path.join(self.folder, 'private')
        os.makedirs(os.path.join(self.private, 'apps', APP_ID))
        os.makedirs(os.path.join(self.private, 'defender_alerts'))
        os.chmod(self.private, 0o700)
        self.victim = os.path.join(self.private, 'shadow')
        with open(self.victim, 'w', encoding='utf-8') as file:
            file.write('root only')
        os.chmod(self.victim, 0o600)
        self.give_away()

    def give_away(self, user=SPLUNK, group=GROUP):
        """The whole of SPLUNK_HOME belongs to Splunk's user."""
        for folder, _, files in os.walk(self.home):
            for path in (folder, *(os.path.join(folder, name) for name in files)):
                os.lchown(path, user, group)

    def write(self, path, text, mode=0o600):
        full = super().write(path, text, mode)
        self.give_away()
        return full

    def plant(self, target, path, link=os.symlink):
        """Splunk's user puts a link there."""
        full = os.path.join(self.home, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        self.give_away()
        if os.path.lexists(full):
            os.rename(full, full + '.away')
        link(target, full)
        if link is os.symlink:
            os.lchown(full, SPLUNK, GROUP)

    def run_script(self, name, *arguments, fails=False):
        """fails=None: either; what counts is what became of root's files."""
        done = subprocess.run([os.path.join(TOP, 'package', name), *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, env={**os.environ, 'ARCH': 'x86_64'})
        said = done.stdout.decode()
        if fails is not None:
            self.assertEqual(done.returncode != 0, fails, said)
        self.untouched(said)
        return said

    def untouched(self, said):
        """Root's files are as they were, and the text of one is nowhere that Splunk's user can read it."""
        seen = os.stat(self.victim)
        self.assertEqual((seen.st_uid, seen.st_gid, stat.S_IMODE(seen.st_mode)), (0, 0, 0o600), said)
        self.assertEqual((os.stat(self.private).st_uid, self.read(self.victim)), (0, 'root only'), said)
        self.assertEqual(sorted(os.listdir(self.private)), ['apps', 'defender_alerts', 'shadow'], said)
        self.assertEqual(os.listdir(os.path.join(self.private, 'apps')), [APP_ID], said)
        for folder, _, files in os.walk(self.home):
            for path in (os.path.join(folder, name) for name in files):
                if not os.path.islink(path) and os.stat(path).st_nlink == 1:
                    with open(path, 'rb') as file:
                        self.assertNotIn(b'root only', file.read(), path)

    @pytest.mark.promise('Package', "`make install` and `make uninstall` by root work with the rights of Splunk's user")
    def test_files_belong_to_splunks_user(self):
        package = self.package('1.0.0')
        os.chmod(package, 0o600)
        self.install(package)
        for folder, _, files in os.walk(self.app):
            for path in (folder, *(os.path.join(folder, name) for name in files)):
                self.assertEqual((os.stat(path).st_uid, os.stat(path).st_gid), (SPLUNK, GROUP), path)

    @pytest.mark.promise('Package', "`make install` and `make uninstall` by root work with the rights of Splunk's user")
    def test_uninstall_follows_no_link(self):
        kept = os.path.join(self.home, f'etc/{APP_ID}-local.tgz')
        for how in (os.symlink, os.link):
            with self.subTest(how.__name__):
                self.install(self.package('1.0.0'))
                self.write(f'etc/apps/{APP_ID}/local/inputs.conf', 'mine\n')
                self.plant(self.victim, f'etc/{APP_ID}-local.tgz', how)
                self.run_script('uninstall', self.home)
                self.assertEqual((os.lstat(kept).st_uid, os.path.islink(kept)), (SPLUNK, False))
                os.remove(kept)

    @pytest.mark.promise('Package', "`make install` and `make uninstall` by root work with the rights of Splunk's user")
    def test_folders_that_are_links(self):
        """Each folder on the way, one at a time, for both scripts."""
        app = f'etc/apps/{APP_ID}'
        for folder in ('etc', 'etc/apps', app, f'{app}/local', f'{app}/lookups', f'{app}/metadata', f'{app}/bin',
                       f'etc/.{APP_ID}.new', f'etc/.{APP_ID}.old', 'var', 'var/lib/splunk/modinputs',
                       'var/lib/splunk/modinputs/defender_alerts'):
            for script in ('install', 'uninstall', 'uninstall --purge'):
                with self.subTest(folder, script=script):
                    self.doCleanups()
                    self.setUp()
                    package = self.package('1.0.0')
                    self.install(package)
                    self.plant(self.private, folder)
                    name, *options = script.split()
                    self.run_script(name, self.home, *([package] if name == 'install' else options), fails=None)

    @pytest.mark.promise('Package', "`make install` and `make uninstall` by root work with the rights of Splunk's user")
    def test_files_that_are_links(self):
        """Lookups and local settings that name a file of root's: it is not copied."""
        app = f'etc/apps/{APP_ID}'
        for path in (f'{app}/lookups/x.csv', f'{app}/local/inputs.conf', f'{app}/metadata/local.meta'):
            with self.subTest(path):
                self.install(self.package('1.0.0'))
                self.plant(self.victim, path)
                self.install(self.package('1.1.0'), fails=None)

    def test_a_home_that_others_can_change_is_refused(self):
        package = self.package('1.0.0')
        for mode, said in ((0o777, 'can change'), (0o1777, 'everybody can write')):
            os.chmod(self.home, mode)
            self.assertIn(said, self.install(package, fails=True))
        os.chmod(self.home, 0o755)
        os.chown(self.folder, OTHER, OTHER)
        self.assertIn(f'others than {SPLUNK} can change', self.install(package, fails=True))
        os.chown(self.folder, 0, 0)
        os.chmod(self.folder, 0o777)
        self.assertIn(f'others than {SPLUNK} can change', self.install(package, fails=True))
        os.chmod(self.folder, 0o1777)
        self.install(package)

    def test_a_link_to_the_home(self):
        """One of root's is followed; one that another user can change is refused."""
        place = os.path.join(self.folder, 'links')
        link = os.path.join(place, 'splunk')
        os.mkdir(place)
        os.symlink(self.home, link)
        package = self.package('1.0.0')
        self.run_script('install', link, package)
        os.chown(place, OTHER, OTHER)
        self.assertIn('can change', self.run_script('install', link, package, fails=True))
        os.chown(place, 0, 0)
        os.lchown(link, OTHER, OTHER)
        self.assertIn('can change', self.run_script('install', link, package, fails=True))

    def test_a_home_of_root_with_folders_of_others_is_refused(self):
        package = self.package('1.0.0')
        self.give_away(0, 0)
        for folder in ('etc', 'etc/apps'):
            path = os.path.join(self.home, folder)
            for owner, mode in ((SPLUNK, 0o755), (0, 0o1777), (0, 0o775)):
                with self.subTest(folder, owner=owner, mode=mode):
                    os.chown(path, owner, owner)
                    os.chmod(path, mode)
                    self.assertIn('others can change', self.install(package, fails=True))
            os.chown(path, 0, 0)
            os.chmod(path, 0o755)
        self.install(package)
        modinputs = os.path.join(self.home, 'var/lib/splunk/modinputs')
        os.chown(modinputs, SPLUNK, GROUP)
        self.assertIn('others can change', self.run_script('uninstall', self.home, '--purge', fails=True))
        os.chown(modinputs, 0, 0)
        os.chown(self.app + '/bin/defender_alerts', SPLUNK, GROUP)
        self.assertIn('others can change', self.run_script('uninstall', self.home, fails=True))
        self.assertTrue(os.path.exists(self.app))

    def test_files_of_root_among_splunks_are_named(self):
        self.install(self.package('1.0.0'))
        inputs = self.write(f'etc/apps/{APP_ID}/local/inputs.conf', 'mine\n')
        package = self.package('1.1.0')
        os.chown(inputs, 0, 0)
        for script in (('install', self.home, package), ('uninstall', self.home)):
            self.assertIn(f"'{inputs}' does not belong to the owner", self.run_script(*script, fails=True))
        self.assertEqual(self.read(self.app + '/bin/defender_alerts'), 'program 1.0.0')

    def test_the_work_has_no_rights_of_root(self):
        """Seen from inside: user, groups, capabilities, environment and session."""
        seen = os.path.join(self.folder, 'seen')
        os.mkdir(seen)
        os.chmod(seen, 0o777)
        script = f"""set -eu; cd '{TOP}/package'; . ./common.sh; . ./as-owner; APP_ID=x TOUCHED=()
            work() {{ cat /proc/self/status /proc/self/environ >"$2/status"; cat /proc/self/stat >"$2/stat"; }}
            as_owner work "$1" "$2" """
        subprocess.run(['bash', '-c', script, f'{TOP}/package/test', self.home, seen], check=True,
                       env={**os.environ, 'ROOTS_SECRET': 'x'})
        text = self.read(os.path.join(seen, 'status'))
        self.assertRegex(text, rf'Uid:(\t{SPLUNK}){{4}}\nGid:(\t{GROUP}){{4}}\n')
        self.assertRegex(text, r'Groups:\s*\n')
        self.assertRegex(text, r'CapInh:\t0+\nCapPrm:\t0+\nCapEff:\t0+\n')
        self.assertRegex(text, r'NoNewPrivs:\t1')
        self.assertNotIn('ROOTS_SECRET', text)
        self.assertNotEqual(int(self.read(os.path.join(seen, 'stat')).split()[5]), os.getsid(0))


if __name__ == '__main__':
    outcome = unittest.main(exit=False).result
    failed = len(outcome.failures) + len(outcome.errors)
    print(f'{outcome.testsRun - failed} passed, {failed} failed')
    sys.exit(1 if failed else 0)
