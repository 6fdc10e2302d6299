#!/usr/bin/env python3
"""Holds the app against the rules of app_rules.py, and each rule against an app that breaks it.

    test_app_rules.py            the repository: what package/contents names of it
    APP_TREE=PATH test_app_rules.py     an unpacked app or a package (.spl)
"""
import contextlib
import hashlib
import io
import json
import os
import sys
import tarfile
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import app_rules  # noqa: E402
import conf  # noqa: E402
from app_rules import APP_ID, PROGRAM, RULES, App  # noqa: E402

sys.path.insert(0, os.path.join(app_rules.TOP, 'package'))
import icons  # noqa: E402


class AppRules(unittest.TestCase):
    """One test for each rule."""
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.app = App.at(os.environ.get('APP_TREE'))


def _test_of(check):
    def test(self):
        found = sorted(set(check(self.app)))
        self.assertFalse(found, '\n' + '\n'.join(found))
    test.__doc__ = check.__doc__
    return test


for _name, _check in RULES.items():
    setattr(AppRules, f'test_{_name}', _test_of(_check))


def version():
    with open(os.path.join(app_rules.TOP, 'VERSION'), encoding='ascii') as file:
        return file.read().strip()


def good_files():
    """The smallest app that breaks no rule, as name -> (bytes, mode)."""
    libraries = app_rules.libraries()
    packages = [{'SPDXID': f'SPDXRef-{name}', 'name': name, 'versionInfo': '1', 'licenseDeclared': 'MIT'}
                for name in libraries]
    program = b'\x7fELF' + bytes(14) + b'\x3e\0' + bytes(44)
    packages.append({'SPDXID': 'SPDXRef-page', 'name': 'appserver/static/pages/defender_mssp_manage_app.js'})
    packages.append({'SPDXID': 'SPDXRef-program', 'name': PROGRAM, 'checksums': [
        {'algorithm': 'SHA256', 'checksumValue': hashlib.sha256(program).hexdigest()}]})
    relations = [{'spdxElementId': 'SPDXRef-program', 'relationshipType': 'STATIC_LINK',
                  'relatedSpdxElement': package['SPDXID']} for package in packages]
    manifest = {'schemaVersion': '2.0.0', 'targetWorkloads': ['_forwarders'], 'supportedDeployments': ['*'],
                'info': {'title': 'Alerts', 'id': {'group': None, 'name': APP_ID, 'version': version()},
                         'author': [{'name': 'somebody'}], 'description': 'text',
                         'classification': {'categories': ['x']},
                         'license': {'name': 'x', 'text': './LICENSE', 'uri': None}}}
    texts = {
        'default/app.conf': f'''[install]\nis_configured = 0\nstate = enabled\nbuild = 1\n
[ui]\nis_visible = 1\nlabel = Defender alerts\n
[launcher]\nauthor = somebody\ndescription = text\nversion = {version()}\n
[package]\nid = {APP_ID}\ncheck_for_updates = 0\n\n[id]\nname = {APP_ID}\nversion = {version()}\n''',
        'default/inputs.conf': '[defender_alerts]\nstart_by_shell = false\ninterval = 0\n',
        'default/props.conf': '[ms:x]\nTRUNCATE = 0\nSHOULD_LINEMERGE = false\nDATETIME_CONFIG = NONE\nKV_MODE = json\n'
                              'REPORT-x = extract_x\n',
        'default/transforms.conf': '[extract_x]\nREGEX = (x)\n',
        'default/collections.conf': '[store]\nfield.state = string\n',
        'default/eventtypes.conf': '[one]\nsearch = sourcetype=ms:x\n',
        'default/tags.conf': '[eventtype=one]\nalert = enabled\n',
        'default/macros.conf': '[idx]\ndefinition = index=main\n',
        'default/savedsearches.conf': '[silent]\nsearch = `idx` \\\n| stats count\ncron_schedule = 5 * * * *\n'
                                      'enableSched = 1\ndisabled = 1\n',
        'default/data/ui/nav/default.xml': '<nav><view name="one"/><view name="defender_mssp_manage"/></nav>\n',
        'default/data/ui/views/defender_mssp_manage.xml': '<dashboard version="1.1"><label>x</label></dashboard>\n',
        'default/data/ui/views/defender_mssp_manage_app.xml': '<view><label>x</label></view>\n',
        'appserver/static/dashboard.js': 'x\n', 'appserver/static/defender_mssp_manage.js': 'x\n',
        'appserver/static/pages/defender_mssp_manage_app.js': 'x\n', 'LICENSES/customers-page.txt': 'MIT\n',
        'default/data/ui/views/one.xml': '<dashboard version="2"><label>x</label><definition><![CDATA[{"title":"x"}]]>'
                                         '</definition></dashboard>\n',
        'default/data/ui/manager/defender_alerts.xml': '<endpoint name="data/inputs/defender_alerts"><elements>'
                                                       '<element name="name"/><element name="tenant_id"/>'
                                                       '</elements></endpoint>\n',
        'metadata/default.meta': '[]\naccess = read : [ * ], write : [ admin, sc_admin ]\nexport = system\n',
        'README/inputs.conf.spec': '[defender_alerts://<name>]\n* An input\ntenant_id = <string>\n',
        'README.md': f'# Alerts\n\nFor Linux, x86_64 and aarch64. See [more](docs/more.md).\n\n'
                     f'# Binary File Declaration\n\n`{PROGRAM}` is built from source.\n',
        'docs/more.md': 'More.\n', 'CHANGELOG.md': f'## {version()}\n\nFirst.\n', 'SECURITY.md': 'Safe.\n',
        'LICENSE': 'text\n',
        'lookups/one.csv': 'a,b\n1,2\n',
        'app.manifest': json.dumps(manifest) + '\n', 'THIRD-PARTY.md': ' '.join(libraries) + '\n',
        'sbom.spdx.json': json.dumps({'spdxVersion': 'SPDX-2.3', 'packages': packages,
                                      'relationships': relations}) + '\n',
        **{f'LICENSES/{name}.txt': 'x' * 400 for name in libraries if name != 'libgcc'},
    }
    files = {name: (text.encode(), 0o644) for name, text in texts.items()}
    for name, (width, height) in app_rules.ICONS.items():
        files[f'static/{name}'] = icons.Picture(width, height).png(), 0o644
    files[PROGRAM] = program, 0o755
    return files


