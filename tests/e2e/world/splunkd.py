"""splunkd's management port, as far as a modular input talks to it: password store and data inputs.

Its inputs.conf is a model in memory from which runner.py also writes the XML for the program, so an edit that the
program makes itself (masking a secret) has the effect it has in Splunk: the process is started again.
"""
import hashlib
import json
import secrets
import threading
import time
from urllib.parse import unquote
from xml.sax.saxutils import escape

from .httpd import Response, Service
from .messages import Messages

APP, KIND = 'TA-defender-mssp', 'defender_alerts'
MASK = '********'
_LISTING = {'count', 'offset', 'search', 'output_mode', 'f', 'sort_key', 'sort_dir'}
# Keys that splunkd itself allows in every stanza, besides the scheme's arguments.
_IMPLICIT = {'name', 'index', 'host', 'source', 'sourcetype', 'interval', 'disabled', 'python.version',
             'start_by_shell', 'output_mode'}


class Refusal(Exception):
    """Becomes splunkd's error message."""

    def __init__(self, status, text, kind='ERROR'):
        super().__init__(text)
        self.status, self.text, self.kind = status, text, kind


class Splunkd:
    """The stand-in. Steering: cut_at (secrets are stored cut to so many characters), refuse_over (longer ones are
    answered with 400), forbidden (403 to all), starting_until (time.time() up to which it answers 503),
    new_session() (the old key is dead). arguments: names that data/inputs accepts; None accepts all. messages: see
    messages.py.

    validate(name, params) -> error text or None is asked before an input is stored, as splunkd runs the program with
    --validate-arguments; changed(stanza) is called after one was stored, changed or removed."""

    def __init__(self, loop, pair=None, clock=None, faults=None, arguments=None):
        self.service = Service(loop, 'splunkd', self._handle, pair, clock, faults, self._identify,
                               threaded=True)    # validation runs the program, which asks back
        self.passwords = {}         # (app, realm, name) -> secret
        self.hosts = ()             # origins that secrets are bound to when a test puts them into the store
        self.inputs = {}            # input name -> (app, params)
        self.messages = Messages(f'edit_modinput_{KIND}')
        self.defaults = {'host': '$decideOnStartup', 'index': 'default', 'start_by_shell': 'false'}
        self.cut_at = self.refuse_over = None
        self.forbidden, self.starting_until = False, 0
        self.arguments = set(arguments) if arguments is not None else None
        self.validate = self.changed = None
        self.reloads = 0
        self.session_key = self._key()
        self.lock = threading.RLock()       # of inputs.conf; never held while something is asked

    url = property(lambda self: self.service.url)
    log = property(lambda self: self.service.log)

    @staticmethod
    def _key():
        return secrets.token_urlsafe(60).replace('-', '^') + '^_'

    # --- what tests use -------------------------------------------------------------------------------------------

    def new_session(self):
        """Session keys given out so far are worthless from here on."""
        self.session_key = self._key()
        return self.session_key

    def starting(self, seconds):
        """Answer 503 for a while, as after a start of splunkd."""
        self.starting_until = time.time() + seconds

    def add_input(self, name, app='search', **params):
        """Put a stanza into inputs.conf, as a hand edit would: no validation."""
        with self.lock:
            self.inputs[name] = (app, {key: str(value) for key, value in params.items()})

    def stanzas(self):
        """full stanza name -> (app, params), disabled ones left out: what goes into the program's XML."""
        with self.lock:
            return {f'{KIND}://{name}': (app, dict(self.defaults, **params))
                    for name, (app, params) in self.inputs.items() if not _true(params.get('disabled', '0'))}

    def password(self, name, realm=APP, app=APP):
        """A stored secret, or None."""
        return self.passwords.get((app, realm, name))

    def store(self, name, secret, realm=APP, app=APP, hosts=None):
        """Put a secret into the store behind the program's back, as entered in an input that names these hosts.

        hosts: origins (scheme, host and port); None: those of the world's services; (): as version 1.0.0 stored it."""
        self.passwords[app, realm, name] = secret
        origins = self.hosts if hosts is None else hosts
        if origins and realm == APP:
            digest = hashlib.sha256(secret.encode()).hexdigest()
            self.passwords[app, realm, name + '.hosts'] = f'{APP} hosts {digest} {" ".join(origins)}'

    def secrets(self):
        """name -> secret of our own entries, without the notes that bind them to hosts."""
        return {name: secret for (app, realm, name), secret in sorted(self.passwords.items())
                if (app, realm) == (APP, APP) and '.hosts' not in name}

    # --- requests -------------------------------------------------------------------------------------------------

    def _identify(self, request):
        kinds = {'storage/passwords': 'passwords', 'services/messages': 'messages'}
        request.kind = next((kind for part, kind in kinds.items() if part in request.path), 'inputs')

    def _handle(self, request):
        as_json = request.args.get('output_mode') == 'json' or request.form.get('output_mode') == 'json'
        try:
            status, entries, paging = self._route(request)
            return _answer(status, entries, paging, as_json)
        except Refusal as refusal:
            return _refuse(refusal, as_json)

    def _route(self, request):
        self._admit(request)
        parts = [unquote(part) for part in request.path.split('/')]
        if parts[1:3] == ['services', 'messages']:
            status, found = self.messages.handle(request, parts[3:])
            if status >= 400:
                raise Refusal(status, found)
            return (status,) + self._paged(found, request.args)
        if parts[1:2] != ['servicesNS'] or len(parts) < 6:
            raise Refusal(404, 'Not Found')
        owner, app, kind, rest = parts[2], parts[3], '/'.join(parts[4:6]), parts[6:]
        if owner not in ('nobody', '-'):
            raise Refusal(404, f'User does not exist: {owner}')
        if kind == 'storage/passwords':
            return self._passwords(request, app, rest)
        if kind == 'data/inputs' and rest[:1] == [KIND]:
            return self._inputs(request, app, rest[1:])
        raise Refusal(404, 'Not Found')

    def _admit(self, request):
        if time.time() < self.starting_until:
            raise Refusal(503, 'Splunkd is starting up.', 'WARN')
        if request.headers.get('authorization') != f'Splunk {self.session_key}':
            raise Refusal(401, 'call not properly authenticated', 'WARN')
        if self.forbidden:
            raise Refusal(403, 'You (user=splunk-system-user) do not have permission to perform this operation '
                               '(requires capability: list_storage_passwords OR admin_all_objects).')

    def _passwords(self, request, app, rest):
        form = request.form
        if request.method == 'POST':
            if app == '-':
                raise Refusal(400, 'Must use an app context to write.')
            return self._update(app, rest[0], form) if rest else self._create(app, form)
        if rest:
            key = self._known(app, rest[0])
            if request.method == 'DELETE':
                del self.passwords[key]
                return 200, self._listed(app), {}
            return 200, [self._entry(key)], {}
        return (200,) + self._paged(self._listed(app), request.args)

    @staticmethod
    def _paged(entries, args):
        """Thirty entries unless told otherwise: whoever forgets count=0 misses the rest."""
        wanted = args.get('search')
        if wanted:
            field, equals, text = wanted.rpartition('=')
            entries = [entry for entry in entries if text.strip('*') in (
                entry['content'].get(field, '') if equals else entry['name'])]
        count, offset = int(args.get('count') or 30), int(args.get('offset') or 0)
        shown = entries[offset:] if count <= 0 else entries[offset:offset + count]
        return shown, {'total': len(entries), 'perPage': count if count > 0 else 10_000_000, 'offset': offset}

    def _create(self, app, form):
        unknown = set(form) - {'name', 'password', 'realm'} - _LISTING
        if unknown:
            raise Refusal(400, f'Argument "{unknown.pop()}" is not supported by this handler.')
        if not form.get('name'):
            raise Refusal(400, 'The following required arguments are missing: name.')
        key = (app, form.get('realm', ''), form['name'])
        if key in self.passwords:
            raise Refusal(409, f"Could not create object id='{_identity(key)}': object already exists.")
        self._write(key, form.get('password'))
        return 201, [self._entry(key)], {}

    def _update(self, app, identity, form):
        key = self._known(app, identity)
        unknown = set(form) - {'password'} - _LISTING
        if unknown:
            raise Refusal(400, f'Argument "{unknown.pop()}" is not supported by this handler.')
        self._write(key, form.get('password'))
        return 200, [self._entry(key)], {}

    def _write(self, key, secret):
        if not secret or not secret.strip():
            raise Refusal(400, 'The following required arguments are missing: password.')
        if self.refuse_over is not None and len(secret) > self.refuse_over:
            raise Refusal(400, f'Splunk can only encrypt strings of up to {self.refuse_over} characters.')
        self.passwords[key] = secret if self.cut_at is None else secret[:self.cut_at]

    def _known(self, app, identity):
        for key in self.passwords:
            if app in (key[0], '-') and _identity(key) == identity:
                return key
        raise Refusal(404, f"Could not find object id={identity}")

    def _listed(self, app):
        return [self._entry(key) for key in sorted(self.passwords) if app in (key[0], '-')]

    def _entry(self, key):
        app, realm, name = key
        content = {'realm': realm, 'username': name, 'clear_password': self.passwords[key], 'password': MASK,
                   'encr_password': '$7$' + '0' * 24}
        return {'name': _identity(key), 'acl': {'app': app, 'owner': 'nobody', 'sharing': 'app'}, 'content': content}

    def _inputs(self, request, app, rest):
        if rest == ['_reload']:
            self.reloads += 1
            self._tell(None)
            return 200, [], {}
        if not rest and request.method == 'POST':
            return self._add(app, request.form)
        if not rest:
            shown = [self._input_entry(name) for name in sorted(self.inputs) if app in (self.inputs[name][0], '-')]
            return (200,) + self._paged(shown, request.args)
        name = rest[0]
        if name not in self.inputs or app not in (self.inputs[name][0], '-'):
            raise Refusal(404, f'Could not find object id={name}')
        if request.method == 'DELETE':
            with self.lock:
                del self.inputs[name]
            self._tell(name)
            return 200, [], {}
        if request.method == 'POST':
            self._edit(name, request.form)
        return 200, [self._input_entry(name)], {}

    def _add(self, app, form):
        name = form.get('name')
        if not name:
            raise Refusal(400, 'The following required arguments are missing: name.')
        if name in self.inputs:
            raise Refusal(409, f'An input with the name {name} already exists.')
        self._check(name, form, {})
        with self.lock:
            self.inputs[name] = (app, _stored(form))
        self._tell(name)
        return 201, [self._input_entry(name)], {}

    def _edit(self, name, form):
        if 'name' in form:
            raise Refusal(400, 'Argument "name" is not supported by this handler.')
        _, params = self.inputs[name]
        self._check(name, form, params)
        with self.lock:
            params.update(_stored(form))
        self._tell(name)

    def _check(self, name, form, before):
        unknown = [key for key in form if self.arguments is not None and key not in self.arguments | _IMPLICIT]
        if unknown:
            raise Refusal(400, f'Argument "{unknown[0]}" is not supported by this handler.')
        complaint = self.validate and self.validate(name, dict(before, **_stored(form)))
        if complaint:
            raise Refusal(400, complaint)

    def _tell(self, name):
        """Off this thread: what follows, such as a restart of the program, takes its time."""
        if self.changed:
            stanza = f'{KIND}://{name}' if name else None
            threading.Thread(target=self.changed, args=(stanza,), daemon=True).start()

    def _input_entry(self, name):
        app, params = self.inputs[name]
        return {'name': name, 'acl': {'app': app, 'owner': 'nobody', 'sharing': 'app'}, 'content': dict(params)}


