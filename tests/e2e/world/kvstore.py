"""Splunk's KV store, as its REST interface shows it: collections of JSON records, of each owner apart.

Below storage/collections: config lists, makes and removes collections; data/COLLECTION holds the records.
"""
import json
import operator
import re
import secrets
import threading

from .atom import Refusal, answer, entry, find
from .httpd import Response
from .records import Memory, Unavailable

CONFIG = 'storage/collections/config'
MOST_SAVED = 1000       # limits.conf [kvstore] max_documents_per_batch_save
MOST_ROWS = 50000       # max_rows_per_query
MOST_QUERIES = 1000     # max_queries_per_batch
MOST_SAVED_BYTES = 50 << 20     # max_size_per_batch_save_mb
MOST_DOCUMENT_BYTES = 16 << 20
_TYPES = {'number': (int, float), 'time': (int, float), 'string': str, 'bool': bool}
_ORDER = {'$lt': operator.lt, '$lte': operator.le, '$gt': operator.gt, '$gte': operator.ge}


class Collection:
    """settings: the keys of its stanza in collections.conf. Its records are in a table of the engine for each owner."""

    def __init__(self, engine, place, settings=None):
        self.settings, self._engine, self._place, self._tables = dict(settings or {}), engine, place, {}
        self._lock = threading.Lock()

    def table(self, owner):
        """The records of an owner."""
        with self._lock:
            if owner not in self._tables:
                self._tables[owner] = self._engine.table((*self._place, owner))
            return self._tables[owner]

    def typed(self, record):
        """Texts become numbers and truth values where the stanza says so (field.NAME = number). Other types are refused
        if it enforces them, and so is a document that is too large."""
        for name, value in record.items():
            kind = self.settings.get(f'field.{name}')
            if kind == 'number' and isinstance(value, str) and re.fullmatch(r'-?\d+(\.\d+)?', value):
                record[name] = float(value) if '.' in value else int(value)
            if kind == 'bool' and isinstance(value, str) and value.lower() in ('true', 'false', '1', '0'):
                record[name] = value.lower() in ('true', '1')
            if _true(self.settings.get('enforceTypes')) and not _is_a(kind, record[name]):
                raise Refusal(400, f'Field {name} of the document is not of the type {kind}.')
        if len(json.dumps(record)) > MOST_DOCUMENT_BYTES:
            raise Refusal(400, 'The document is larger than 16 MB.')
        return record


class KvStore:
    """The store. down: a text with which everything is answered 503, as while it starts or when it is disabled.
    read_only: (status, text) with which writes are refused. engine: see records.py."""

    def __init__(self, engine=None):
        self.collections, self.down, self.read_only = {}, None, None      # (app, name) -> Collection
        self.engine = engine or Memory()

    # --- what tests use -------------------------------------------------------------------------------------------

    def collection(self, name, app, **settings):
        """The collection, made on first use, as a stanza in collections.conf does."""
        if (app, name) not in self.collections:
            self.collections[app, name] = Collection(self.engine, (app, name), settings)
        return self.collections[app, name]

    def records(self, name, app, owner='nobody'):
        """key -> record of an owner."""
        return self.collections[app, name].table(owner).newest()

    # --- requests -------------------------------------------------------------------------------------------------

    def handle(self, request, owner, app, parts, as_json):
        """Answer one request. parts: the path after storage/collections."""
        if self.down:
            raise Refusal(503, self.down)
        if parts[0] == 'config':
            status, entries = self._config(request, app, parts[1:])
            return answer(request.base, CONFIG, status, entries, as_json=as_json)
        if parts[0] != 'data' or len(parts) < 2:
            raise Refusal(404, 'Not Found')
        found = self._known(app, parts[1])
        try:
            status, body = self._data(request, self.collections[found], owner, [part for part in parts[2:] if part])
        except Unavailable as problem:
            raise Refusal(503, f'KV Store is not available: {problem}') from problem
        return Response(status, b'' if body is None else json.dumps(body).encode(),
                        kind='application/json; charset=UTF-8')

    def _known(self, app, name):
        for place, known in self.collections:
            if place == app and find([known], name) is not None:
                return place, known
        raise Refusal(404, f'Could not find object id={name}')

    def _config(self, request, app, rest):
        rest = [part for part in rest if part]
        settings = {key: value for key, value in request.form.items() if key not in ('name', 'output_mode')}
        if not rest and request.method == 'POST':
            name = request.form.get('name')
            if not name:
                raise Refusal(400, 'The following required arguments are missing: name.')
            if (app, name) in self.collections:
                raise Refusal(409, f'Could not create object id={name}: object already exists.')
            self.collection(name, app, **settings)
            return 201, [self._entry(app, name)]
        if not rest:
            return 200, [self._entry(*key) for key in sorted(self.collections) if app in (key[0], '-')]
        key = self._known(app, rest[0])
        if request.method == 'DELETE':
            del self.collections[key]
            return 200, []
        if request.method == 'POST':
            self.collections[key].settings.update(settings)
        return 200, [self._entry(*key)]

    def _entry(self, app, name):
        content = {'disabled': False, 'profilingEnabled': 'false', 'replicate': 'false', 'type': 'undefined'}
        return entry(CONFIG, name, app, {**content, **self.collections[app, name].settings})

    def _data(self, request, collection, owner, rest):
        table, name = collection.table(owner), rest[0] if rest else None
        if request.method == 'POST' and name == 'batch_find':
            wanted, rows = _json(request, list), table.rows()
            if len(wanted) > MOST_QUERIES:
                raise Refusal(400, f'Too many queries for a single batch find, max_queries_per_batch={MOST_QUERIES}')
            return 200, [_rows(rows, dict(one)) for one in wanted]
        if request.method != 'GET' and self.read_only:
            raise Refusal(*self.read_only)
        if request.method == 'POST':
            if name == 'batch_save':
                if len(request.body) > MOST_SAVED_BYTES:
                    raise Refusal(400, 'Request exceeds API limits - see limits.conf for details. '
                                       '(max_size_per_batch_save_mb=50)')
                return 200, self._save_all(collection, table, owner, _json(request, list))
            return self._write(collection, table, owner, name, _json(request, dict))
        if request.method == 'DELETE' and not rest:
            query = {'query': request.args.get('query', '{}')}
            table.delete(lambda rows: [record['_key'] for record in _rows(rows, query)])
            return 200, None
        if not rest:
            return 200, _rows(table.rows(), request.args)
        if request.method == 'DELETE':
            if not table.delete(lambda rows: [key for key in [find(rows, name)] if key is not None]):
                raise Refusal(404, 'Could not find object.')
            return 200, None
        rows = table.rows()
        key = find(rows, name)
        if key is None:
            raise Refusal(404, 'Could not find object.')
        return 200, rows[key]

    @staticmethod
    def _write(collection, table, owner, name, record):
        """Insert a record; with a key in the path, replace the one of that key."""
        if name is None:
            key = record.get('_key') or secrets.token_hex(12)
            if not table.insert(key, dict(collection.typed(record), _key=key, _user=owner)):
                raise Refusal(409, 'A document with the same key and user already exists.')
            return 201, {'_key': key}
        for key in dict.fromkeys((name, name.replace('%2F', '/'))):
            if table.update(key, dict(collection.typed(record), _key=key, _user=owner)):
                return 200, {'_key': key}
        raise Refusal(404, 'Could not find object.')

    @staticmethod
    def _save_all(collection, table, owner, batch):
        """Insert or replace each; none is saved if there are too many."""
        if len(batch) > MOST_SAVED:
            raise Refusal(400, 'Request exceeds API limits - see limits.conf for details. (Too many documents for a '
                               f'single batch save, max_documents_per_batch_save={MOST_SAVED})')
        records = {}
        for record in batch:
            key = record.get('_key') or secrets.token_hex(12)
            records[key] = dict(collection.typed(record), _key=key, _user=owner)
        table.save(records)
        return [record['_key'] for record in records.values()]


