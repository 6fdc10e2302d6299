"""tests/layers.py: a mistake for each of its checks, and nothing to check."""
import plant
import pytest

layers = plant.module('tests/layers.py')

# check: what it says, and the files with the mistake: name -> text.
MISTAKES = [
    ('check_folders', 'base may not include collect', {
        'base/a.c': '#include "collect/b.h"', 'collect/b.h': ''}),
    ('check_folders', 'state may not include net', {'state/a.c': '#include "net/b.h"', 'net/b.h': ''}),
    ('check_folders', 'auth may not include state', {'auth/a.h': '#include "state/b.h"', 'state/b.h': ''}),
    ('check_folders', 'may not include command', {'collect/a.c': '#  include "command/b.h"', 'command/b.h': ''}),
    ('check_folders', 'is not a path from src/', {'base/a.c': '#include "b.h"', 'base/b.h': ''}),
    ('check_folders', 'has no rule', {'new/a.c': ''}),
    ('check_libraries', 'only net may include', {'collect/a.c': '#include <curl/curl.h>'}),
    ('check_libraries', 'only splunk may include', {'net/a.c': '#include <libxml/parser.h>'}),
    ('check_private', 'is private to net/http', {'net/b.c': '#include "net/http_private.h"', 'net/http_private.h': ''}),
    ('check_collector', 'may include collector.h', {
        'collect/tenant.c': '#include "collect/collector.h"', 'collect/collector.h': ''}),
    ('check_order', 'is not above', {'collect/worker.c': '#include "collect/tenant.h"', 'collect/tenant.h': ''}),
    ('check_circles', 'in a circle: base/a base/b base/c', {
        'base/a.c': '#include "base/b.h"', 'base/b.h': '#include "base/c.h"', 'base/c.h': '#include "base/a.h"',
        'base/a.h': ''}),
    ('check_forbidden', 'uses a banned function', {'base/a.c': 'strcpy(a, b);'}),
    ('check_forbidden', 'reads a number without', {'collect/a.c': 'n = strtoll(text, NULL, 10);'}),
    ('check_forbidden', 'reads a number without', {'base/a.c': 'if (sscanf(text, "%d", &n) != 1)'}),
    ('check_quotes', 'without QUOTED()', {'auth/a.c': 'log_event(EVENT_X, "a; b=%s", err->text);'}),
    ('check_quotes', 'without QUOTED()', {'collect/a.c': 'feed_log(feed, EVENT_X, err.text, "b=%s",\n  err.text);'}),
    ('check_forbidden', 'logs without an event', {'collect/a.c': 'log_error("x");'}),
    ('check_forbidden', 'logs without an event', {'state/a.c': '"level event=made_up"'}),
]
FINE = {'base/a.h': '#include <stdio.h>', 'base/a.c': '#include "base/a.h"',
        'net/http.c': '#include "net/http_private.h"',
        'net/http_private.h': '#include <curl/curl.h>', 'net/http_pool.c': '#include "net/http_private.h"',
        'splunk/b.c': '#include <libxml/parser.h>\n#include "base/a.h"',
        'collect/tenant.c': '#include "collect/worker.h"', 'collect/worker.h': '#include "base/a.h"',
        'command/run.c': '#include "collect/collector.h"', 'collect/collector.h': '', 'command/run.h': '',
        'auth/c.c': 'log_event(EVENT_X, "why=%s err->text", QUOTED(err->text));',
        'collect/c.c': 'feed_log(feed, EVENT_X, err->text, "tries=%d", n);',
        'main.c': '#include "command/run.h"'}


def files(texts):
    """As read_files() returns them."""
    return {name: layers.File(name, text) for name, text in texts.items()}


@pytest.mark.parametrize('check, wanted, texts', MISTAKES, ids=lambda value: value if isinstance(value, str) else '')
def test_each_mistake_is_found(check, wanted, texts):
    found = list(getattr(layers, check)(files(texts)))
    assert len(found) == 1 and wanted in found[0], found


def test_each_check_finds_one_and_nothing_more():
    assert {check for check, *_ in MISTAKES} == {check.__name__ for check in layers.CHECKS}
    for check in layers.CHECKS:
        assert list(check(files(FINE))) == []


def test_the_whole_of_it(tmp_path):
    """On a copy of the tree with one mistake, and on none."""
    plant.copy(tmp_path, 'src')
    assert plant.run('tests/layers.sh', str(tmp_path / 'src'))[0] == 0
    plant.change(tmp_path, 'src/base/text.c', '#include', '#include "net/http.h"\n#include')
    code, said = plant.run('tests/layers.sh', str(tmp_path / 'src'))
    assert code == 1 and 'src/base/text.c:1: base may not include net' in said


def test_nothing_to_check(tmp_path):
    code, said = plant.run('tests/layers.sh', str(tmp_path))
    assert code == 1 and plant.last_line(said) == '0 passed, 1 failed'
