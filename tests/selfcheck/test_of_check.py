"""tests/check: parts that break, count nothing or vanish are no pass, and the number of cases is compared."""
import os
import sys

import plant
import pytest

check = plant.module('tests/check')
JUNIT = '<testsuites><testsuite name="{}">{}</testsuite></testsuites>'
CASE = '<testcase classname="tests.e2e.test_x.Y" name="test_{}">{}</testcase>'


@pytest.fixture(autouse=True)
def _reports(tmp_path, monkeypatch):
    monkeypatch.setattr(check, 'REPORTS', str(tmp_path))
    os.mkdir(tmp_path / 'unit')


def part(command, read, name='part'):
    """A part that ran a shell command."""
    return check.Part(name, 'sh', '-c', command, read=read).run()


# How the part reads its output, its command, and the cases that passed, failed and were skipped.
PARTS = [
    (check.from_totals, 'echo 3 passed, 0 failed', (3, 0, 0)),
    (check.from_totals, 'echo 3 passed, 1 failed; exit 1', (3, 1, 0)),
    (check.from_totals, 'echo 3 passed, 0 failed, 2 skipped', (3, 0, 2)),
    (check.from_totals, 'echo 3 passed, 0 failed; exit 1', (3, 1, 0)),
    (check.from_totals, 'echo 3 passed, 0 failed; kill -9 $$', (3, 1, 0)),
    (check.from_totals, 'echo 0 passed, 0 failed', (0, 1, 0)),
    (check.from_totals, 'echo hello', (0, 1, 0)),
    (check.from_totals, 'true', (0, 1, 0)),
    (check.from_totals, 'no-such-command', (0, 1, 0)),
    (check.as_one, 'echo 5 passed, 0 failed', (1, 0, 0)),
    (check.as_one, 'echo 5 passed, 2 failed; exit 1', (0, 1, 0)),
    (check.as_one, 'echo 5 passed, 0 failed; exit 3', (0, 1, 0)),
    (check.as_one, 'echo 0 passed, 0 failed, 1 skipped', (0, 0, 1)),
    (check.as_one, 'echo 0 passed, 0 failed', (0, 1, 0)),
    (check.as_one, 'true', (0, 1, 0)),
    (check.from_pytest, 'true', (0, 1, 0)),
    (check.from_unit, 'true', (0, 1, 0)),
    (check.from_unit, 'exit 1', (0, 1, 0)),
]


@pytest.mark.parametrize('read, command, wanted', PARTS, ids=lambda value: getattr(value, '__name__', str(value)))
def test_parts(read, command, wanted):
    found = part(command, read).sum
    assert (found['passed'], found['failed'], found['skipped']) == wanted


@pytest.mark.parametrize('cases, wanted', [
    (CASE.format(1, '') + CASE.format(2, '<failure/>') + CASE.format(3, '<error/>') + CASE.format(4, '<skipped/>'),
     (1, 2, 1)),
    (CASE.format(1, '') + CASE.format(1, '<error/>'), (0, 1, 0)),
    ('', (0, 1, 0)),
    (CASE.format(1, '')[:30], (0, 1, 0)),
], ids=('all', 'twice', 'none', 'cut'))
def test_reports_of_pytest(tmp_path, cases, wanted):
    """A report that is empty or cut off is a failure."""
    plant.write(tmp_path, 'pytest.xml', JUNIT.format('pytest', cases))
    found = part('true', check.from_pytest)
    assert (found.sum['passed'], found.sum['failed'], found.sum['skipped']) == wanted
    assert set(found.modules) <= {'e2e/test_x'}


def test_reports_of_units(tmp_path):
    """A wrong number of cases is in the exit status only."""
    plant.write(tmp_path, 'unit/a.xml', JUNIT.format('aad', '<testcase name="a"/><testcase name="a"/>'))
    assert part('true', check.from_unit).modules == {'unit/aad': check.Tally(passed=2)}
    assert part('exit 1', check.from_unit).sum['failed'] == 1


@pytest.mark.parametrize('counted, wanted', [
    ({'a': 2, 'b': 1}, []), ({'a': 2}, ['b did not run; missing cases: 1']), ({}, ['a did not run', 'b did not run']),
    ({'a': 1, 'b': 1}, ['a: missing cases: 1 of 2']), ({'a': 3, 'b': 1}, ['a: cases: 3, expected: 2']),
    ({'a': 2, 'b': 1, 'c': 1}, ['c is new']), ({'a': 2, 'b': 0}, ['b did not run'])], ids=str)
def test_the_number_of_cases(tmp_path, monkeypatch, counted, wanted):
    """A module that is missing, shorter, longer or new."""
    monkeypatch.setattr(check, 'EXPECTED', plant.write(tmp_path, 'expected', '# cases\na: 2\n\nb: 1\n'))
    found = list(check.unexpected(counted, set()))
    assert len(found) == len(wanted) and all(text.startswith(part) for text, part in zip(found, wanted)), found


