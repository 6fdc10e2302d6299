"""splunkd's management port, as far as a modular input and those who set it up talk to it: sign-in, password store,
data inputs, messages and KV store. Splunk's own client works with it (tests/vendor).

Its inputs.conf is a model in memory from which runner.py also writes the XML for the program, so an edit that the
program makes itself (masking a secret) has the effect it has in Splunk: the process is started again.
"""
import hashlib
import json
import secrets
import threading
import time
from urllib.parse import parse_qsl

from . import atom
from .atom import BUILD, VERSION, Refusal, find
from .httpd import Response, Service
from .kvstore import KvStore
from .messages import Messages

APP, KIND = 'TA-defender-mssp', 'defender_alerts'
STATE = 'defender_state'        # default/collections.conf
MASK = '********'
PASSWORDS, INPUTS, COLLECTIONS = 'storage/passwords', f'data/inputs/{KIND}', 'storage/collections'
_HOME = 'search'        # the app that /services/ writes to
_LISTING = {'count', 'offset', 'search', 'output_mode', 'f', 'sort_key', 'sort_dir'}
# Keys that splunkd itself allows in every stanza, besides the scheme's arguments.
_IMPLICIT = {'name', 'index', 'host', 'source', 'sourcetype', 'interval', 'disabled', 'python.version',
             'start_by_shell', 'output_mode'}


