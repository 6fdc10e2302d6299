"""The runner of the unit tests: cases that fail, check nothing, crash, leak or hang on, and numbers that differ."""
import os
import shutil

import plant
import pytest

pytestmark = pytest.mark.skipif(not shutil.which('gcc'), reason='no gcc here')

FINE = 'CHECK(1, "%s", "fine");'
UNIT = '''#include "check.h"
#include <stdlib.h>

static void test_one(void **state UNUSED)
{{
    {}
}}

static void test_two(void **state UNUSED)
{{
    {}
}}

static const struct CMUnitTest cases[] = {{ cmocka_unit_test(test_one), cmocka_unit_test(test_two) }};

UNIT({}, cases, NULL, NULL)
'''


def runner(folder, expected, **modules):
    """A runner of these modules: name -> what its two cases do."""
    plant.copy(folder, 'tests/unit/unit.c', 'tests/unit/check.h')
    rows = ''.join(f'{{ "{name}", {count} }}, ' for name, count in expected.items())
    plant.write(folder, 'tests/unit/expected.h', '#pragma once\n#include <stddef.h>\n'
                f'static const struct {{ const char *module; size_t cases; }} expected[] = {{ {rows} }};\n')
    sources = [plant.write(folder, f'tests/unit/test_{name}.c', UNIT.format(*bodies, name))
               for name, bodies in modules.items()]
    program, main = str(folder / 'unit'), str(folder / 'tests/unit/unit.c')
    code, said = plant.run('gcc', '-std=c11', '-D_GNU_SOURCE', '-g', '-fsanitize=address', f'-I{plant.ROOT}/src',
                           f'-I{folder}/tests/unit', '-o', program, main, *sources, '-lcmocka')
    assert code == 0, said
    return program


def ran(program, *arguments):
    """(exit status, the sum, all that was said)."""
    code, said = plant.run(program, *arguments, ASAN_OPTIONS='detect_leaks=1')
    return code, plant.last_line(said), said


def test_what_is_right(tmp_path):
    assert ran(runner(tmp_path, {'a': 2}, a=(FINE, FINE)))[:2] == (0, '2 passed, 0 failed')


@pytest.mark.parametrize('body, wanted', [
    ('CHECK(0, "%s", "planted");', 'planted'), ('', 'test_two'), ('abort();', 'last in test_two'),
    ('*(volatile int *)8 = 1;', 'test_two'), (FINE + ' exit(0);', 'ended early'),
    (FINE + ' *(volatile char *)malloc(4) = 1;', 'a leak'), (FINE + ' free((char *)malloc(4) + 8);', 'test_two')])
def test_a_case_that_is_wrong(tmp_path, body, wanted):
    """Its neighbor in the same module and another module pass or are counted as missing, never as passed."""
    code, line, said = ran(runner(tmp_path, {'a': 2, 'b': 2}, a=(FINE, body), b=(FINE, FINE)))
    assert code == 1 and wanted in said, said
    assert line in ('3 passed, 1 failed', '4 passed, 1 failed', '2 passed, 2 failed'), said


@pytest.mark.parametrize('expected, wanted', [
    ({'a': 1}, '2 cases in its list'), ({'a': 3}, '3 expected'), ({'a': 2, 'b': 1}, 'b: no such module'),
    ({'b': 2}, '0 expected')])
def test_numbers_that_differ(tmp_path, expected, wanted):
    """Fewer cases, more, a module that is gone, and one that nobody expects."""
    code, _, said = ran(runner(tmp_path, expected, a=(FINE, FINE)))
    assert code == 1 and wanted in said


def test_nothing_to_run(tmp_path):
    """No module at all, and a name that selects nothing."""
    program = runner(tmp_path, {'a': 2}, a=(FINE, FINE))
    assert ran(program, 'b')[0] != 0
    assert ran(program, 'a.test_three')[0] != 0
    assert ran(program, 'a.test_two')[:2] == (0, '1 passed, 0 failed')
    os.remove(program)
    assert ran(runner(tmp_path, {'a': 2}))[0] != 0
