"""`make lint`: a mistake for each of its tools, and nothing to read.

`make lint` runs this with all tools. `make check` leaves out those that are not on this machine, and those for C, which
need a build of their own.
"""
import os
import shutil
import sys

import plant
import pytest

words = plant.module('tools/check_words.py')

# target, the file, its text, and what has to be said about it. codespell reads this file too, hence \x.
MISTAKES = [
    ('lint-words', 'a.md', 'They leave that by itself.\n', '"by itself"'),
    ('lint-words', 'a.md', 'This is \x74eh end.\n', '\x74eh ==> the'),
    ('lint-words', 'a.md', 'The col\x6fur of it.\n', 'col\x6fur ==> color'),
    ('lint-shell', 'a.sh', '#!/bin/sh\nrm -r $1\n', 'SC2086'),
    ('lint-python', 'a.py', 'import os\n', 'F401'),
    ('lint-python', 'a.py', 'def f(x=[]):\n    return x\n', 'B006'),
    ('lint-c', 'src/base/a.c', '#include <stdlib.h>\nint main(void)\n{\n    char *p = malloc(1);\n'
     '    free(p);\n    return *p;\n}\n', 'Use of memory after it is freed'),
    ('lint-c', 'src/base/a.c', 'int main(void)\n{\n    int a[2];\n\n    a[2] = 0;\n    return a[0];\n}\n',
     'out of bounds'),
]
FINE = {'lint-words': ('a.md', 'It says what it does.\n'), 'lint-shell': ('a.sh', '#!/bin/sh\nrm -r "$1"\n'),
        'lint-python': ('a.py', '"""Nothing."""\n'),
        'lint-c': ('src/base/a.c', 'int main(void)\n{\n    return 0;\n}\n')}
RUFF = os.path.join(plant.ROOT, 'build/venv-lint')
TOOLS = ('codespell', 'shellcheck', 'bear', 'clang-tidy', 'cppcheck')     # what is missing would be installed
ALL = bool(os.environ.get('MUST_RUN'))


def linted(target, path):
    """(exit status, what it said) of a target on one file."""
    there = os.path.isdir(RUFF) if target == 'lint-python' else target != 'lint-c' and all(map(shutil.which, TOOLS))
    if not ALL and not there:
        pytest.skip(f'not all tools for {target} are here')
    return plant.run('make', '-s', target, f'FILES={path}')


@pytest.mark.parametrize('target, name, text, wanted', MISTAKES, ids=lambda value: str(value)[:20])
def test_each_mistake_is_found(tmp_path, target, name, text, wanted):
    plant.copy(tmp_path, '.clang-tidy')
    code, said = linted(target, plant.write(tmp_path, name, text))
    assert code != 0 and wanted in said, said


@pytest.mark.parametrize('target', FINE)
def test_what_is_right_passes(tmp_path, target):
    plant.copy(tmp_path, '.clang-tidy')
    code, said = linted(target, plant.write(tmp_path, *FINE[target]))
    assert code == 0, said


@pytest.mark.parametrize('target', FINE)
def test_a_file_that_is_not_there(tmp_path, target):
    code, said = linted(target, str(tmp_path / 'none.c'))
    assert code != 0, said


def test_every_kind_of_file_is_read():
    """The lists of files are not empty, and have a file of each kind."""
    for variable, wanted in (('LINT_C', 'src/main.c'), ('LINT_SHELL', '.ci/run'), ('LINT_PYTHON', 'tests/check'),
                             ('LINT_WORDS', 'docs/architecture.md'), ('LINT_SPELLING', 'tests/layers.py')):
        code, said = plant.run('make', '-s', 'print-list', f'LIST={variable}')
        assert code == 0 and wanted in said.split(), variable


# --- the word list ---

def looked(tmp_path, rules, *texts):
    """(exit status, what it said) of check_words.py."""
    files = [plant.write(tmp_path, f'{number}.md', text) for number, text in enumerate(texts)]
    return plant.run(sys.executable, 'tools/check_words.py', plant.write(tmp_path, 'words', rules), *files)


def test_words(tmp_path):
    """Over line ends and in comments; not where the use is right, nor in a line that is excepted."""
    rules = 'by itself:alone\nbehind:after\n+behind (?:a|the) proxy\n'
    for text, code in (('It runs by itself.', 1), ('It runs by\nitself.', 1), ('/* It runs by\n * itself. */', 1),
                       ('# by\n# itself', 1), ('BEHIND it', 1), ('behind a proxy', 0),
                       ('behind the proxy, behind it', 1), ('by itself, lint: words', 0), ('nearby itself', 0),
                       ('', 0)):
        found, said = looked(tmp_path, rules, text)
        assert found == code, (text, said)
    assert looked(tmp_path, rules, 'fine', 'by itself')[0] == 1


def test_each_word_of_the_list():
    """Each rule can match: an expression with a mistake in it would find nothing."""
    rules, right, skipped = words.read_list(os.path.join(plant.ROOT, 'tools/words'))
    bad = ['so many of them', 'by itself', 'anew', 'back-fill', 'back-filling', 'de-duplicated', 'whose move',
           'left behind', 'leave behind', 'leaves behind', 'behind it', 'it stands', 'they stand', 'preset', 'presets',
           '/* Is it done? */', '/* How does it work? */']
    for text in bad:
        assert words.findings(text, rules, right), text
    for rule, advice in rules:
        assert any(rule.search(text) for text in bad), f'no text here for the rule about {advice}'
    for use in right:
        assert use.search(' '.join(('behind a proxy', 'ahead or behind', "behind splunkd's clock", "behind its back",
                                    'stands for', 'stands out', 'stand-in', 'leaves nothing behind',
                                    'result=behind'))), use.pattern
    for name in skipped:
        assert os.path.exists(os.path.join(plant.ROOT, name)), name


def test_nothing_to_look_for_or_in(tmp_path):
    assert looked(tmp_path, '# no rule\n', 'by itself')[0] == 1
    assert looked(tmp_path, 'by itself:alone\n')[0] == 1