def put(name, text='x\n', mode=0o644):
    """A breaker: this file, new or instead."""
    return lambda app: app.files.__setitem__(name, (text.encode() if isinstance(text, str) else text, mode))


def change(name, old, new):
    """A breaker: other text in that file."""
    def breaker(app):
        data, mode = app.files[name]
        assert old.encode() in data, f'{old!r} is not in {name}'
        app.files[name] = data.replace(old.encode(), new.encode()), mode
    return breaker


def add(name, text):
    """A breaker: more text at the end of that file."""
    return lambda app: app.files.__setitem__(name, (app.files[name][0] + text.encode(), app.files[name][1]))


def drop(name):
    """A breaker: without that file."""
    return lambda app: app.files.pop(name)


def mode(name, bits):
    """A breaker: another mode."""
    return lambda app: app.files.__setitem__(name, (app.files[name][0], bits))


def members(**how):
    """A breaker of a package: its first file member is changed so."""
    def breaker(app):
        for key, value in how.items():
            setattr(app.archive[1][3], key, value)
    return breaker


# For each rule, what it must notice.
BREAKERS = {
    'archive_is_the_same_for_the_same_content':
        [members(uid=1), members(gname='root'), members(mtime=5), members(name='A')],
    'modes_of_folders':
        [lambda app: app.folders.__setitem__('default', 0o700), lambda app: app.folders.__setitem__('x', 0o555)],
    'modes_of_files':
        [mode('README.md', 0o600), mode(PROGRAM, 0o644), mode('README.md', 0o444)],
    'names_are_plain': [put('docs/a b.md'), put('docs/\u00e4.md')],
    'nothing_left_over': [put('default/x.bak'), put('docs/Thumbs.db'), put('docs/x.md~')],
    'only_known_top_folders': [put('src/main.c')],
    'version_is_that_of_the_file':
        [change('default/app.conf', f'version = {version()}', 'version = 9.9.9'),
         change('app.manifest', version(), '1.0')],
    'app_conf_is_complete': [change('default/app.conf', 'author = somebody', ''),
                             change('default/app.conf', 'build = 1', 'build = x')],
    'no_input_is_enabled':
        [add('default/inputs.conf', '[defender_alerts://x]\ntenant_id = a\n'),
         add('default/inputs.conf', 'unheard_of = 1\n'),
         change('default/inputs.conf', 'start_by_shell = false', '')],
    'no_declared_parameter_is_splunks': [add('README/inputs.conf.spec', 'host = <string>\n')],
    'manager_page_fits_the_spec':
        [add('README/inputs.conf.spec', 'more = <string>\n'),
         change('default/data/ui/manager/defender_alerts.xml', 'tenant_id', 'tenant'),
         change('default/data/ui/manager/defender_alerts.xml', 'inputs/defender', 'inputs/x')],
    'one_program_only': [put('docs/x.md', '#!/bin/sh\n'), put('static/x.txt', b'\x7fELF')],
    'program_is_declared': [change('README.md', 'Binary File', 'File'),
                            change('README.md', PROGRAM, 'it')],
    'machines_are_named': [change('README.md', 'aarch64', 'arm')],
    'program_fits_the_package': [put(PROGRAM, b'\x7fELF' + bytes(14) + b'\xb7\0')],
    'not_for_indexers': [change('app.manifest', '_forwarders', '_indexers')],
    'no_secrets': [add('default/inputs.conf', 'client_secret = x\n'),
                   put('docs/more.md', 'eyJ' + 'a' * 20 + '.eyJ' + 'b' * 20 + '.c\n')],
    'files_are_well_formed':
        [put('default/inputs.conf', 'a = b\n'), put('default/inputs.conf', '[x]\nword\n'),
         put('default/x.conf', '[x]\na = b'),
         put('default/x.conf', '[x]\na = \xff'.encode('latin-1')), put('default/x.conf', '[x]\r\na = b\r\n'),
         put('default/x.conf', '\ufeff[x]\na = b\n'), put('default/x.conf', '[x]\na = b \\ \nc\n'),
         put('default/x.conf', '[]\na = b\n'), put('app.manifest', '{"a": 1, "a": 2}\n'), put('docs/x.json', '[NaN]\n'),
         put('metadata/default.meta', '[x\n'), change('README/inputs.conf.spec', 'tenant_id = <string>', ''),
         add('README/inputs.conf.spec', 'tenant_id = <string>\n'),
         add('README/inputs.conf.spec', '[defender_alerts://<name>]\na = <b>\n')],
    'objects_are_exported': [change('metadata/default.meta', 'system', 'none')],
    'lookups_are_tables': [put('lookups/x.txt'), put('lookups/x.csv', 'a,b\n1\n')],
    'transforms_exist': [drop('default/transforms.conf')],
    'props_keep_whole_events':
        [change('default/props.conf', 'TRUNCATE = 0', 'TRUNCATE = 10000'),
         change('default/props.conf', 'TRUNCATE = 0', ''),
         change('default/props.conf', 'SHOULD_LINEMERGE = false', ''), change('default/props.conf', 'NONE', 'CURRENT'),
         add('default/props.conf', 'INDEXED_EXTRACTIONS = json\n'), drop('default/props.conf')],
    'searches_are_shipped_disabled': [change('default/savedsearches.conf', 'disabled = 1', '')],
    'icons': [drop('static/appIcon.png'), put('static/appLogo.png', icons.Picture(36, 36).png())],
    'navigation_leads_somewhere': [change('default/data/ui/nav/default.xml', 'one', 'two')],
    'customers_page_is_whole_or_absent':
        [drop('appserver/static/dashboard.js'), drop('LICENSES/customers-page.txt'),
         drop('default/data/ui/views/defender_mssp_manage_app.xml'),
         change('default/data/ui/nav/default.xml', '<view name="defender_mssp_manage"/>', ''),
         change('sbom.spdx.json', 'SPDXRef-page', 'SPDXRef-x')],
    'macros_exist': [drop('default/macros.conf')],
    'tags_have_their_event_types': [drop('default/eventtypes.conf')],
    'links_in_the_texts_lead_somewhere': [drop('docs/more.md'), put('SECURITY.md', '[x](CONTRIBUTING.md)\n')],
    'texts_and_notices_are_there': [drop('CHANGELOG.md'), drop('SECURITY.md'), drop('THIRD-PARTY.md')],
    'changelog_tells_of_this_version': [change('CHANGELOG.md', '## ', '## 1')],
    'sbom_names_each_library': [drop('sbom.spdx.json'), drop('LICENSES/curl.txt'),
                                change('sbom.spdx.json', '"MIT"', '""')],
    'sbom_holds_together':
        [change('sbom.spdx.json', '"SPDXRef-curl", "name"', '"SPDXRef-zlib", "name"'),
         change('sbom.spdx.json', '"relatedSpdxElement": "SPDXRef-curl"', '"relatedSpdxElement": "x"'),
         change('sbom.spdx.json', '"checksumValue": "', '"checksumValue": "0')],
}


