"""The keys that Splunk knows in each configuration file: what is not among them, splunkd ignores without a word.

conf_keys.json holds names only, derived from Splunk's specifications (*.conf.spec of Splunk Enterprise; app and conf
files that an app may ship). {file: {stanza: [key]}}; <x> stands for any text. What an input's own stanza may hold
besides Splunk's keys is in README/inputs.conf.spec.
"""
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'package'))
import conf  # noqa: E402

with open(os.path.join(HERE, 'conf_keys.json'), encoding='ascii') as _file:
    KNOWN = json.load(_file)
# Splunk's own capabilities, of those that a role of this app has; its others begin with edit_modinput_.
CAPABILITIES = ('list_inputs', 'edit_modinput_', 'list_settings', 'rest_apps_view', 'rest_properties_get', 'search')


def _fits(name, pattern):
    parts = re.split(r'<[^<>]+>', pattern)
    return re.fullmatch('.+'.join(map(re.escape, parts)), name) is not None


def unknown(file, stanzas, declared=None):
    """One sentence for each stanza and key of that file that Splunk does not know. declared: {scheme: {key}} of
    inputs.conf.spec."""
    if file not in KNOWN:
        yield f'{file} is no file whose keys are listed in conf_keys.json'
        return
    for stanza, keys in stanzas.items():
        patterns = [p for p in KNOWN[file] if p == stanza or p and _fits(stanza, p)]
        exact = [p for p in patterns if '<' not in p]
        known = [key for p in exact or patterns for key in KNOWN[file][p]]
        if not patterns or file == 'inputs' and stanza.partition('://')[0] not in (declared or {}):
            yield f'{file} [{stanza}] is a stanza that Splunk does not know'
            continue
        if file == 'inputs':
            known += declared[stanza.partition('://')[0]]
        if file == 'authorize' and stanza.startswith('role_'):
            known += [key for key in keys if key.startswith(CAPABILITIES)]
        for key in keys:
            if not any(_fits(key, pattern) for pattern in known):
                yield f'{file} [{stanza}] {key} is a key that Splunk does not know'


def declared_keys(root):
    """{scheme: {key}} of README/inputs.conf.spec."""
    with open(os.path.join(root, 'README', 'inputs.conf.spec'), 'rb') as file:
        return {stanza.partition('://')[0]: set(keys)
                for stanza, keys in conf.read_spec(file.read(), 'inputs.conf.spec').items()}


def complaints(root):
    """Of all files of an app's default/ and metadata/; that there is none is one, too."""
    read = 0
    for folder, ending in (('default', '.conf'), ('metadata', '.meta')):
        for name in sorted(os.listdir(os.path.join(root, folder))):
            if not name.endswith(ending):
                continue
            read += 1
            with open(os.path.join(root, folder, name), 'rb') as file:
                stanzas = conf.read_conf(file.read(), name, ending == '.meta')
            yield from unknown(name if ending == '.meta' else name[:-len(ending)], stanzas, declared_keys(root))
    if not read:
        yield f'there is no conf file in {root}'
