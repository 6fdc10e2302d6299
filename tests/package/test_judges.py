"""Splunk's own tools on the packages of this tree, and that mistakes in a package are noticed."""
import os
import shutil
import subprocess
import sys
import tarfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import app_rules  # noqa: E402
import judges  # noqa: E402

APP = app_rules.APP_ID
BOTH = ('search-head', 'plain')


@pytest.fixture(scope='module', name='packages')
def _packages():
    """{part: path}, newly made."""
    found = {}
    for part in BOTH:
        done = subprocess.run([os.path.join(judges.TOP, 'package/make-package'), part], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        assert done.returncode == 0, done.stdout
        found[part] = os.path.join(judges.TOP, done.stdout.split()[-3])
    return found


@pytest.mark.promise('Package', "Splunk's AppInspect, slim and ksconf find no error or failure in any package")
@pytest.mark.parametrize('part', BOTH)
def test_packages(packages, part):
    """Nothing but the warnings that are listed."""
    listed = judges.accepted(judges.has_program(packages[part]))
    assert list(judges.complaints(judges.findings(packages[part]), listed)) == []


def of_page(name):
    """Is it of the customers page, which is in a plain package only if it was built (make page)?"""
    return name.startswith('appserver/') or 'defender_mssp_manage' in name or name == 'LICENSES/customers-page.txt'


@pytest.mark.promise('Package', 'The package for search heads has nothing that could start an input')
def test_search_head(packages):
    """No program, no input, no spec, no inputs page, nothing for the state that a program writes; all else is there."""
    apps = {part: app_rules.App.from_package(path) for part, path in packages.items()}
    missing = {name for name in set(apps['plain'].files) - set(apps['search-head'].files) if not of_page(name)}
    assert missing == {'bin/defender_alerts', 'default/inputs.conf', 'default/authorize.conf', 'default/web.conf',
                       'default/collections.conf', 'default/transforms.conf', 'README/inputs.conf.spec',
                       'default/data/ui/manager/defender_alerts.xml'}
    assert not set(apps['search-head'].files) - set(apps['plain'].files)
    assert [name for name, (data, mode) in apps['search-head'].files.items()
            if mode & 0o111 or data[:4] == b'\x7fELF'] == []
    assert apps['search-head'].manifest()['targetWorkloads'] == ['_search_heads']
    for app in apps.values():
        assert '_search_head_clustering' in app.manifest()['supportedDeployments']
        # A role that does not exist there may not be named.
        roles = {name[5:] for name in app.conf('authorize') if name.startswith('role_')}
        assert ('defender_mssp_admin' in app.data('metadata/default.meta').decode()) == ('defender_mssp_admin' in roles)


# --- planted mistakes ---

def append(name, text):
    """A mistake: more text at the end of a file, which may be new."""
    def mistake(app):
        path = os.path.join(app, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'a', encoding='utf-8') as file:
            file.write(text)
    return mistake


def change(name, old, new):
    """A mistake: other text in a file."""
    def mistake(app):
        path = os.path.join(app, name)
        with open(path, encoding='utf-8') as file:
            text = file.read()
        assert old in text
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text.replace(old, new, 1))
    return mistake


MISTAKES = {
    'an unknown key in a conf file': change('default/savedsearches.conf', 'counttype', 'alert_type'),
    'a `local/` folder': append('local/app.conf', '[ui]\nis_visible = 0\n'),
    'a stanza for the second time': append('default/macros.conf', '\n[defender_mssp_index]\ndefinition = index=x\n'),
    'another version in the manifest': change('app.manifest', '"version": "', '"version": "9'),
    'a program without its x bit': lambda app: os.chmod(os.path.join(app, 'bin/defender_alerts'), 0o644),
    'a compiled Python file': append('bin/x.pyc', 'x'),
    'a hidden file': append('default/.notes', 'x'),
    'a stanza of the spec without its program':
        append('README/inputs.conf.spec', '\n[defender_other://<name>]\nother = <string>\n'),
    'a secret in a conf file': append('default/inputs.conf', 'client_secret = abc8Q~abcdefghijklmn\n'),
}


