"""The recipes of docs/architecture.md ("To add ...") name every file, and the documents only targets that make has."""
import fnmatch
import os
import re

import plant
import pytest

PAGE = 'docs/architecture.md'
GENERATED = {'README/inputs.conf.spec', 'default/data/ui/manager/defender_alerts.xml', 'docs/troubleshooting.md'}
DOCUMENTS = ('README.md', 'CONTRIBUTING.md', PAGE, 'docs/testing.md', 'docs/operations.md', 'bench/README.md')
# Where an API is asked for by its name, and which files are meant.
API = [('src/*.[ch]', r'\b(API_SIEM|API_INCIDENTS|api_siem|api_incidents|siem)\b'),
       ('tests/e2e/world/*.py', r"'incidents'"), ('default/*.conf', r'ms365:defender:incident\b'),
       ('*.md', r'`ms365:defender:incident`')]
OWN_FILES = 'src/microsoft/api_*.c'
PARAMETER = re.compile(r'\{ \.name = "(\w+)", \.type')
OTHERS = {'docs/migration.md', 'CHANGELOG.md'}      # which tell of source types, and list no APIs


def texts(root):
    """Name -> text of the files that people write."""
    found = {}
    for folder in ('src', 'tests', 'tools', 'default', 'README', 'docs', 'package', ''):
        for path, folders, names in os.walk(os.path.join(root, folder)):
            folders[:] = [name for name in folders if folder and name not in ('corpus', 'node_modules', '__pycache__')]
            for name in names:
                if name.endswith(('.c', '.h', '.py', '.sh', '.conf', '.spec', '.xml', '.md')):
                    full = os.path.join(path, name)
                    found[os.path.relpath(full, root)] = plant.read(root, full)
    return found


def recipes(root):
    """What is to be added -> the files that its recipe names. A bare name is in the folder of the name before it."""
    section = plant.read(root, PAGE).partition('## To add ...')[2].partition('\n## ')[0]
    found = {}
    for what, text in re.findall(r'^- \*\*(.*?):\*\*(.*?)(?=^- \*\*|\Z)', section, re.M | re.S):
        names, folder = set(), ''
        for name in re.findall(r'`([\w./-]+(?:\.[a-z]+|/)|VERSION|[a-z]+/\w+)`', text):
            folder, name = os.path.split(name) if '/' in name else (folder if name.endswith('.py') else '', name)
            names.add(os.path.join(folder, name) if folder else name)
        found[what] = names
    return found


def missing_in_recipe_of_a_parameter(root):
    """Files that name each parameter, unlike the recipe, and the other way around."""
    files = texts(root)
    names = PARAMETER.findall(files['src/splunk/params.c'])
    assert len(names) > 15
    of_all = {file for file, text in files.items() if all(re.search(rf'\b{name}\b', text) for name in names)}
    tables = {file for file in recipes(root)['a parameter'] - {'CHANGELOG.md'}
              if file not in ('src/splunk/params.h', 'src/splunk/value.c', 'src/splunk/value_refusal.c')}
    return of_all - GENERATED ^ tables


def missing_in_recipe_of_an_api(root):
    """Files that ask for an API by its name and are not in the recipe."""
    named, found = recipes(root)['an API'], set()
    for file, text in texts(root).items():
        if file not in OTHERS and not fnmatch.fnmatch(file, OWN_FILES) and '/selftest/' not in file:
            found |= {file for where, pattern in API if fnmatch.fnmatch(file, where) and re.search(pattern, text)}
    assert len(found) > 12
    return found - GENERATED - named


def test_each_file_is_there():
    found = recipes(plant.ROOT)
    assert {'a parameter', 'an API', 'a log event, a diagnosis', 'a command', 'a store', 'a version'} <= set(found)
    for what, names in found.items():
        assert names, what
        for name in names:
            where, pattern = os.path.split(os.path.join(plant.ROOT, name).replace('_x.c', '_*.c'))
            assert not pattern or fnmatch.filter(os.listdir(where), pattern), f'{what}: {name}'


def test_a_parameter():
    assert not missing_in_recipe_of_a_parameter(plant.ROOT)


def test_an_api():
    assert not missing_in_recipe_of_an_api(plant.ROOT)


@pytest.mark.parametrize('check, name, old, new, wanted', [
    (missing_in_recipe_of_a_parameter, 'src/splunk/input.h', 'int64_t overlap;', '', {'src/splunk/input.h'}),
    (missing_in_recipe_of_a_parameter, PAGE, '`tests/unit/test_params.c`', 'a test', {'tests/unit/test_params.c'}),
    (missing_in_recipe_of_an_api, PAGE, '`src/splunk/stanza.c`', 'a file', {'src/splunk/stanza.c'}),
    (missing_in_recipe_of_an_api, 'src/splunk/input.c', '#include', '/* siem */\n#include', {'src/splunk/input.c'}),
    (missing_in_recipe_of_an_api, PAGE, '`login.py`', 'others', {'tests/e2e/world/login.py'})], ids=range(5))
def test_a_recipe_that_lacks_something(tmp_path, check, name, old, new, wanted):
    """Or code that came without a word in the recipe."""
    plant.copy(tmp_path, 'src', 'docs', 'default', 'README', 'README.md', 'tests/unit', 'tests/e2e')
    assert not check(tmp_path)
    plant.change(tmp_path, name, old, new)
    assert check(tmp_path) == wanted


def test_targets():
    """Whoever copies a command from a document gets something done."""
    makefile = plant.read(plant.ROOT, 'Makefile')
    targets = {word for line in re.findall(r'^([a-z][\w. -]*):(?!=)', makefile, re.M) for word in line.split()}
    used = {target for document in DOCUMENTS
            for code in re.findall(r'```.*?```|`[^`]+`', plant.read(plant.ROOT, document), re.S)
            for target in re.findall(r'(?:^|[\s`])make (?:-\S+ )*([a-z][\w.-]*\w)', code)}
    assert len(used) > 12
    assert used <= targets, used - targets


def test_first_contact():
    """What a new reader is promised: five steps at the top of README, a picture, ten questions with answers."""
    readme, faq = plant.read(plant.ROOT, 'README.md'), plant.read(plant.ROOT, 'docs/faq.md')
    assert re.findall(r'^(\d)\. ', readme.partition('\n## ')[0], re.M) == list('12345')
    assert '](docs/inputs-page.svg)' in readme
    answers = re.findall(r'^\*\*(\d+)\. .+\*\*\n\S', faq, re.M)
    assert answers == [str(number) for number in range(1, 11)]
