"""tests/generated.sh and tools/gen_promises.py: each generated file changed or gone, markers that make no sense."""
import os

import plant
import pytest

GENERATED = ('README/inputs.conf.spec', 'default/inputs.conf', 'default/data/ui/manager/defender_alerts.xml',
             'docs/inputs-page.svg', 'docs/troubleshooting.md', 'docs/testing.md', 'ui/params.json')
EVENTS, DIAGNOSIS = 'src/messages/log_events.c', 'src/messages/diagnosis.c'
MARKED, MARKED_C = 'tests/e2e/test_apis.py', 'tests/unit/test_events.c'


@pytest.fixture(name='tree')
def _tree(tmp_path):
    """The parts of the repository that the check reads, with the generators as they are built."""
    plant.built('build/plain/gen_conf', 'build/plain/gen_docs')
    plant.copy(tmp_path, 'tests/generated.sh', 'tools/gen_promises.py', 'tools/draw_inputs_page.py', 'src', *GENERATED)
    for folder in sorted(os.listdir(os.path.join(plant.ROOT, 'tests'))):
        path = os.path.join('tests', folder)
        if os.path.isdir(os.path.join(plant.ROOT, path)):
            plant.copy(tmp_path, *(os.path.join(path, name) for name in os.listdir(os.path.join(plant.ROOT, path))
                                   if name.startswith('test_') and name.endswith('.py') or
                                   folder == 'unit' and name.endswith('.c')))
    for name in ('gen_conf', 'gen_docs'):
        plant.copy(tmp_path, 'build/plain/' + name)
    return tmp_path


def checked(tree):
    """(exit status, what it said)."""
    return plant.run(str(tree / 'tests/generated.sh'), cwd=tree)


def test_the_copy_is_in_order(tree):
    code, said = checked(tree)
    assert code == 0, said


def test_each_file_that_differs(tree):
    """With one more line; the first and the last also empty, and gone."""
    for name in GENERATED:
        text = plant.read(tree, name)
        more = text.replace('\n<!-- End', 'x\n<!-- End') if name == 'docs/testing.md' else text + 'x\n'
        for other in (more, '', None) if name in (GENERATED[0], GENERATED[-1]) else (more,):
            if other is None:
                os.remove(tree / name)
            else:
                plant.write(tree, name, other)
            code, said = checked(tree)
            assert code == 1 and (name in said or os.path.basename(name) in said), (name, other, said)
        plant.write(tree, name, text)


def test_a_generator_that_says_nothing(tree):
    """Nothing on both sides is no agreement."""
    plant.write(tree, 'build/plain/gen_conf', '#!/bin/sh\n', 0o755)
    plant.write(tree, 'default/inputs.conf', '')
    code, said = checked(tree)
    assert code == 1 and 'default/inputs.conf differs' in said


@pytest.mark.parametrize('name', (EVENTS, DIAGNOSIS))
def test_a_row_that_no_code_says(tree, name):
    kind = 'EVENT' if name == EVENTS else 'DIAGNOSIS'
    plant.write(tree, name, plant.read(tree, name) + f'    [{kind}_MADE_UP] = 1,\n')
    code, said = checked(tree)
    assert code == 1 and f'{kind}_MADE_UP is in the table' in said


def test_tables_without_rows(tree):
    for name in (EVENTS, DIAGNOSIS):
        plant.write(tree, name, '')
    code, said = checked(tree)
    assert code == 1 and 'have no rows' in said


# What stands in the file, what takes its place, and what the generator says; None: only that the page differs.
MARKERS = [
    (MARKED, "promise('Parameters', '", "promise('Parameters', 'Not ", None),
    (MARKED, "promise('Parameters', '", "promise('Paramters', '", 'unknown section Paramters'),
    (MARKED, "promise('Parameters', '", "promise('Parameters' + '", 'takes a section and a text'),
    (MARKED_C, '/* promise: ', '/* promised: ', None),
    (MARKED_C, '/* promise: ', '/* promise: Events: made up */\nint made_up;\n/* promise: ', 'not right above a'),
    (MARKED_C, '/* promise: ', '/* promise: Made up: text */\n/* promise: ', 'unknown section Made up'),
]


@pytest.mark.parametrize('name, old, new, wanted', MARKERS, ids=lambda value: str(value)[-30:])
def test_markers(tree, name, old, new, wanted):
    """A promise that is new, or gone, or makes no sense."""
    plant.change(tree, name, old, new)
    code, said = checked(tree)
    assert code == 1 and (wanted or 'differ from the markers') in said, said


def test_no_tests_at_all(tree):
    for folder, _, names in os.walk(tree / 'tests'):
        for name in names:
            if name.startswith('test_'):
                os.remove(os.path.join(folder, name))
    code, said = checked(tree)
    assert code == 1 and 'no test has a promise' in said
    plant.change(tree, 'docs/testing.md', '<!-- End of the generated part. -->\n', '')
    assert 'lacks the lines' in plant.run('tools/gen_promises.py', '--check', cwd=tree)[1]
