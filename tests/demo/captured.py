"""Reads the file of `make demo ALERTS=FILE`: captured answers of one of the APIs, a JSON array, or records in sequence.

Whoever captured the file is at work with a browser or with curl, so a file that cannot be used is the usual case. Each
way in which it cannot is one sentence.
"""
import json
import os
import stat

from world import jsonnorm, ticks
from world.feed import ID_FIELD, UPDATE_FIELD

SINCE = '1990-01-01T00:00:00Z'     # no record of a service is older

# First bytes of a file that has to be converted before it is JSON, what it is, and how to convert it.
FORMATS = [
    (b'\x1f\x8b', 'is compressed with gzip; unpack it with gunzip first'),
    (b'PK\x03\x04', 'is a ZIP archive; unpack it with unzip first'),
    (b'\x28\xb5\x2f\xfd', 'is compressed with Zstandard; unpack it with unzstd first'),
    (b'BZh', 'is compressed with bzip2; unpack it with bunzip2 first'),
    (b'\xfd7zXZ\0', 'is compressed with xz; unpack it with unxz first'),
    (b'\xff\xfe\0\0', 'is UTF-32; convert it first: iconv -f UTF-32 -t UTF-8'),
    (b'\0\0\xfe\xff', 'is UTF-32; convert it first: iconv -f UTF-32 -t UTF-8'),
    (b'\xff\xfe', 'is UTF-16, as PowerShell writes it; convert it first: iconv -f UTF-16 -t UTF-8'),
    (b'\xfe\xff', 'is UTF-16; convert it first: iconv -f UTF-16 -t UTF-8'),
]
MEMBERS_SHOWN = 5
RECORDS_MOST = 5000     # more would take minutes


class Unusable(Exception):
    """The file cannot be shown; the text is a sentence that begins after the file's name."""


def bytes_of(path):
    """The content of a regular file."""
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise Unusable('is a folder; name one file in it')
        if not stat.S_ISREG(mode):
            raise Unusable('is no regular file')
        with open(path, 'rb') as file:
            return file.read()
    except FileNotFoundError:
        raise Unusable('does not exist') from None
    except PermissionError:
        raise Unusable('cannot be read by this user') from None
    except (OSError, ValueError) as error:
        raise Unusable(f'cannot be read: {getattr(error, "strerror", None) or error}') from None


def text_of(data):
    """The file as text. JSON is UTF-8, with or without a byte order mark."""
    for head, sentence in FORMATS:
        if data.startswith(head):
            raise Unusable(sentence)
    if b'\0' in data[:2]:
        raise Unusable('is UTF-16; convert it first: iconv -f UTF-16LE (or UTF-16BE) -t UTF-8')
    try:
        text = data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        line = data.count(b'\n', 0, error.start) + 1
        raise Unusable(f'is not UTF-8: line {line} has the byte 0x{data[error.start]:02X}') from None
    if not text.strip():
        raise Unusable('is empty')
    return text


def no_number(name):
    """Python's parser takes NaN and Infinity; JSON has neither."""
    raise ValueError(f'{name} is no number of JSON')


def documents(text):
    """Each JSON document of the text as (value, its bytes)."""
    decoder = json.JSONDecoder(parse_constant=no_number)
    at, found = 0, []
    while True:
        at += len(text[at:]) - len(text[at:].lstrip())
        if at == len(text):
            return found
        try:
            value, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise Unusable(about(error, text)) from None
        except RecursionError:
            raise Unusable('is nested too deeply') from None
        except ValueError as error:
            raise Unusable(f'is not JSON: {error}') from None
        found.append((value, text[at:end].encode()))
        at = end


def about(error, text):
    """What is wrong with JSON, and where."""
    if error.msg.startswith('Unterminated string') or error.pos >= len(text.rstrip()):
        return f'is cut off: the JSON does not end (line {text.count(chr(10)) + 1})'
    if text.lstrip()[:1] == '<':
        return 'is a page of HTML or XML, not JSON'
    return f'is not JSON: line {error.lineno}, column {error.colno}: {error.msg}'


def api_of(record):
    """Which API a record comes from, by the member that holds its update time; None if it is no alert."""
    if 'LastProcessedTimeUtc' in record:
        return 'siem'
    if 'lastUpdateTime' in record:
        return 'endpoint'
    if 'lastUpdateDateTime' in record:
        return 'incidents' if 'displayName' in record and 'title' not in record else 'graph'
    return None


def members(value):
    """Names the members of an object, for a sentence."""
    names = [json.dumps(name) for name in value]
    return ', '.join(names[:MEMBERS_SHOWN]) + (', ...' if len(names) > MEMBERS_SHOWN else '') or 'none'


def records_of(value, raw):
    """The records of one document: a page, an array, or a single record."""
    if isinstance(value, dict) and value.get('error'):
        error = value['error']
        what = error.get('code') or error.get('message') if isinstance(error, dict) else error
        raise Unusable(f'is an error message of the service ({str(what)[:60]}), no alert')
    if isinstance(value, dict) and 'value' in value:
        value = value['value']
    if isinstance(value, list):
        if all(isinstance(each, dict) for each in value):
            return list(zip(value, jsonnorm.records(raw)))
    return [(value, raw)]


def newest(records, api):
    """(ticks or 0, bytes) of each alert's newest version: a service shows no other."""
    latest = {}
    for number, (record, raw) in enumerate(records):
        name = ID_FIELD[api]
        key = record.get(name) if name and isinstance(record.get(name), str) else jsonnorm.strip(raw)
        try:
            when = ticks.parse(str(record.get(UPDATE_FIELD[api])))
        except ValueError:
            when = None
        if when is not None and when < ticks.parse(SINCE):
            said = record[UPDATE_FIELD[api]]
            raise Unusable(f'has a record of {said} (number {number + 1}); the demo shows none before {SINCE[:4]}')
        if key not in latest or (when or 0) >= latest[key][0]:
            latest[key] = (when or 0, raw)
    return list(latest.values())


def read(path):
    """(API, records byte for byte, how many were left out, start_time that reaches back to all) of a file. Raises
    Unusable."""
    records = [each for value, raw in documents(text_of(bytes_of(path))) for each in records_of(value, raw)]
    if not records:
        raise Unusable('holds no alerts: its list of records is empty')
    apis = []
    for number, (record, _) in enumerate(records):
        if not isinstance(record, dict):
            raise Unusable('holds no alerts: there is something in it that is no object')
        api = api_of(record)
        if not api:
            raise Unusable(f'holds something that is no alert (number {number + 1}); its members: {members(record)}')
        apis.append(api)
    if len(set(apis)) > 1:
        raise Unusable('mixes records of different services: ' + ', '.join(sorted(set(apis))))
    shown = newest(records, apis[0])[:RECORDS_MOST]
    oldest = min((when for when, _ in shown if when), default=ticks.parse(SINCE))
    start = ticks.iso(oldest // ticks.PER_SECOND * ticks.PER_SECOND)
    return apis[0], [raw for _, raw in shown], len(records) - len(shown), start
