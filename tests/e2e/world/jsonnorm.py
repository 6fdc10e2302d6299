"""White space and members of JSON text, handled as bytes.

The promise under test is "Microsoft's own bytes, but for white space between tokens". Checking it through a JSON
parser would forgive re-written numbers, escapes and key order, so everything here works on the text itself.
"""
import re

_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_STRINGS = re.compile(rb'(' + _STRING + rb')', re.DOTALL)
_STRING_OR_MARK = re.compile(rb'(' + _STRING + rb')|([{\[,:])', re.DOTALL)
_TOKEN = re.compile(_STRING + rb'|[{}\[\],:]|[^{}\[\],:"\s]+', re.DOTALL)

# What XML 1.0 cannot carry, besides lone surrogates, which cannot stand in decoded UTF-8.
_NOT_XML = re.compile('[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]')
_REPLACED = re.compile('\ufffd+')


def strip(data):
    """Remove the white space that stands outside strings; all other bytes stay as they are."""
    parts = _STRINGS.split(data)        # strings stand at the odd places
    parts[::2] = [part.translate(None, b' \t\r\n') for part in parts[::2]]
    return b''.join(parts)


def spread(data):
    """Put white space of every kind between tokens, as a server that pretty-prints does."""
    return _STRING_OR_MARK.sub(lambda m: m.group(1) or m.group(2) + b' \r\n\t', data)


def _member(data, name):
    """Where the value of a member of the outermost object begins and ends; None when it is absent."""
    depth, wanted, start = 0, False, None
    for token in _TOKEN.finditer(data):
        text = token.group()
        if start is not None and depth == 1 and text in (b',', b'}'):
            return start, token.start()
        if depth == 1 and text == b':' and wanted:
            start = token.end()
        wanted = depth == 1 and text == b'"' + name + b'"'
        if text in (b'{', b'['):
            depth += 1
        elif text in (b'}', b']'):
            depth -= 1
    return None


def replace_member(data, name, value):
    """Swap the value of one member of the outermost object for other bytes; unchanged when it is absent."""
    at = _member(data, name)
    return data[:at[0]] + value + data[at[1]:] if at else data


def records(data):
    """The records of captured answers, byte for byte: of a page with `value`, a bare array, one object, or one object
    a line."""
    document = _outermost(data)
    if len(document) == 1 and document[0][:1] == b'{':
        at = _member(document[0], b'value')
        value = document[0][at[0]:at[1]].strip() if at else b''
        document = [value] if value[:1] == b'[' else document
    if document and document[0][:1] == b'[':
        return _outermost(document[0][1:])
    return document


def _outermost(data):
    """The objects and arrays that stand at depth 0, in order; ends where more is closed than was opened."""
    found, depth, start = [], 0, 0
    for token in _TOKEN.finditer(data):
        if token.group() in (b'{', b'['):
            start = token.start() if depth == 0 else start
            depth += 1
        elif token.group() in (b'}', b']'):
            depth -= 1
            if depth < 0:
                break
            if depth == 0:
                found.append(data[start:token.end()])
    return found


def as_xml_text(data):
    """The text an XML stream can carry of these bytes: U+FFFD stands in for whatever it cannot.

    Returns (text, changed)."""
    text = data.decode('utf-8', 'replace')
    clean = _NOT_XML.sub('\ufffd', text)
    return clean, clean.encode('utf-8') != data


def fold_replaced(text):
    """One U+FFFD per run: how many stand for one broken sequence is left to the implementation."""
    return _REPLACED.sub('\ufffd', text)
