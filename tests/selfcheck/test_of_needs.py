"""tools/missing and tools/install-deps: what a machine lacks is named, and nothing that it gets runs or is enabled."""
import os
import shutil

import plant
import pytest

LIBRARIES = ('libcurl', 'libcjson', 'libxml-2.0', 'openssl', 'zlib')
PACKAGES = {'libcurl': 'libcurl4-openssl-dev', 'libcjson': 'libcjson-dev', 'libxml-2.0': 'libxml2-dev',
            'openssl': 'libssl-dev', 'zlib': 'zlib1g-dev'}
DENIES = '#!/bin/sh\ncase "$*" in *{}*) exit 1;; esac\nexec pkg-config "$@"\n'


def missing(cc='gcc', pkg_config='pkg-config', **how):
    """(exit status, what it said)."""
    return plant.run('tools/missing', cc, pkg_config, *LIBRARIES, **how)


def test_nothing_is_missing():
    assert missing() == (0, '')


@pytest.mark.parametrize('library', LIBRARIES)
def test_a_library(tmp_path, library):
    """One that pkg-config does not know."""
    fake = plant.write(tmp_path, 'pkg-config', DENIES.format(library), 0o755)
    code, said = missing(pkg_config=fake)
    assert code == 1 and f'for pkg-config: {library}\n' in said
    assert plant.last_line(said).endswith(f'apt-get install -y {PACKAGES[library]}'), said


def test_all_at_once(tmp_path):
    """One command installs them all."""
    code, said = missing(pkg_config=plant.write(tmp_path, 'pkg-config', '#!/bin/sh\nexit 1\n', 0o755))
    assert code == 1 and plant.last_line(said).endswith(' '.join(PACKAGES.values())), said


def test_a_header(tmp_path):
    """pkg-config knows the library, but the compiler does not find its header."""
    gcc = plant.write(tmp_path, 'gcc', '#!/bin/sh\ncode=$(cat)\ncase $code in *cJSON.h*) exit 1;; esac\n'
                                       'echo "$code" | exec gcc "$@"\n', 0o755)
    code, said = missing(cc=gcc)
    assert code == 1 and 'cJSON, the header <cjson/cJSON.h>' in said and said.endswith('-y libcjson-dev\n'), said


@pytest.mark.parametrize('cc, wanted', [('no-such-cc', 'the C compiler (no-such-cc)'),
                                        ('ccache-of-nobody gcc', 'the C compiler (ccache-of-nobody gcc)'),
                                        ('false', 'the C library')])
def test_the_compiler(cc, wanted):
    """Without it nothing can be said about headers."""
    code, said = missing(cc=cc)
    assert code == 1 and wanted in said and plant.last_line(said).endswith('apt-get install -y gcc libc6-dev'), said


def test_pkg_config():
    code, said = missing(pkg_config='no-such-pkg-config')
    assert code == 1 and 'pkg-config (no-such-pkg-config)' in said and ' pkgconf' in plant.last_line(said)


@pytest.mark.parametrize('tool, wanted', [('dnf', 'dnf install -y libcurl-devel'), (None, 'Debian calls the packages')])
def test_other_systems(tmp_path, tool, wanted):
    """A PATH without apt-get."""
    for name in ('sh', 'cat', 'grep', 'sed', 'id', 'gcc', 'ld', 'as'):
        os.symlink(shutil.which(name, path='/usr/bin:/bin'), tmp_path / name)      # not that of ccache
    if tool:
        plant.write(tmp_path, tool, '#!/bin/sh\n', 0o755)
    fake = plant.write(tmp_path, 'pkg-config', '#!/bin/sh\nexit 1\n', 0o755)
    code, said = missing(pkg_config=fake, PATH=str(tmp_path))
    assert code == 1 and wanted in plant.last_line(said), said


def test_make_says_so(tmp_path):
    """Before any compiler error; the flags are not taken for good, so the next run says it again."""
    fake = plant.write(tmp_path, 'pkg-config', DENIES.format('libcjson'), 0o755)
    for _ in range(2):
        code, said = plant.run('make', f'PKG_CONFIG={fake}', f'OUT={tmp_path}/out', f'PROGRAM={tmp_path}/program')
        assert code == 2 and 'libcjson-dev' in said and 'error:' not in said, said


