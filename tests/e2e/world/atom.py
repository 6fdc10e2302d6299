"""How splunkd answers: entries with links and an id, as an Atom feed or as JSON; a refusal as messages."""
import json
from urllib.parse import quote, unquote_plus
from xml.sax.saxutils import escape, quoteattr

from .httpd import Response

UPDATED = '2026-01-02T03:04:05+00:00'
BUILD, VERSION = 'd1f2b6c3a9e0', '9.4.3'
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_KEYWORDS = {'True': '1', 'False': '0', 'None': ''}


class Refusal(Exception):
    """Becomes splunkd's error message."""

    def __init__(self, status, text, kind='ERROR'):
        super().__init__(text)
        self.status, self.text, self.kind = status, text, kind


def segments(path):
    """The parts of a path, decoded. A plus is a blank: Splunk's own client writes names so."""
    return [unquote_plus(part) for part in path.split('/')]


def find(names, wanted):
    """The name that a part of a path means, or None. Links have a slash as %252F, which is decoded once only."""
    return next((name for name in (wanted, wanted.replace('%2F', '/')) if name in names), None)


def entry(kind, name, app, content, actions=('list', 'edit', 'remove'), owner='nobody'):
    """An object of that kind ('storage/passwords') in an app, '' if it is in none. actions: the links besides that to
    itself."""
    place = f'servicesNS/{owner}/{app}' if app else 'services'
    path = f'/{place}/{kind}/{quote(name.replace("/", "%2F"), safe="")}'
    more = {action: path if action in ('list', 'edit', 'remove', 'create') else f'{path}/{action}'
            for action in actions}
    return {'name': name, 'id': path, 'updated': UPDATED, 'links': {'alternate': path, **more}, 'author': owner,
            'acl': {'app': app, 'can_list': True, 'can_write': True, 'modifiable': True, 'owner': owner,
                    'perms': {'read': ['*'], 'write': ['admin']}, 'removable': 'remove' in actions,
                    'sharing': 'app' if app else 'system'},
            'content': content}


def answer(base, title, status, entries, paging=None, as_json=False, only=()):
    """A feed of entries. base: the address by which we were called. only: the fields that were asked for (f=)."""
    shown = [dict(one, id=base + one['id'], content={key: value for key, value in one['content'].items()
                                                     if not only or key in only}) for one in entries]
    paging = paging or {'total': len(shown), 'perPage': 30, 'offset': 0}
    if as_json:
        body = json.dumps({'links': {}, 'origin': f'{base}/services/{title}', 'updated': UPDATED,
                           'generator': {'build': BUILD, 'version': VERSION}, 'entry': shown, 'paging': paging,
                           'messages': []})
        return Response(status, body.encode(), kind='application/json; charset=UTF-8')
    counts = ''.join(f'<opensearch:{name}>{paging[key]}</opensearch:{name}>' for name, key in (
        ('totalResults', 'total'), ('itemsPerPage', 'perPage'), ('startIndex', 'offset')))
    body = (f'{_HEAD}<feed xmlns="http://www.w3.org/2005/Atom" xmlns:s="http://dev.splunk.com/ns/rest" '
            f'xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/"><title>{escape(title)}</title>'
            f'<id>{base}/services/{title}</id><updated>{UPDATED}</updated>'
            f'<generator build="{BUILD}" version="{VERSION}"/><author><name>Splunk</name></author>{counts}'
            f'<s:messages/>{"".join(map(_atom_entry, shown))}</feed>')
    return Response(status, body.encode(), kind='text/xml; charset=UTF-8')


def _atom_entry(one):
    links = ''.join(f'<link href={quoteattr(path)} rel="{rel}"/>' for rel, path in one['links'].items())
    return (f'<entry><title>{_text(one["name"])}</title><id>{escape(one["id"])}</id><updated>{UPDATED}</updated>'
            f'{links}<author><name>{one["author"]}</name></author><content type="text/xml">'
            f'{_value(dict(one["content"], **{"eai:acl": one["acl"]}))}</content></entry>')


def _text(value):
    return escape(str(value), {'\r': '&#13;'})


def _value(value):
    """A value as splunkd's XML has it; true, false and nothing have no words of their own."""
    if isinstance(value, dict):
        return '<s:dict>' + ''.join(f'<s:key name={quoteattr(key)}>{_value(part)}</s:key>'
                                    for key, part in value.items()) + '</s:dict>'
    if isinstance(value, list):
        return '<s:list>' + ''.join(f'<s:item>{_value(part)}</s:item>' for part in value) + '</s:list>'
    return _KEYWORDS[str(value)] if value is None or isinstance(value, bool) else _text(value)


def refuse(refusal, as_json):
    """A refusal as it goes out."""
    if as_json:
        body = json.dumps({'messages': [{'type': refusal.kind, 'text': refusal.text}]})
        return Response(refusal.status, body.encode(), kind='application/json; charset=UTF-8')
    body = f'{_HEAD}<response><messages><msg type="{refusal.kind}">{_text(refusal.text)}</msg></messages></response>'
    return Response(refusal.status, body.encode(), kind='text/xml; charset=UTF-8')
