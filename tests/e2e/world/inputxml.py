"""The XML that splunkd writes to a modular input's stdin, in the variants that have been seen."""
import random
from xml.sax.saxutils import escape, quoteattr

_BOM = {'utf-16-le': b'\xff\xfe', 'utf-16-be': b'\xfe\xff', 'utf-8-sig': b''}


def _params(params):
    lines = []
    for name, value in params.items():
        if isinstance(value, (list, tuple)):
            values = ''.join(f'<value>{escape(str(each))}</value>' for each in value)
            lines.append(f'<param_list name={quoteattr(name)}>{values}</param_list>')
        else:
            lines.append(f'<param name={quoteattr(name)}>{escape(str(value))}</param>')
    return ''.join(lines)


def _document(root, header, body, encoding, order, indent):
    parts = [f'<{name}>{escape(str(value))}</{name}>' for name, value in header.items()]
    if isinstance(order, int):                       # a seed: header elements and body in any order
        random.Random(order).shuffle(parts)
    parts.insert({'last': 0, 'middle': 2}.get(order, len(parts)), body)
    glue = '\n  ' if indent else ''
    declared = 'UTF-16' if encoding.startswith('utf-16') else 'UTF-8'
    text = f'<?xml version="1.0" encoding="{declared}"?>\n<{root}>{glue}{glue.join(parts)}{glue}</{root}>\n'
    return _BOM.get(encoding, b'') + text.encode(encoding)


def stream_input(header, stanzas, encoding='utf-8', order='first', indent=True):
    """`<input>` for stream mode. header: server_host, server_uri, session_key, checkpoint_dir. stanzas: full stanza
    name -> (app, params). encoding: utf-8, utf-8-sig, utf-16-le or utf-16-be. order: header 'first', 'last',
    'middle', or a number as seed."""
    body = ''.join(f'<stanza name={quoteattr(name)} app={quoteattr(app)}>{_params(params)}</stanza>'
                   for name, (app, params) in stanzas.items())
    body = f'<configuration>{body}</configuration>' if body else '<configuration/>'
    return _document('input', header, body, encoding, order, indent)


def validation_items(header, name, params, encoding='utf-8', order='first', indent=True):
    """`<items>` for --validate-arguments."""
    body = f'<item name={quoteattr(name)}>{_params(params)}</item>'
    return _document('items', header, body, encoding, order, indent)
