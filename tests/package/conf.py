"""Strict readers of what an app ships: .conf and .meta files, .spec files, JSON, PNG.

splunkd forgives nearly everything by ignoring it in silence, so these refuse what it would ignore."""
import json
import re
import struct

_STANZA = re.compile(r'\[(.*)\]\Z')
_KEY = re.compile(r'[A-Za-z0-9_.:\-]+(<[a-z_]+>)?\Z')


class Malformed(Exception):
    """Says the file, the line and what is wrong with it."""


def text_of(data, name):
    """UTF-8 text with plain line ends, or Malformed."""
    if data.startswith(b'\xef\xbb\xbf'):
        raise Malformed(f'{name}: begins with a byte order mark, which splunkd takes as part of the first stanza')
    if b'\r' in data:
        raise Malformed(f'{name}: has Windows line ends')
    if b'\0' in data:
        raise Malformed(f'{name}: has a zero byte')
    try:
        text = data.decode('utf-8')
    except UnicodeDecodeError as error:
        raise Malformed(f'{name}: is not UTF-8: {error}') from error
    if text and not text.endswith('\n'):
        raise Malformed(f'{name}: the last line has no end')
    return text


def _logical_lines(text, name):
    """(line number, text) with continued lines joined, as in a search that spans lines."""
    pending, start = None, 0
    for number, line in enumerate(text[:-1].split('\n'), 1):
        if line.endswith(('\\ ', '\\\t')):
            raise Malformed(f'{name}:{number}: white space after the backslash ends the setting there')
        if pending is None:
            start, pending = number, ''
        if line.endswith('\\'):
            pending += line[:-1] + '\n'
            continue
        yield start, pending + line
        pending = None
    if pending is not None:
        raise Malformed(f'{name}:{start}: the last line is continued')


def read_conf(data, name, global_stanza=False):
    """A .conf or .meta file as {stanza: {key: value}}. Settings before the first stanza are refused (they would be
    merged into every app's), and so are repeated stanzas and keys, of which splunkd keeps one. global_stanza: `[]` is
    allowed, as in .meta files."""
    found, stanza = {}, None
    for number, text in _logical_lines(text_of(data, name), name):
        line = text.strip() if '\n' not in text else text.lstrip()
        if not line or line.startswith('#'):
            continue
        head = _STANZA.match(line)
        if head:
            stanza = head.group(1)
            if not stanza and not global_stanza:
                raise Malformed(f'{name}:{number}: a stanza without a name')
            if stanza in found:
                raise Malformed(f'{name}:{number}: [{stanza}] for the second time')
            found[stanza] = {}
            continue
        key, equals, value = line.partition('=')
        key = key.strip()
        if not equals:
            raise Malformed(f'{name}:{number}: neither a stanza nor key = value: {line[:60]!r}')
        if stanza is None:
            raise Malformed(f'{name}:{number}: {key} comes before the first stanza')
        if not _KEY.match(key):
            raise Malformed(f'{name}:{number}: {key!r} cannot be a key')
        if key in found[stanza]:
            raise Malformed(f'{name}:{number}: {key} for the second time in [{stanza}]')
        found[stanza][key] = value.strip()
    return found


def read_spec(data, name):
    """A .spec file as {stanza: {key: what it may be}}. Lines that begin with * or # explain."""
    found, stanza = {}, None
    for number, text in _logical_lines(text_of(data, name), name):
        line = text.strip()
        if not line or line[0] in '*#':
            continue
        head = _STANZA.match(line)
        if head:
            stanza = head.group(1)
            if not stanza or stanza in found:
                raise Malformed(f'{name}:{number}: [{stanza}] has no name, or is here for the second time')
            found[stanza] = {}
            continue
        key, equals, value = (part.strip() for part in line.partition('='))
        if not equals or not _KEY.match(key) or not value:
            raise Malformed(f'{name}:{number}: not key = <what it may be>: {line[:60]!r}')
        if stanza is None or key in found[stanza]:
            raise Malformed(f'{name}:{number}: {key} comes before the first stanza or for the second time in '
                            f'[{stanza}]')
        found[stanza][key] = value
    return found


def read_json(data, name):
    """JSON without repeated names, NaN or Infinity."""
    def unique(pairs):
        names = [key for key, _value in pairs]
        if len(set(names)) != len(names):
            raise ValueError(f'a name for the second time among {names}')
        return dict(pairs)

    def refuse(word):
        raise ValueError(f'{word} is no JSON')
    try:
        return json.loads(text_of(data, name) if name else data, object_pairs_hook=unique, parse_constant=refuse)
    except ValueError as error:
        raise Malformed(f'{name}: {error}') from error


def png_size(data, name):
    """(width, height) of a PNG."""
    if data[:8] != b'\x89PNG\r\n\x1a\n' or data[12:16] != b'IHDR':
        raise Malformed(f'{name}: is no PNG')
    return struct.unpack('>II', data[16:24])


def is_true(value):
    """A boolean as Splunk reads it."""
    return value is not None and value.strip().lower() in ('1', 'true', 't', 'yes', 'y', 'on')
