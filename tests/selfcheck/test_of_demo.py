"""tests/demo/captured.py: what a file of `make demo ALERTS=` may be, and the one sentence for each that it may not."""
import gzip
import json
import os
import shlex
import sys

import plant
import pytest

captured = plant.module('tests/demo/captured.py')
DEMO = os.path.join(plant.ROOT, 'tests/demo/demo.py')
ONE = {'id': 'a1', 'title': 'One', 'lastUpdateDateTime': '2026-11-01T08:00:00Z', 'evidence': [{'value': [{'x': 1}]}]}
TWO = {**ONE, 'id': 'a2', 'lastUpdateDateTime': '2026-11-02T08:00:00.5Z'}
MDE = {'id': 'm1', 'title': 'Three', 'lastUpdateTime': '2026-11-01T08:00:00.1234567Z'}
SIEM = {'AlertTitle': 'Four', 'LastProcessedTimeUtc': '2026-11-01T08:00:00Z'}
INCIDENT = {'id': '7', 'displayName': 'Five', 'lastUpdateDateTime': '2026-11-01T08:00:00Z'}


def text(*values, sep='\n', indent=None):
    """JSON documents in sequence."""
    return sep.join(json.dumps(value, indent=indent) for value in values).encode()


GOOD = {
    'a page': (text({'@odata.context': 'value', 'value': [ONE, TWO], '@odata.nextLink': 'https://x'}), 'graph', 2),
    'pages': (text({'value': [ONE]}, {'value': []}, {'value': [TWO]}), 'graph', 2),
    'an array': (text([SIEM, {**SIEM, 'AlertTitle': 'Other'}]), 'siem', 2),
    'one record': (text(ONE, indent=2), 'graph', 1),
    'records in lines': (text(ONE, TWO) + b'\n', 'graph', 2),
    'records without blanks between': (text(ONE, TWO, sep=''), 'graph', 2),
    'byte order mark': (b'\xef\xbb\xbf' + text([MDE]), 'endpoint', 1),
    'incidents': (text([INCIDENT]), 'incidents', 1),
    'older versions': (text(TWO, ONE, {**TWO, 'lastUpdateDateTime': '2026-11-01T08:00:00Z'}), 'graph', 2),
    'twice': (text(SIEM, SIEM), 'siem', 1),
    'very many': (text(*({**MDE, 'id': f'm{n}'} for n in range(5003))), 'endpoint', 5000),
    'a time that is none': (text({**ONE, 'lastUpdateDateTime': 'soon'}), 'graph', 1),
}


@pytest.mark.parametrize('content, api, count', GOOD.values(), ids=GOOD)
def test_what_can_be_shown(tmp_path, content, api, count):
    """Byte for byte, and of each alert the newest version."""
    path = tmp_path / 'file'
    path.write_bytes(content)
    found = captured.read(path)
    assert (found[0], len(found[1])) == (api, count)
    assert all(raw in content for raw in found[1])
    assert all(found[3][:19] <= str(json.loads(raw).get(captured.UPDATE_FIELD[api])) for raw in found[1])


BAD = {
    'empty': (b'', 'is empty'),
    'blank': (b' \r\n', 'is empty'),
    'gzip': (gzip.compress(text([ONE])), 'is compressed with gzip'),
    'zip': (b'PK\x03\x04\x14\0', 'is a ZIP archive'),
    'utf-16': (text([ONE]).decode().encode('utf-16'), 'is UTF-16'),
    'utf-16, big end first': (b'\xfe\xff' + text([ONE]).decode().encode('utf-16-be'), 'is UTF-16'),
    'utf-16, no mark': (text([ONE]).decode().encode('utf-16-le'), 'is UTF-16'),
    'utf-32': (text([ONE]).decode().encode('utf-32'), 'is UTF-32'),
    'code page': (b'[\n{"title": "L\xf6schen"}]', 'is not UTF-8: line 2 has the byte 0xF6'),
    'broken': (b'{"value": [\n{"id" 1}]}', 'is not JSON: line 2, column 7'),
    'cut off': (text({'value': [ONE]})[:-2], 'is cut off'),
    'cut off in a text': (text({'value': [ONE]})[:30], 'is cut off'),
    'more than JSON': (text([ONE]) + b'\nDone.', 'is not JSON: line 2, column 1'),
    'NaN': (b'[{"id": NaN}]', 'NaN is no number of JSON'),
    'deep': (b'[' * 100000, 'is nested too deeply'),
    'html': (b'<!DOCTYPE html><html></html>', 'is a page of HTML'),
    'headers': (b'HTTP/1.1 200 OK\r\n\r\n{}', 'is not JSON: line 1, column 1'),
    'error': (text({'error': {'code': 'TooManyRequests', 'message': 'm'}}), 'error message of the service (TooManyReq'),
    'error of Entra': (text({'error': 'invalid_client', 'error_description': 'd'}), '(invalid_client)'),
    'error beside records': (text({'value': [ONE], 'error': {'code': 'c'}}), 'error message of the service'),
    'no records': (text({'value': []}), 'its list of records is empty'),
    'no list': (text({'value': 'x'}), 'something in it that is no object'),
    'numbers': (text([1, 2]), 'something in it that is no object'),
    'null': (b'null', 'something in it that is no object'),
    'another document': (text({'a': 1, 'b': 2}), 'no alert (number 1); its members: "a", "b"'),
    'an empty object': (b'{}', 'no alert (number 1); its members: none'),
    'an alert and something': (text(ONE, {'result': {}}), 'no alert (number 2); its members: "result"'),
    'two services': (text(ONE, SIEM), 'mixes records of different services: graph, siem'),
    'before the start': (text({**ONE, 'lastUpdateDateTime': '0001-01-01T00:00:00Z'}), 'shows none before 1990'),
}


@pytest.mark.parametrize('content, wanted', BAD.values(), ids=BAD)
def test_what_cannot_be_shown(tmp_path, content, wanted):
    """One sentence says why, and there is no traceback."""
    path = tmp_path / 'file'
    path.write_bytes(content)
    with pytest.raises(captured.Unusable) as caught:
        captured.read(path)
    assert wanted in str(caught.value) and '\n' not in str(caught.value)


def test_what_is_no_file(tmp_path):
    """A folder, a pipe, nothing, and a name that cannot be one."""
    os.mkfifo(tmp_path / 'pipe')
    for path, wanted in ((tmp_path, 'is a folder'), (tmp_path / 'pipe', 'is no regular file'),
                         (tmp_path / 'none', 'does not exist'), (tmp_path / 'none' / 'x', 'does not exist'),
                         (tmp_path / ('x' * 300), 'File name too long'), ('a\0b', 'cannot be read')):
        with pytest.raises(captured.Unusable, match=wanted):
            captured.read(path)


def test_the_command(tmp_path):
    """Its only line names the file, and the exit status says that nothing was shown."""
    path = plant.write(tmp_path, "it's an error.json", '{"error": {"code": "UnknownError"}}')
    code, said = plant.run(sys.executable, DEMO, '--alerts', path)
    assert code == 1
    assert said == f'demo: {path!r} is an error message of the service (UnknownError), no alert\n'


@pytest.mark.parametrize('name', ("it's.json", 'two words.json', 'a$HOME.json', '"quoted".json', "a';b.json", '*.json'))
def test_names(name):
    """make passes the name on as it is."""
    code, said = plant.run('make', '--no-print-directory', '-n', 'demo', 'ALERTS=' + name)
    assert code == 0
    assert shlex.split(plant.last_line(said))[-2:] == ['--alerts', name]
