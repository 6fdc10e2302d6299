#!/usr/bin/env python3
"""The least that can be called a modular input for Graph alerts; the stand-ins are tested with it.

It stands in for the program in tests of the harness only. Environment MINIMAL_BUG: 'lose' (drops each tenth alert),
'repeat' (forgets what it wrote), 'reformat' (goes through a JSON parser), 'junk' (breaks the stream), 'deaf' (ignores
SIGTERM), 'asan' (pretends to be a sanitizer).
"""
import json
import os
import re
import signal
import ssl
import sys
import time
import urllib.parse
import urllib.request
import xml.etree.ElementTree
from datetime import datetime, timezone
from xml.sax.saxutils import escape, quoteattr

BUG = os.environ.get('MINIMAL_BUG', '')


def read_document(end):
    """Standard input up to the closing root tag; it may stay open beyond that."""
    data = b''
    while end not in data.replace(b'\0', b''):
        piece = os.read(0, 65536)
        if not piece:
            break
        data += piece
    return xml.etree.ElementTree.fromstring(data)


def fetch(address, params, body=None, headers=None):
    """One request; the body of the answer."""
    context = ssl.create_default_context(cafile=params['ca_file']) if 'ca_file' in params else None
    request = urllib.request.Request(address, body, headers or {})
    with urllib.request.urlopen(request, context=context, timeout=10) as answer:
        return answer.read()


def pages(params, token):
    """The raw records of all pages."""
    link = params['api_url'] + '/v1.0/security/alerts_v2?$top=50'
    while link:
        text = fetch(link, params, headers={'Authorization': 'Bearer ' + token}).decode()
        yield from records(text)
        link = json.loads(text).get('@odata.nextLink')


def records(text):
    """Split the page without touching the bytes of its records."""
    decoder = json.JSONDecoder()
    at = text.index('"value"') + 7
    at = text.index('[', at) + 1
    while True:
        at = re.compile(r'[\s,]*').match(text, at).end()
        if text[at] == ']':
            return
        _, end = decoder.raw_decode(text, at)
        yield text[at:end]
        at = end


def strip(text):
    """White space outside strings removed."""
    return re.sub(r'("[^"\\]*(?:\\.[^"\\]*)*")|\s+', lambda m: m.group(1) or '', text, flags=re.DOTALL)


def epoch(text):
    """Epoch seconds of a time, with its digits."""
    whole, _, part = text.rstrip('Z').partition('.')
    seconds = int(datetime.strptime(whole, '%Y-%m-%dT%H:%M:%S').replace(tzinfo=timezone.utc).timestamp())
    return f'{seconds}.{part}' if part else str(seconds)


def emit(stanza, raw, number):
    """Write one event."""
    fields = json.loads(raw)
    if BUG == 'lose' and number % 10 == 9:
        return
    data = json.dumps(fields) if BUG == 'reformat' else strip(raw)
    moment = epoch(fields['lastUpdateDateTime'])
    sys.stdout.write(f'<event stanza={quoteattr(stanza)} unbroken="1"><time>{moment}</time>'
                     f'<data>{escape(data)}</data><done/></event>\n')


def poll(stanza, params, known):
    """Look once for alerts not yet written."""
    form = urllib.parse.urlencode({'grant_type': 'client_credentials', 'client_id': params['client_id'],
                                   'client_secret': params['client_secret'],
                                   'scope': 'https://graph.microsoft.com/.default'}).encode()
    token = json.loads(fetch(f'{params["login_url"]}/{params["tenant_id"]}/oauth2/v2.0/token', params, form))
    for raw in pages(params, token['access_token']):
        if raw not in known or BUG == 'repeat':
            emit(stanza, raw, len(known))
            known.add(raw)
    sys.stdout.flush()


def stop(*_):
    """Leave the stream whole."""
    sys.stdout.write('</stream>\n')
    sys.stdout.flush()
    os._exit(0)


def main():
    """Validate, or stream until SIGTERM."""
    if sys.argv[1:] == ['--validate-arguments']:
        names = {param.get('name') for param in read_document(b'</items>').iter('param')}
        if 'tenant_id' not in names:
            print('<error><message>tenant_id is missing &amp; needed</message></error>')
            return 1
        return 0
    signal.signal(signal.SIGTERM, signal.SIG_IGN if BUG == 'deaf' else stop)
    stanzas = {stanza.get('name'): {param.get('name'): param.text or '' for param in stanza.iter('param')}
               for stanza in read_document(b'</input>').iter('stanza')}
    print('INFO started inputs=%d' % len(stanzas), file=sys.stderr, flush=True)
    if BUG == 'asan':
        print('==1==ERROR: AddressSanitizer: made up', file=sys.stderr, flush=True)
    print('<stream>' + ('<evnt/>' if BUG == 'junk' else ''))
    known = {stanza: set() for stanza in stanzas}
    while True:
        for stanza, params in stanzas.items():
            try:
                poll(stanza, params, known[stanza])
            except BrokenPipeError:
                os._exit(0)             # nobody reads us any more
            except (OSError, ValueError) as problem:
                print(f'WARN input={stanza} {problem!r}', file=sys.stderr, flush=True)
        time.sleep(0.1)


if __name__ == '__main__':
    sys.exit(main())