# --- install-deps ---------------------------------------------------------------------------------------------------

APT = '''#!/bin/sh
echo "apt-get $*" >>"$DEPS_ROOT/log"
[ "$1" = install ] || exit 0
"$DEPS_ROOT/usr/sbin/policy-rc.d" squid start; echo "start: $?" >>"$DEPS_ROOT/log"
"$DEPS_ROOT/usr/sbin/policy-rc.d" cron restart; echo "restart: $?" >>"$DEPS_ROOT/log"
touch "$DEPS_ROOT/etc/systemd/system/multi-user.target.wants/squid.service" "$DEPS_ROOT/etc/rc3.d/S01squid"
exit ${APT_FAILS:-0}
'''
TOOLS = {'dpkg-query': 'exit 1', 'id': 'echo 0', 'apt-get': None,
         'deb-systemd-helper': 'rm "$DEPS_ROOT/etc/systemd/system/multi-user.target.wants/$2"',
         'update-rc.d': 'mv "$DEPS_ROOT/etc/rc3.d/S01$1" "$DEPS_ROOT/etc/rc3.d/K01$1"'}
POLICY = 'usr/sbin/policy-rc.d'


@pytest.fixture(name='machine')
def _machine(tmp_path):
    """A root of a file system on which a service is enabled, and tools that act on it."""
    for name in ('etc/systemd/system/multi-user.target.wants/cron.service', 'etc/rc3.d/S01cron', 'usr/sbin/x'):
        plant.write(tmp_path, name, '')
    for name, script in TOOLS.items():
        plant.write(tmp_path, f'bin/{name}', APT if script is None else f'#!/bin/sh\n{script}\n', 0o755)
    return tmp_path


def install(machine, **environment):
    """(exit status, what it said)."""
    return plant.run('tools/install-deps', 'tools', DEPS_ROOT=str(machine), **environment,
                     PATH=f'{machine}/bin:{os.environ["PATH"]}')


def links(machine):
    """What is enabled, and what was disabled."""
    return sorted(name for folder in ('etc/systemd/system/multi-user.target.wants', 'etc/rc3.d')
                  for name in os.listdir(machine / folder))


def test_no_service_is_started_or_stays_enabled(machine):
    """What was enabled before stays so."""
    code, said = install(machine)
    assert (code, said) == (0, 'installing: python3 python3-venv libmagic1\n')
    assert links(machine) == ['K01squid', 'S01cron', 'cron.service']
    assert plant.read(machine, 'log').splitlines()[2:] == ['start: 101', 'restart: 0']
    assert not os.path.exists(machine / POLICY)


@pytest.mark.parametrize('old', ('#!/bin/sh\nexit 0\n', None), ids=('of the machine', 'of a run that was killed'))
def test_a_policy_that_is_there(machine, old):
    """The machine's own comes back; one that an earlier run could not remove goes."""
    plant.write(machine, POLICY, old or '#!/bin/sh\n# tools/install-deps removes this file.\nexit 101\n', 0o755)
    assert install(machine)[0] == 0
    assert os.path.exists(machine / POLICY) == bool(old) and not os.path.exists(machine / (POLICY + '.kept'))
    assert not old or plant.read(machine, POLICY) == old


def test_an_installation_that_fails(machine):
    """Everything is put back all the same, and the exit status says so."""
    assert install(machine, APT_FAILS='100')[0] == 100
    assert links(machine) == ['K01squid', 'S01cron', 'cron.service'] and not os.path.exists(machine / POLICY)


def test_a_service_that_cannot_be_disabled(machine):
    """It is named; the installation is good all the same."""
    plant.write(machine, 'bin/update-rc.d', '#!/bin/sh\nexit 1\n', 0o755)
    code, said = install(machine)
    assert code == 0 and plant.last_line(said) == 'install-deps: the service squid stays enabled', said