class Splunkd:
    """The stand-in. Steering: cut_at (secrets are stored cut to so many characters), refuse_over (longer ones are
    answered with 400), forbidden (403 to all), starting_until (time.time() up to which it answers 503),
    new_session() (the old keys are dead). arguments: names that data/inputs accepts; None accepts all. users: name ->
    password of those who may sign in. kvstore, messages: see kvstore.py, messages.py.

    validate(name, params) -> error text or None is asked before an input is stored, as splunkd runs the program with
    --validate-arguments; changed(stanza) is called after one was stored, changed or removed."""

    def __init__(self, loop, pair=None, clock=None, faults=None, arguments=None, name='splunkd', engine=None):
        self.service = Service(loop, name, self._handle, pair, clock, faults, self._identify,
                               threaded=True)    # validation runs the program, which asks back
        self.service.keep_alive = True
        self.users, self.sessions, self.kvstore = {'admin': 'changeme'}, set(), KvStore(engine)
        self.kvstore.collection(STATE, APP)
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
        self.received, self.receives = [], True   # (query, text) of receivers/simple; False: no capability edit_tcp
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
        self.sessions.clear()
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

    def states(self):
        """input name -> record of its state in the KV store."""
        return {str(record.get('input')): record for record in list(self.kvstore.records(STATE, APP).values())}

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
        request.kind = next((kind for kind, part in (
            ('passwords', PASSWORDS), ('kvstore', COLLECTIONS), ('login', '/auth/login'), ('info', '/server/info'),
            ('messages', '/messages')) if part in request.path), 'inputs')

    def _handle(self, request):
        as_json = request.args.get('output_mode') == 'json' or request.form.get('output_mode') == 'json'
        try:
            response = self._route(request, as_json)
        except Refusal as refusal:
            response = atom.refuse(refusal, as_json)
        response.headers.update({'Expires': 'Thu, 26 Oct 1978 00:00:00 GMT', 'Server': 'Splunkd',
                                 'Cache-Control': 'no-store, no-cache, must-revalidate, max-age=0',
                                 'Vary': 'Cookie, Authorization', 'X-Frame-Options': 'SAMEORIGIN',
                                 'X-Content-Type-Options': 'nosniff'})
        return response

    def _route(self, request, as_json):
        if time.time() < self.starting_until:
            raise Refusal(503, 'Splunkd is starting up.', 'WARN')
        parts = atom.segments(request.path)
        if parts[1:] == ['services', 'auth', 'login']:
            return self._login(request, as_json)
        self._admit(request)
        owner, app, rest = self._place(request, parts)
        kind = '/'.join(rest[:2])
        if kind == 'server/info':
            return atom.answer(request.base, kind, 200, [self._info()], as_json=as_json)
        if rest[0] == 'messages':
            status, entries = self.messages.handle(request, [part for part in rest[1:] if part])
            return atom.answer(request.base, 'messages', status, *self._paged(entries, request.args), as_json)
        if kind == 'receivers/simple':
            return self._receive(request)
        if kind == COLLECTIONS:
            return self.kvstore.handle(request, owner, app, rest[2:], as_json)
        if kind == PASSWORDS:
            found = self._passwords(request, app, [part for part in rest[2:] if part])
        elif kind == 'data/inputs':
            kind, found = INPUTS, self._all_inputs(request, app, [part for part in rest[2:] if part])
        else:
            raise Refusal(404, 'Not Found')
        wanted = [value for key, value in parse_qsl(request.query) if key == 'f']
        return atom.answer(request.base, kind, *found, as_json, wanted)

    def _receive(self, request):
        """receivers/simple takes the body as one event, of whatever type it says it is."""
        if request.method != 'POST':
            raise Refusal(405, 'Method Not Allowed')
        if not self.receives:
            raise Refusal(403, 'You (user=analyst) do not have permission to perform this operation (requires '
                               'capability: edit_tcp).')
        self.received.append((request.args, request.body.decode()))
        body = {'index': request.args.get('index', 'default'), 'bytes': len(request.body), 'host': 'test',
                'source': request.args.get('source'), 'sourcetype': request.args.get('sourcetype')}
        return Response(200, json.dumps(body).encode(), kind='application/json; charset=UTF-8')

    def _place(self, request, parts):
        """(owner, app, the rest of the path). /services/ reads everywhere and writes to the user's own app."""
        if parts[1:2] == ['services'] and parts[2:]:
            return 'nobody', _HOME if request.method == 'POST' else '-', parts[2:]
        if parts[1:2] != ['servicesNS'] or len(parts) < 5:
            raise Refusal(404, 'Not Found')
        if parts[2] not in ('nobody', '-', *self.users):
            raise Refusal(404, f'User does not exist: {parts[2]}')
        return parts[2], parts[3], parts[4:]

    def _login(self, request, as_json):
        """A session key for name and password; with cookie=1 it comes as a cookie, too."""
        form = request.form
        if not form.get('password') or self.users.get(form.get('username')) != form['password']:
            raise Refusal(401, 'Login failed', 'WARN')
        key = self._key()
        self.sessions.add(key)
        cookie = {'Set-Cookie': f'{self._cookie()}={key}; Path=/; HttpOnly; Max-Age=3600'} \
            if form.get('cookie') == '1' else {}
        body = f'{{"sessionKey":"{key}","message":"","code":""}}' if as_json else \
            f'<response><sessionKey>{key}</sessionKey><messages><msg code=""></msg></messages></response>'
        return Response(200, body.encode(), cookie, f'{"application/json" if as_json else "text/xml"}; charset=UTF-8')

    def _cookie(self):
        return f'splunkd_{self.service.port}'

    def _admit(self, request):
        keys = {self.session_key, *self.sessions}
        cookies = dict(part.strip().partition('=')[::2] for part in request.headers.get('cookie', '').split(';'))
        kind, _, key = request.headers.get('authorization', '').partition(' ')
        user, password = request.basic_auth() or (None, None)
        if not (kind == 'Splunk' and key in keys or cookies.get(self._cookie()) in keys or
                user in self.users and self.users[user] == password):
            raise Refusal(401, 'call not properly authenticated', 'WARN')
        if self.forbidden:
            raise Refusal(403, 'You (user=splunk-system-user) do not have permission to perform this operation '
                               '(requires capability: list_storage_passwords OR admin_all_objects).')

    def _info(self):
        content = {'build': BUILD, 'version': VERSION, 'serverName': 'test', 'host': 'test', 'mode': 'normal',
                   'guid': '6F3C9B0A-52D1-4E07-9A3B-0C1D2E3F4A5B', 'isFree': False, 'isTrial': False,
                   'instance_type': 'download', 'product_type': 'enterprise', 'os_name': 'Linux',
                   'server_roles': ['indexer', 'license_master', 'kv_store'],
                   'kvStoreStatus': 'failed' if self.kvstore.down else 'ready'}
        return atom.entry('server/info', 'server-info', '', content, ('list',), 'system')

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
                return 200, self._listed(app), None
            return 200, [self._entry(key)], None
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
        return 201, [self._entry(key)], None

    def _update(self, app, identity, form):
        key = self._known(app, identity)
        unknown = set(form) - {'password'} - _LISTING
        if unknown:
            raise Refusal(400, f'Argument "{unknown.pop()}" is not supported by this handler.')
        self._write(key, form.get('password'))
        return 200, [self._entry(key)], None

    def _write(self, key, secret):
        if not secret or not secret.strip():
            raise Refusal(400, 'The following required arguments are missing: password.')
        if self.refuse_over is not None and len(secret) > self.refuse_over:
            raise Refusal(400, f'Splunk can only encrypt strings of up to {self.refuse_over} characters.')
        self.passwords[key] = secret if self.cut_at is None else secret[:self.cut_at]

    def _known(self, app, identity):
        known = {_identity(key): key for key in self.passwords if app in (key[0], '-')}
        name = find(known, identity) or find(known, identity + ':')     # the last colon may be left out
        if name is None:
            raise Refusal(404, f'Could not find object id={identity}')
        return known[name]

    def _listed(self, app):
        return [self._entry(key) for key in sorted(self.passwords) if app in (key[0], '-')]

    def _entry(self, key):
        app, realm, name = key
        content = {'realm': realm, 'username': name, 'clear_password': self.passwords[key], 'password': MASK,
                   'encr_password': '$7$' + '0' * 24}
        return atom.entry(PASSWORDS, _identity(key), app, content)

    def _all_inputs(self, request, app, rest):
        """data/inputs lists the kinds of inputs. There is one, of this app."""
        if not rest:
            return 200, [atom.entry('data/inputs', KIND, app, {}, ('list', 'create'))], None
        if rest[0] != KIND:
            raise Refusal(404, 'Not Found')
        return self._inputs(request, app, rest[1:])

    def _inputs(self, request, app, rest):
        if rest == ['_reload']:
            self.reloads += 1
            self._tell(None)
            return 200, [], None
        if not rest and request.method == 'POST':
            return self._add(app, request.form)
        if not rest:
            shown = [self._input_entry(name) for name in sorted(self.inputs) if app in (self.inputs[name][0], '-')]
            return (200,) + self._paged(shown, request.args)
        name = find([name for name in self.inputs if app in (self.inputs[name][0], '-')], rest[0])
        if name is None:
            raise Refusal(404, f'Could not find object id={rest[0]}')
        if request.method == 'DELETE':
            with self.lock:
                del self.inputs[name]
            self._tell(name)
            return 200, [], None
        if request.method == 'POST':
            switch = {'disable': {'disabled': '1'}, 'enable': {'disabled': '0'}}.get(rest[-1]) if rest[1:] else None
            self._edit(name, request.form if switch is None else switch)
        return 200, [self._input_entry(name)], None

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
        return 201, [self._input_entry(name)], None

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
        return atom.entry(INPUTS, name, app, dict(params), ('list', '_reload', 'edit', 'remove', 'disable'))


def _identity(key):
    """The id of a password; a colon or a backslash inside a part is escaped by a backslash."""
    return ''.join(part.replace('\\', '\\\\').replace(':', '\\:') + ':' for part in key[1:])


def _stored(form):
    return {key: value for key, value in form.items() if key not in ('name', 'output_mode')}


def _true(text):
    return str(text).lower() in ('1', 'true', 't', 'yes', 'y')
