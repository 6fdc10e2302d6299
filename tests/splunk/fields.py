"""What Splunk makes of an event at search time: the fields of props.conf, in the order that Splunk has.

EXTRACT, automatic JSON (KV_MODE), FIELDALIAS, EVAL. Calculated fields are worked out side by side: none sees another's
result. Automatic JSON names a member of an object in a list `list{}.name`, shows null as the text "null", and by
itself reads only the first 5000 characters of an event.
"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'package'))
import conf  # noqa: E402
import evals  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CUTOFF = 5000
_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null')
_COLON = re.compile(r'\s*:')


def read(name):
    """default/<name>.conf"""
    with open(os.path.join(ROOT, 'default', name + '.conf'), 'rb') as file:
        return conf.read_conf(file.read(), name)


def _add(found, name, value):
    text = {True: 'true', False: 'false', None: 'null'}[value] if value is None or isinstance(value, bool) \
        else str(value)
    found.setdefault(name, []).append(text)


def auto_json(text, cutoff=CUTOFF):
    """{name: [values]} of the JSON in the first cutoff characters (None: all): a walk that goes as far as it gets."""
    text = text if cutoff is None else text[:cutoff]
    found, path, at = {}, [], 0         # path: '{}' for each open list, the last member's name for each open object
    while at < len(text):
        sign = text[at]
        if sign in '{[':
            path.append('{}' if sign == '[' else '')
        elif sign in '}]':
            if not path:
                break
            path.pop()
        elif sign == '"' or sign.isalnum() or sign == '-':
            match = _SCALAR.match(text, at)
            if not match:
                break
            at = match.end()
            after = _COLON.match(text, at)
            if sign == '"' and after and path and path[-1] != '{}':
                path[-1] = json.loads(match.group(), strict=False)
                at = after.end()
            elif at < len(text) or cutoff is None:
                _add(found, ''.join(part if part == '{}' else '.' + part for part in path).lstrip('.'),
                     json.loads(match.group(), strict=False, parse_float=str, parse_int=str))
            continue
        at += 1
    return found


def _aliases(value):
    """[(from, to)] of a FIELDALIAS."""
    parts = re.findall(r'''("[^"]*"|\S+)\s+(AS|ASNEW)\s+("[^"]*"|\S+)''', value, re.IGNORECASE)
    return [(old.strip('"'), new.strip('"')) for old, _as, new in parts]


def defined_by(stanza):
    """The names of the fields that a source type's stanza defines."""
    for key, value in stanza.items():
        if key.startswith('EVAL-'):
            yield key[5:]
        if key.startswith('FIELDALIAS-'):
            yield from (new for _old, new in _aliases(value))
        if key.startswith('EXTRACT-'):
            yield from re.findall(r'\(\?<(\w+)>', value)


def fields_of(stanza, raw, source, cutoff=CUTOFF, **more):
    """All search-time fields of an event of this source type's stanza; values as evals.py has them."""
    event = {'_raw': raw, 'source': source, **more}
    for key, value in stanza.items():
        if key.startswith('EXTRACT-'):
            match = re.search(value.replace('(?<', '(?P<'), raw)
            event.update({name: text for name, text in (match.groupdict() if match else {}).items() if text})
    if stanza.get('KV_MODE') == 'json':
        for name, texts in auto_json(raw, cutoff).items():
            event.setdefault(name, texts[0] if len(texts) == 1 else texts)
    aliased = dict(event)
    for key, value in stanza.items():
        if key.startswith('FIELDALIAS-'):
            for old, new in _aliases(value):
                aliased[new] = event.get(old)
    calculated = {key[5:]: evals.compute(value, aliased) for key, value in stanza.items() if key.startswith('EVAL-')}
    return {name: value for name, value in {**aliased, **calculated}.items() if value is not None}


def tags_of(sourcetype):
    """The tags of an event of this source type, by eventtypes.conf and tags.conf."""
    found = set()
    tags = read('tags')
    for name, stanza in read('eventtypes').items():
        if f'"{sourcetype}"' in stanza['search']:
            found.update(tag for tag, state in tags.get(f'eventtype={name}', {}).items() if state == 'enabled')
    return found
