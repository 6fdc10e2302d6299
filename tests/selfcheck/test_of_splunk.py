"""The checks of the Splunk side: mistakes in conf files, searches, roles and fields, and nothing to check.

The rules of the package have theirs in tests/package/test_app_rules.py, the views in tests/splunk/mistakes.py, and the
tools that others wrote in tests/package/test_judges.py.
"""
import os
import sys
import unittest

import conf_keys
import fields
import plant
import pytest
import spl
import test_cim
import test_roles
import test_searches

sys.path.insert(0, os.path.join(plant.ROOT, 'tests', 'package'))
import app_rules  # noqa: E402


def fails(case, *names):
    """The tests of that class, or those named, that do not pass."""
    names = names or unittest.TestLoader().getTestCaseNames(case)
    found = []
    for name in names:
        result = unittest.TestResult()
        case(name).run(result)
        assert result.testsRun == 1 and not result.skipped, name
        found += [name] if result.failures or result.errors else []
    return found


@pytest.fixture(name='tree')
def _tree(tmp_path, monkeypatch):
    """A copy of what the app ships, which the checks read."""
    plant.copy(tmp_path, 'default', 'metadata', 'README', 'docs/searching.md')
    monkeypatch.setattr(fields, 'ROOT', str(tmp_path))
    return tmp_path


# --- keys of conf files ---

def test_keys(tree):
    """A key that Splunk does not know, in each file; a file and a stanza that it does not know."""
    assert list(conf_keys.complaints(tree)) == []
    names = [os.path.join(folder, name) for folder in ('default', 'metadata') for name in os.listdir(tree / folder)
             if name.endswith(('.conf', '.meta'))]
    assert len(names) >= 8
    for name in names:
        text = plant.read(tree, name)
        # A tag may have any name; its stanza may not.
        plant.write(tree, name, text + ('\n[made_up_key]\na = enabled\n' if 'tags' in name else '\nmade_up_key = 1\n'))
        assert [found for found in conf_keys.complaints(tree) if 'made_up_key' in found], name
        plant.write(tree, name, text)
    plant.write(tree, 'default/made_up.conf', '[x]\na = b\n')
    assert list(conf_keys.complaints(tree)) == ['made_up is no file whose keys are listed in conf_keys.json']


def test_no_keys(tmp_path):
    for name in ('default', 'metadata'):
        os.mkdir(tmp_path / name)
    assert len(list(conf_keys.complaints(tmp_path))) == 1


# --- searches ---

SEARCHES = {f'{name} {number} {stage.split()[0]}': (name, number) for name, search in test_searches.SEARCHES.items()
            for number, stage in enumerate(search['search'].split('|'))
            if stage.split()[0] in ('where', 'search', 'eval')}


@pytest.mark.parametrize('mistake', SEARCHES)
def test_alerts_without_one_of_their_stages(monkeypatch, mistake):
    """What a search filters out or works out is tested: without it some test fails."""
    name, number = SEARCHES[mistake]
    stages = test_searches.SEARCHES[name]['search'].split('|')
    broken = {**test_searches.SEARCHES[name], 'search': '|'.join(stages[:number] + stages[number + 1:])}
    monkeypatch.setattr(test_searches, 'SEARCHES', {**test_searches.SEARCHES, name: broken})
    assert fails(test_searches.Alerting)


MACROS = {f'{name} {number} {stage.split()[0]}': (name, number)
          for name in ('defender_mssp_audit_days(1)', 'defender_mssp_completeness(1)')
          for number, stage in enumerate(spl.split(test_searches.MACROS[name]['definition'])) if number}


@pytest.mark.parametrize('mistake', MACROS)
def test_comparisons_without_one_of_their_stages(monkeypatch, mistake):
    """The same of the two macros that compare what Microsoft, the program and the index have."""
    name, number = MACROS[mistake]
    stages = spl.split(test_searches.MACROS[name]['definition'])
    broken = {**test_searches.MACROS[name], 'definition': ' | '.join(stages[:number] + stages[number + 1:])}
    monkeypatch.setattr(test_searches, 'MACROS', {**test_searches.MACROS, name: broken})
    assert fails(test_searches.Audit) or fails(test_searches.Completeness)


def test_every_alert_was_broken():
    assert {name for name, _ in SEARCHES.values()} == set(test_searches.SEARCHES)
    assert fails(test_searches.Alerting) == []


def test_no_alerts(monkeypatch):
    monkeypatch.setattr(test_searches, 'SEARCHES', {})
    assert 'test_shipped_disabled' in fails(test_searches.Alerting)


