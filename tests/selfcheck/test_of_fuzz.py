"""tests/fuzz/run.sh: a target that finds something, runs nothing, cannot be built, or is not there."""
import os
import shutil

import plant
import pytest

GOOD = '#!/bin/sh\necho stat::number_of_executed_units: 123 >&2\n'
# What the target does, and what the run says of it.
TARGETS = [
    (GOOD, 0, '123 executions'),
    (GOOD + 'echo broken promise: it is whole; exit 77\n', 1, 'broken promise'),
    (GOOD + 'kill -ABRT $$\n', 1, 'failed, see'),
    ('#!/bin/sh\necho stat::number_of_executed_units: 0 >&2\n', 1, 'failed, see'),
    ('#!/bin/sh\n', 1, 'failed, see'),
    (None, 1, 'failed, see'),
]


def tree(folder, targets, build='true'):
    """A repository with these targets: name -> script, None for one that was not built."""
    plant.copy(folder, 'tests/fuzz/run.sh')
    plant.write(folder, 'Makefile', f'fuzz-build:\n\t@{build}\n')
    for name, script in targets.items():
        plant.write(folder, f'tests/fuzz/fuzz_{name}.c', '')
        if script is not None:
            plant.write(folder, f'build/fuzz/fuzz_{name}', script, 0o755)


def fuzzed(folder, *names, **environment):
    """(exit status, the sum, all of it), with a compiler that can do everything."""
    code, said = plant.run(str(folder / 'tests/fuzz/run.sh'), '1', *names, cwd=folder,
                           **{'FUZZ_CC': 'true', **environment})
    return code, plant.last_line(said), said


@pytest.mark.parametrize('script, code, wanted', TARGETS, ids=lambda value: str(value)[-20:])
def test_targets(tmp_path, script, code, wanted):
    """Beside one that finds nothing."""
    tree(tmp_path, {'fine': GOOD, 'other': script})
    found, line, said = fuzzed(tmp_path)
    assert (found, line) == (code, f'{2 - code} passed, {code} failed') and wanted in said, said


def test_nothing_to_run(tmp_path):
    """No target, one that is not there, and none that could be built."""
    tree(tmp_path, {})
    assert fuzzed(tmp_path)[0] == 1
    tree(tmp_path, {'fine': GOOD})
    assert fuzzed(tmp_path, 'fuzz_none')[:2] == (1, '0 passed, 1 failed')
    tree(tmp_path, {'fine': GOOD}, build='false')
    code, line, _ = fuzzed(tmp_path)
    assert code == 1 and 'passed' not in line


def test_no_compiler(tmp_path):
    """It is skipped, and in continuous integration that is a failure."""
    tree(tmp_path, {'fine': GOOD})
    assert fuzzed(tmp_path, FUZZ_CC='false', CI='')[:2] == (0, '0 passed, 0 failed, 1 skipped')
    assert fuzzed(tmp_path, FUZZ_CC='false', CI='1')[:2] == (1, '0 passed, 1 failed')


@pytest.mark.skipif(not shutil.which('clang'), reason='no clang here')
def test_a_mistake_that_libfuzzer_has_to_find(tmp_path):
    """A broken promise, a read past the end and an undefined shift, each some bytes deep; the harmless twin passes."""
    body = {'promise': 'need(size < 4, "at most three");', 'harmless': '(void)data;',
            'read': 'static volatile uint8_t seen; if (size == 4) seen = data[size + 8];',
            'shift': 'static volatile int seen; if (size > 4) seen = 1 << (int)(size * 100);'}
    tree(tmp_path, {})
    for name, text in body.items():
        source = plant.write(tmp_path, f'tests/fuzz/fuzz_{name}.c', '#include "fuzz.h"\n'
                             'int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)\n'
                             '{\n    (void)data;\n    (void)size;\n    ' + text + '\n    return 0;\n}\n')
        os.makedirs(tmp_path / 'build/fuzz', exist_ok=True)
        program = str(tmp_path / f'build/fuzz/fuzz_{name}')
        code, said = plant.run('clang', '-O1', '-g', '-Isrc', '-Itests/fuzz', '-fno-sanitize-recover=all',
                               '-fsanitize=fuzzer,address,undefined', '-o', program, source)
        assert code == 0, said
    code, line, said = fuzzed(tmp_path, FUZZ_CC='clang')
    assert (code, line) == (1, '1 passed, 3 failed'), said
    for wanted in ('fuzz_harmless: ', 'broken promise: at most three', 'heap-buffer-overflow', 'runtime error: shift'):
        assert wanted in said, said
