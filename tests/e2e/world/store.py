"""The KV store that forwarders share: another splunkd, a deployment server or a search head, that takes tokens only.

Each forwarder has a door of its own to it, a port, so that its link can be cut alone and the log says who called.
"""
import base64
import itertools
import json
import os
import threading
import time

from .atom import Refusal
from .faults import black_hole
from .httpd import Response
from .splunkd import APP, Splunkd

SHARE, PLACES = 'defender_alerts_share', 'defender_alerts_places'
INITIALIZING = 'KV Store is initializing. Please try again later.'
READ_ONLY = 503, 'KV Store is in read-only mode. Write operations are not allowed.'
_FIELDS = {'field.group': 'string', 'field.kind': 'string', 'field.number': 'number', 'field.id': 'string',
           'field.input': 'string', 'field.text': 'string'}
_CONF = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', '..', 'default', 'collections.conf')


def _part(document):
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip('=')


def _settings(name):
    """The stanza as we ship it; its types if it is not there."""
    found, inside = {}, False
    with open(_CONF, encoding='utf-8') as file:
        for line in file:
            if line.startswith('['):
                inside = line.strip() == f'[{name}]'
            elif inside and ' = ' in line and not line.startswith('#'):
                key, _, value = line.partition(' = ')
                found[key] = value.strip()
    return found or {'enforceTypes': 'true', **_FIELDS}


class Store(Splunkd):
    """Steering, besides that of Splunkd: kvstore.down = INITIALIZING, kvstore.read_only = READ_ONLY, readable and
    writable (False: 403, as without rights on the collections), installed (False: 404, as without the app), cut() and
    mend(). engine: see records.py; kvstore.engine later.

    log of calls: calls(forwarder) -> [(when, method, path)]. tables: [(when, record)] of those that were inserted."""

    def __init__(self, loop, pair=None, clock=None, faults=None, engine=None):
        super().__init__(loop, pair, clock, faults, name='store', engine=engine)
        self._faults = faults
        self._tokens, self._numbers, self.doors = {}, itertools.count(1), {}    # token -> user or None
        self.readable = self.writable = self.installed = True
        self.tables, self._cuts, self._lock = [], {}, threading.Lock()
        self.on_table = None    # called with (when, record) of each new table
        for name in (SHARE, PLACES):
            self.kvstore.collection(name, APP, **_settings(name))

    # --- what tests use -------------------------------------------------------------------------------------------

    def token(self, ends_s=None, user='defender_share'):
        """A new authentication token; ends_s: seconds until it expires."""
        now = int(time.time())
        claims = {'iss': f'{user} from store', 'sub': user, 'aud': 'defender', 'idp': 'Splunk', 'iat': now, 'nbr': now,
                  'jti': f'{next(self._numbers):064x}', 'exp': 0 if ends_s is None else now + int(ends_s)}
        made = '.'.join((_part({'kid': 'splunk.secret', 'alg': 'HS512', 'ver': 'v2', 'ttyp': 'static'}), _part(claims),
                         'c2lnbmF0dXJl'))
        self._tokens[made] = claims
        return made

    def revoke(self, token):
        """It is worthless from here on."""
        self._tokens.pop(token, None)

    def door(self, forwarder):
        """The address that this forwarder uses: a Service of its own."""
        if forwarder not in self.doors:
            self.doors[forwarder] = door = self.service.twin()
            door.keep_alive, door.forwarder = True, forwarder
        return self.doors[forwarder]

    def records(self, collection=SHARE):
        """key -> record, as written last."""
        return dict(self.kvstore.records(collection, APP))

    def texts(self, kind, collection=SHARE):
        """name -> parsed text of the records of a kind; of a table, the number is the name."""
        return {key.split('.', 2)[2]: json.loads(record['text']) for key, record in
                sorted(self.records(collection).items()) if record.get('kind') == kind}

    def owners(self):
        """input -> forwarder, as of the newest table; {} without one."""
        tables = sorted(self.texts('table').items())
        body = self.texts('body', PLACES).get(tables[-1][1]['id'], {}) if tables else {}
        return {name: entry[0] for name, entry in body.items()}

    def calls(self, forwarder=None):
        """(when, method, path, status) of the requests, all or a forwarder's."""
        entries = [entry for name, door in self.doors.items() if forwarder in (None, name) for entry in list(door.log)]
        return sorted((entry.when, entry.method, entry.path, entry.status or 0) for entry in entries)

    def cut(self, forwarder, how='refused'):
        """Cut the link of a forwarder: 'refused' connections, 'silent' ones, or only its 'answers' get lost."""
        self.mend(forwarder)
        self._cuts[forwarder] = cut(self.door(forwarder), self._faults, how)

    def mend(self, forwarder):
        """The link works again."""
        self._cuts.pop(forwarder, lambda: None)()

    def crashes(self):
        """Tracebacks of the stand-in."""
        return self.service.crashes + [text for door in self.doors.values() for text in door.crashes]

    def close(self):
        """Stop it. Its engine belongs to whoever made it."""
        for service in (self.service, *self.doors.values()):
            service.stop()

    # --- requests -------------------------------------------------------------------------------------------------

    def _admit(self, request):
        kind, _, token = request.headers.get('authorization', '').partition(' ')
        claims = self._tokens.get(token) if kind == 'Bearer' else None
        if not claims or claims['exp'] and claims['exp'] <= time.time():
            raise Refusal(401, 'call not properly authenticated', 'WARN')
        if self.forbidden:
            raise Refusal(403, f'You (user={claims["sub"]}) do not have permission to perform this operation.')

    def _place(self, request, parts):
        owner, app, rest = super()._place(request, parts)
        if app == APP and not self.installed:
            raise Refusal(404, f'Application does not exist: {APP}')
        reads = request.method == 'GET' or request.path.endswith('/batch_find')
        if rest[:2] == ['storage', 'collections'] and not (self.readable if reads else self.writable):
            raise Refusal(403, f'You do not have permission to {"read" if reads else "write"} this collection.')
        return owner, app, rest

    def _route(self, request, as_json):
        response = super()._route(request, as_json)
        if request.method == 'POST' and response.status == 201 and request.path.endswith('/data/' + SHARE):
            record = json.loads(request.body)
            if record.get('kind') == 'table':
                now = time.monotonic()
                with self._lock:
                    self.tables.append((now, record))
                if self.on_table:
                    self.on_table(now, record)
        return response


def cut(service, faults, how='refused'):
    """Cut what leads to a service. Returns the function that mends it."""
    if how == 'refused':
        service.stop()
        return service.start
    rule = faults.add(black_hole(after=how == 'answers'), match=lambda request: request.service is service, first=True)
    if how == 'silent':
        service.freeze()

    def mend():
        rule.remove()
        service.drop()      # who still waits for an answer would wait for as long as it likes
    return mend


def late(seconds):
    """A fault: nobody gets an answer, and the request is done after so many seconds: a write that waited for
    replication, long after its caller gave up."""
    def fault(request, answer):
        timer = threading.Timer(seconds, answer)
        timer.daemon = True
        timer.start()
        response = Response()
        response.silent = True
        return response
    return fault