def test_the_whole_of_it(monkeypatch, capsys):
    """A part that nobody knows: nothing ran, so nothing passed."""
    monkeypatch.setattr(sys, 'argv', ['check', '--only', 'no-such-part'])
    assert check.main() == 1
    assert plant.last_line(capsys.readouterr().out) == '0 passed, 0 failed'


def test_each_part_is_there():
    """And has somebody who reads its output."""
    names = {each.name for each in [*check.computing('unit'), *check.waiting()]}
    assert names == {'unit', 'vendor clients', 'fuzz', 'bench', 'json', 'layers', 'generated', 'simulator',
                     'cores', 'model', 'pytest'}


@pytest.mark.parametrize('command, wanted', [
    ('test -e once && echo 1 passed, 0 failed || { touch once; exit 1; }', (1, 0)), ('exit 1', (0, 1))])
def test_what_failed_runs_once_more(tmp_path, monkeypatch, command, wanted):
    """It passed if it does then."""
    monkeypatch.setattr(check, 'ROOT', str(tmp_path))
    found = part(command, check.from_totals)
    assert found.sum['failed'] == 1
    found.again()
    assert (found.sum['passed'], found.sum['failed']) == wanted


FLAKY = '''
import os

def test_good():
    pass

def test_flaky(number=0):
    there = os.path.exists(str(number))
    open(str(number), 'w').close()
    assert there

for number in range(1, {}):
    globals()[f'test_flaky_{{number}}'] = lambda number=number: test_flaky(number)
for number in range({}):
    globals()[f'test_broken_{{number}}'] = lambda: 1 / 0
'''


@pytest.mark.parametrize('flaky, broken, wanted', [(2, 0, (3, 0)), (1, 1, (2, 1)), (6, 0, (1, 6))])
def test_failed_tests_run_once_more(tmp_path, monkeypatch, flaky, broken, wanted):
    """One after the other. If many failed, none does."""
    plant.write(tmp_path, 'test_planted.py', FLAKY.format(flaky, broken))
    monkeypatch.setattr(check, 'ROOT', str(tmp_path))
    found = check.Pytest('pytest', *check.pytest('pytest.xml'), 'test_planted.py', read=check.from_pytest).run()
    found.again()
    assert (found.sum['passed'], found.sum['failed']) == wanted


@pytest.mark.parametrize('read, command, wanted', [
    (check.from_totals, 'echo skipped: a: no clang; echo x; echo 3 passed, 0 failed, 1 skipped', {'a: no clang': 1}),
    (check.from_totals, 'echo no npm here; echo 0 passed, 0 failed, 1 skipped', {'no npm here': 1}),
    (check.as_one, 'echo old; echo no AVX2; echo 0 passed, 0 failed, 1 skipped', {'no AVX2': 1}),
    (check.from_totals, 'echo 1 passed, 0 failed', {}),
], ids=('of each', 'of all', 'as one', 'none'))
def test_why_a_part_was_skipped(read, command, wanted):
    assert {reason: number for (_, reason), number in part(command, read).skips.items()} == wanted


def test_why_tests_were_skipped(tmp_path, capsys):
    """One line for each module and reason, also if nobody gave one."""
    said = '<skipped message="needs h2">file:1: needs\n h2</skipped>'
    plant.write(tmp_path, 'pytest.xml', JUNIT.format('pytest', CASE.format(1, said) + CASE.format(2, said) +
                                                     CASE.format(3, '<skipped/>') + CASE.format(4, '')))
    check.say(part('true', check.from_pytest))
    assert capsys.readouterr().out.splitlines()[1:] == ['    skipped: 1 of e2e/test_x: no reason is given',
                                                        '    skipped: 2 of e2e/test_x: needs h2']


def test_why_units_were_skipped(tmp_path):
    """It is in what the runner says, not in its files."""
    plant.write(tmp_path, 'unit/a.xml', JUNIT.format('aad', '<testcase name="a"><skipped/></testcase>'))
    found = part('echo test_a is skipped: needs root >&2', check.from_unit)
    assert found.skips == {('unit', 'test_a: needs root'): 1} and found.sum == {'skipped': 1}


def test_progress(monkeypatch, capsys):
    """Lines say how far the parts are that run; they end with them."""
    monkeypatch.setattr(check, 'SAY_S', 0.2)
    rest = 'sleep 2; echo 1 passed, 0 failed'
    parts = [check.Part('tests', 'sh', '-c', 'echo ".... [ 42%]"; ' + rest, read=check.from_totals),
             check.Part('other', 'sh', '-c', rest, read=check.from_totals)]
    check.run(parts, 2)
    lines = capsys.readouterr().out.splitlines()
    assert any('tests 42 %, other ' in line for line in lines), lines
    assert [part.progress for part in parts] == [None, None]