class RulesBite(unittest.TestCase):
    """A rule that nothing can break is none."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.package = os.path.join(cls.folder.name, f'{APP_ID}-{version()}-linux_x86_64.spl')
        files = good_files()
        folders = {os.path.dirname(name)[:at] for name in files for at in range(len(name)) if name[at] == '/'}
        with tarfile.open(cls.package, 'w:gz') as archive:
            for name in sorted(['', *folders, *files], key=lambda name: name.split('/')):
                member = tarfile.TarInfo(f'{APP_ID}/{name}'.rstrip('/'))
                data, member.mode = files.get(name, (b'', 0o755))
                member.type, member.size = (tarfile.REGTYPE if name in files else tarfile.DIRTYPE), len(data)
                archive.addfile(member, io.BytesIO(data))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_a_good_app_breaks_none(self):
        for name, check in RULES.items():
            with self.subTest(name):
                self.assertEqual(list(check(App.at(self.package))), [])

    def test_each_rule_notices_what_breaks_it(self):
        for name, breakers in BREAKERS.items():
            for number, breaker in enumerate(breakers):
                with self.subTest(name, number=number):
                    app = App.at(self.package)
                    breaker(app)
                    self.assertTrue(list(RULES[name](app)))

    def test_each_rule_has_been_broken(self):
        self.assertEqual(set(RULES), set(BREAKERS))


class Reading(unittest.TestCase):
    """The strict readers, where a mistake would hide others."""

    def test_a_continued_line_is_one_setting(self):
        self.assertEqual(conf.read_conf(b'[a]\nb = c \\\n| d\ne = f\n', 'x'), {'a': {'b': 'c \n| d', 'e': 'f'}})

    def test_comments_and_empty_values(self):
        self.assertEqual(conf.read_conf(b'# x\n[a]\n\nb =\n# c = d\n', 'x'), {'a': {'b': ''}})

    def test_what_is_refused(self):
        for text in (b'[a]\nb\n', b'b = c\n', b'[a]\n[a]\n', b'[a]\nb = 1\nb = 2\n', b'[a]\n= c\n', b'[a]\nb = c\\',
                     b'[a]\nb = \\\n'):
            with self.subTest(text), self.assertRaises(conf.Malformed):
                conf.read_conf(text, 'x')

    def test_a_spec_wants_a_description(self):
        self.assertEqual(conf.read_spec(b'[x://<name>]\n* about\nb = <string>\n', 'x'),
                         {'x://<name>': {'b': '<string>'}})
        with contextlib.suppress(conf.Malformed):
            conf.read_spec(b'[x://<name>]\nb =\n', 'x')
            self.fail('a parameter without a type was taken')


if __name__ == '__main__':
    outcome = unittest.main(exit=False, verbosity=1).result
    failed = len(outcome.failures) + len(outcome.errors)
    print(f'{outcome.testsRun - failed} passed, {failed} failed')
    sys.exit(1 if failed else 0)