@pytest.mark.promise('Package', 'Each mistake in the table of planted mistakes is noticed by what the table names')
@pytest.mark.parametrize('mistake', MISTAKES)
def test_mistakes(packages, mistake, tmp_path):
    """The tools, and what of our own rules none of them sees."""
    with tarfile.open(packages['plain']) as archive:
        archive.extractall(tmp_path)
    MISTAKES[mistake](str(tmp_path / APP))
    package = str(tmp_path / f'{APP}-broken.spl')
    with tarfile.open(package, 'w:gz') as archive:
        archive.add(tmp_path / APP, APP)
    listed = judges.accepted(True)
    noticed = {text.split()[0] for text in judges.complaints(judges.findings(package, (None,)), listed)}
    app = app_rules.App.from_folder(str(tmp_path / APP))
    app.part = 'plain'
    if any(list(check(app)) for check in app_rules.RULES.values()):
        noticed |= {'our rules'}
    row = dict(judges.table('Planted mistakes'))[mistake]
    assert noticed == set(row.split(', '))


def test_the_table_has_all_mistakes():
    """And no other."""
    assert {name for name, _by in judges.table('Planted mistakes')} == set(MISTAKES)


# --- the judge itself ---

def warning(what, tool='slim'):
    """A finding."""
    return judges.Finding(tool, 'warning', what, what)


@pytest.mark.parametrize('found, wanted', [
    ([warning('a'), warning('b')], []),
    ([warning('a')], ['does not warn of this any more']),
    ([warning('a'), warning('b'), warning('c')], ['warns: c']),
    ([warning('a'), warning('a')._replace(text='elsewhere'), warning('b')], ['warns: a']),
    ([warning('a'), warning('b', 'AppInspect')], ['warns: b', 'does not warn of this any more']),
    ([warning('a'), warning('b')._replace(kind='failure')], ['failure: b', 'does not warn of this any more']),
    ([warning('a'), warning('b'), warning('x')._replace(kind='future_failure')], ['future_failure: x']),
    ([warning('a'), warning('b'), warning('x')._replace(kind='error')], ['error: x']),
], ids=str)
def test_complaints(found, wanted):
    """Of two warnings that are listed."""
    listed = judges.collections.Counter({('slim', 'a'): 1, ('slim', 'b'): 1})
    said = list(judges.complaints(found, listed))
    assert len(said) == len(wanted)
    for text, part in zip(said, wanted):
        assert part in text


def test_a_tool_that_is_not_there(packages, monkeypatch, capsys):
    """Is a failure that says what to do, not a pass."""
    monkeypatch.setattr(judges, 'TOOLS', '/nowhere')
    monkeypatch.setattr(sys, 'argv', ['judges.py', packages['plain']])
    assert judges.main() == 1
    assert 'run tools/install-tools splunk' in capsys.readouterr().out


def test_a_tool_that_checks_nothing(packages, monkeypatch, tmp_path):
    """Three tools that say nothing and exit with 0."""
    for name in ('splunk-appinspect', 'slim', 'ksconf'):
        shutil.copy('/bin/true', tmp_path / name)
    monkeypatch.setattr(judges, 'TOOLS', str(tmp_path))
    with pytest.raises(judges.Unusable):
        judges.findings(packages['plain'], (None,))
    found = judges.findings(packages['plain'], ())
    assert {one.tool for one in found if one.kind == 'error'} == {'slim', 'ksconf'}


def test_nothing_to_judge(monkeypatch):
    """No package is no pass."""
    monkeypatch.setattr(sys, 'argv', ['judges.py'])
    assert judges.main() == 1


def test_no_network(tmp_path):
    """One sentence, and a failure."""
    for name in ('tools', 'tools/requirements'):
        os.mkdir(tmp_path / name)
    for name in ('tools/install-tools', 'tools/install-deps', 'tools/requirements/splunk.txt'):
        shutil.copy(os.path.join(judges.TOP, name), tmp_path / name)
    done = subprocess.run([tmp_path / 'tools/install-tools', 'splunk'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False, env={
                              'PATH': os.environ['PATH'], 'PIP_INDEX_URL': 'http://127.0.0.1:9/', 'PIP_RETRIES': '0',
                              'PIP_NO_CACHE_DIR': '1', 'PIP_CONFIG_FILE': os.devnull, 'HOME': str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr.count('\n') == 1 and 'cannot be installed' in done.stderr
    assert not os.path.exists(tmp_path / 'build/tools/splunk')