def test_names(monkeypatch):
    for changed in ({'other': {'definition': '1'}}, {'defender_index': {'definition': '1'}}):
        monkeypatch.setattr(test_searches, 'MACROS', {**test_searches.MACROS, **changed})
        assert fails(test_searches.Names, 'test_prefix')
        monkeypatch.undo()


@pytest.mark.parametrize('search, good', [
    ('`defender_mssp_status` | stats count BY input', True), ('`defender_mssp_status` | sttas count BY input', False),
    ('`defender_mpss_status` | stats count BY input', False), ('`defender_mssp_status` | stats cuont(x)', False),
    ('`defender_mssp_status` | eval a=rond(1)', False), ('`defender_mssp_status` | where (a', False)])
def test_searches_of_the_documentation(tree, search, good):
    plant.change(tree, 'docs/searching.md', '```spl\n', f'```spl\n{search}\n```\n```spl\n')
    assert fails(test_searches.Documentation) == ([] if good else ['test_searches'])


def test_no_documentation(tree):
    plant.write(tree, 'docs/searching.md', '')
    assert fails(test_searches.Documentation)


# --- fields and roles ---

def required(name):
    """The required fields of a data model, but for those that it fills itself."""
    return [field for field, row in test_cim.model(name).items()
            if row['type'] == 'required' and field not in test_cim.FILLED]


def checked(api, **changes):
    """The check of a record's fields, with these values in place of its own; None takes a field away."""
    found = {**test_cim.event(test_cim.SOURCETYPES[api], test_cim.record(api, 3)), **changes}
    model = 'Ticket_Management' if api == 'incidents' else 'Alerts'
    found = {name: value for name, value in found.items() if value is not None}
    test_cim.Model('check').check(found, 'contoso', (model,))


@pytest.mark.parametrize('api', test_cim.SOURCETYPES)
def test_fields(api):
    """Each required field missing; values that may not be."""
    checked(api)
    names = required('Ticket_Management' if api == 'incidents' else 'Alerts')
    assert len(names) >= 3
    mistakes = [{name: None} for name in names] + [{name: 'null'} for name in names] + [
        {'severity': 'sever'}, {'severity_id': 9}, {'user': 'unknown'}, {'dest': ['a', 'Unknown']},
        {'customer': 'other'}, {'vendor_account': None}, {'dest': test_cim.TENANT, 'tenantId': test_cim.TENANT}]
    for changes in mistakes:
        with pytest.raises((AssertionError, KeyError, ValueError)):
            checked(api, **changes)
            print('not found:', changes)


def test_no_samples(monkeypatch, tmp_path):
    """Where there are samples, there have to be rows."""
    os.makedirs(tmp_path / 'expected')
    monkeypatch.setattr(test_cim, 'HERE', str(tmp_path))
    monkeypatch.setattr(test_cim, 'SAMPLES', str(tmp_path))
    monkeypatch.setattr(test_cim.Samples, '__unittest_skip__', False, raising=False)
    assert 'test_rows' in fails(test_cim.Samples)


ROLES = [('default/authorize.conf', 'edit_modinput_defender_alerts = en', 'edit_modinput_defender_alerts = dis'),
         ('default/authorize.conf', 'importRoles = user', 'importRoles = admin'),
         ('default/authorize.conf', 'list_inputs = enabled', 'list_inputs = enabled\nadmin_all_objects = enabled'),
         ('default/authorize.conf', '[capability::', '[capabilities::'),
         ('metadata/default.meta', 'read : [ * ]', 'read : [ admin ]'),
         ('metadata/default.meta', 'defender_mssp_admin ]', 'user ]')]


@pytest.mark.parametrize('name, old, new', ROLES, ids=lambda value: value[:30])
def test_of_roles(tree, name, old, new):
    assert fails(test_roles.Roles) == []
    plant.change(tree, name, old, new)
    assert fails(test_roles.Roles)


def test_no_roles(tree):
    plant.write(tree, 'default/authorize.conf', '')
    plant.write(tree, 'metadata/default.meta', '')
    assert len(fails(test_roles.Roles)) == 4


# --- the package ---

def test_an_app_without_files(tmp_path):
    """Neither an empty folder, nor a repository of which nothing is shipped."""
    plant.write(tmp_path, 'package/contents', '# nothing\n')
    for app in (app_rules.App.from_folder(str(tmp_path / 'package')), app_rules.App.from_repository(str(tmp_path))):
        app.files.clear()
        found = {name for name, check in app_rules.RULES.items() if list(check(app))}
        assert {'texts_and_notices_are_there', 'version_is_that_of_the_file', 'app_conf_is_complete', 'icons',
                'program_is_declared', 'props_keep_whole_events'} <= found