def _is_a(kind, value):
    """Is the value of this type of a field? None: the field has none."""
    return isinstance(value, _TYPES.get(kind, object)) and isinstance(value, bool) <= (kind in (None, 'bool'))


def _true(text):
    return str(text).lower() in ('1', 'true')


def _json(request, kind):
    """The body, which has to be an object or a list, as the kind says; of a list each member is an object."""
    try:
        found = json.loads(request.body)
    except ValueError:
        found = None
    if not isinstance(found, kind) or kind is list and not all(isinstance(one, dict) for one in found):
        raise Refusal(400, 'JSON in the request is invalid.')
    return found


def _rows(records, options):
    """The records that a query finds, in its order, and of them the fields that it asks for."""
    query = options.get('query') or {}
    try:
        query = json.loads(query) if isinstance(query, str) else query
    except ValueError as problem:
        raise Refusal(400, 'JSON in the request is invalid.') from problem
    rows = [record for record in records.values() if _fits(record, query)]
    for part in reversed([part for part in (options.get('sort') or '').split(',') if part]):
        name, _, direction = part.partition(':')
        rows.sort(key=lambda row, name=name: _rank(row.get(name)), reverse=direction == '-1')
    skip, limit = int(options.get('skip') or 0), int(options.get('limit') or 0) or MOST_ROWS
    return [_picked(row, options.get('fields') or '') for row in rows[skip:skip + limit]]


def _rank(value):
    """Values of different types are in the order that MongoDB has: nothing, numbers, texts, the rest."""
    if value is None:
        return 0, 0
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return 3, json.dumps(value, sort_keys=True)
    return (2 if isinstance(value, str) else 1), value


def _picked(row, fields):
    """The record without NAME:0, and if names without 0 are given, only these and the key. _id means the key."""
    parts = [part.strip().partition(':') for part in fields.split(',') if part.strip()]
    hidden = {'_key' if name == '_id' else name for name, _, shown in parts if shown == '0'}
    wanted = {name for name, _, shown in parts if shown != '0'}
    return {name: value for name, value in row.items()
            if name not in hidden and (not wanted or name in wanted | {'_key'})}


def _fits(record, query):
    if not isinstance(query, dict):
        raise Refusal(400, 'JSON in the request is invalid.')
    return all(_holds(record, name, wanted) for name, wanted in query.items())


def _holds(record, name, wanted):
    """Does one condition of a query hold?"""
    if name in ('$and', '$or'):
        return (all if name == '$and' else any)([_fits(record, one) for one in wanted])
    if name == '$not':
        return not _fits(record, wanted)
    if name.startswith('$'):
        raise Refusal(400, f'Unknown operator: {name}')
    value = record
    for part in name.split('.'):
        value = value.get(part) if isinstance(value, dict) else None
    if not isinstance(wanted, dict):
        return value == wanted or isinstance(value, list) and wanted in value
    return all(_compares(value, sign, other) for sign, other in wanted.items())


def _compares(value, sign, other):
    if sign == '$ne':
        return value != other
    if sign == '$not':
        return not all(_compares(value, inner, what) for inner, what in other.items())
    if sign == '$regex':
        return isinstance(value, str) and re.search(other, value) is not None
    if sign not in _ORDER:
        raise Refusal(400, f'Unknown operator: {sign}')
    left, right = _rank(value), _rank(other)
    return left[0] == right[0] and _ORDER[sign](left[1], right[1])