def _identity(key):
    """The id of a password; a colon inside a part is escaped."""
    return ''.join(part.replace(':', '\\:') + ':' for part in key[1:])


def _stored(form):
    return {key: value for key, value in form.items() if key not in ('name', 'output_mode')}


def _true(text):
    return str(text).lower() in ('1', 'true', 't', 'yes', 'y')


def _answer(status, entries, paging, as_json):
    if as_json:
        body = json.dumps({'links': {}, 'origin': '', 'entry': entries, 'paging': paging, 'messages': []})
        return Response(status, body.encode(), kind='application/json; charset=UTF-8')
    rows = ''.join('<entry><title>{}</title><content type="text/xml"><s:dict>{}</s:dict></content></entry>'.format(
        escape(entry['name']), ''.join(f'<s:key name="{escape(key)}">{escape(str(value))}</s:key>'
                                       for key, value in entry['content'].items())) for entry in entries)
    body = ('<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" '
            f'xmlns:s="http://dev.splunk.com/ns/rest">{rows}</feed>')
    return Response(status, body.encode(), kind='text/xml; charset=UTF-8')


def _refuse(refusal, as_json):
    if as_json:
        body = json.dumps({'messages': [{'type': refusal.kind, 'text': refusal.text}]})
        return Response(refusal.status, body.encode(), kind='application/json; charset=UTF-8')
    body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<response><messages><msg type="{refusal.kind}">'
            f'{escape(refusal.text)}</msg></messages></response>')
    return Response(refusal.status, body.encode(), kind='text/xml; charset=UTF-8')
