#!/usr/bin/env python3
"""Splunk Web in front of the stand-in of splunkd (tests/e2e/world), as far as the customers page needs it.

    web.py [APP_FOLDER]

Serves the page in both of its frames (the classic dashboard and splunk_ui_app.html), the app's static files, and the
way to splunkd below /LOCALE/splunkd/__raw: with a session and the CSRF header only, and only to addresses that
default/web.conf or Splunk's own default exposes. Every save goes to the real program (--validate-arguments), which
tries the sign-in with the stand-in of Microsoft. Prints one line of JSON, {"web": address, "control": address}, and
ends when stdin does. Tests steer it through the second address: a POST of {"do": name, ...} calls do_<name>.
"""
import configparser
import fnmatch
import html
import http.client
import http.server
import json
import os
import re
import sys
import threading
import time
import urllib.parse
import xml.dom.minidom

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, 'tests/e2e'))

from world.login_errors import refusing  # noqa: E402
from world.runner import validate  # noqa: E402
from world.splunkd import APP, KIND, MASK  # noqa: E402
from world.world import World  # noqa: E402

COLLECTION = 'defender_state'
RAW = 'splunkd/__raw'
TOKEN = 'token-of-this-session'
# What Splunk Web hands on without being told, of what the page uses: (pattern, methods). storage/passwords is in it.
DEFAULT_EXPOSED = [('storage/collections/**', 'GET POST DELETE'), ('storage/passwords/**', 'GET POST DELETE'),
                   ('search/v2/jobs', 'GET POST'), ('server/info', 'GET'), ('authentication/current-context', 'GET')]
TYPES = {'.js': 'application/javascript', '.css': 'text/css', '.png': 'image/png'}


def exposed():
    """(pattern, methods) of every address that is handed on."""
    conf = configparser.ConfigParser()
    conf.read(os.path.join(ROOT, 'default/web.conf'))
    own = [(conf[name]['pattern'], conf[name]['methods'].replace(',', ' '))
           for name in conf.sections() if name.startswith('expose:')]
    return own + DEFAULT_EXPOSED


def is_exposed(rules, method, path):
    """path: without servicesNS, owner and app. * is one part of a path, ** any number of them."""
    parts = path.split('/')
    for pattern, methods in rules:
        wanted = pattern.split('/')
        if wanted[-1] == '**':
            fits = len(parts) >= len(wanted) - 1 and parts[:len(wanted) - 1] == wanted[:-1]
        else:
            fits = len(parts) == len(wanted) and all(fnmatch.fnmatchcase(*pair) for pair in zip(parts, wanted))
        if fits and method in methods.split():
            return True
    return False


class Stage:
    """The state behind the servers, and what tests do with it."""

    def __init__(self, app):
        self.app, self.world, self.rules = app, World(tls=False), exposed()
        self.world.splunkd.kvstore.collection(COLLECTION, APP)
        self.world.splunkd.validate = self.validate
        self.reset()

    def reset(self):
        self.world.splunkd.changed = self.settle
        for program in self.world.programs:
            if program.running:
                program.terminate()
        self.capabilities = [f'edit_modinput_{KIND}', 'list_inputs']
        self.session, self.theme, self.down, self.missing = True, 'light', False, False
        self.ends_after = None          # changes until the session ends
        self.ignore_fields = False      # an older splunkd that does not know f=
        self.delay_s, self.results = 0, []
        self.log, self.most, self.running = [], 0, 0     # changes at once
        self.lock = threading.Lock()
        self.world.splunkd.inputs.clear()
        self.world.splunkd.passwords.clear()
        self.records.clear()
        self.world.splunkd.kvstore.down = None
        self.world.faults.clear()

    records = property(lambda self: self.world.splunkd.kvstore.records(COLLECTION, APP))

    def validate(self, name, params):
        """What splunkd does before it saves. The stand-ins of Microsoft are named as a site's defaults would be."""
        api = params.get('api') or 'graph'
        urls = {'login_url': self.world.url('login'), 'api_url': self.world.url(api)}
        given = {key: value for key, value in params.items() if value != ''}
        result = validate(self.world.home, name, {**urls, **given}, self.world.splunkd.session_key)
        time.sleep(self.delay_s)
        return None if result.code == 0 else result.message or f'exited with code {result.code}'

    def settle(self, stanza):
        """What the program does with a saved input: secrets go to the store, a code is redeemed."""
        name = stanza.partition('://')[2]
        if name not in self.world.splunkd.inputs:
            return
        params = self.world.splunkd.inputs[name][1]
        for key in ('client_secret', 'refresh_token'):
            if params.get(key) and params[key] != MASK:
                self.world.splunkd.store(f'{key}.{params["client_id"]}', params[key])
                params[key] = MASK
        if params.get('authorization_code'):
            params['authorization_code'] = ''
            self.do_record({'name': name, 'secret': 'delegated', 'condition': 'ok', 'rank': 11, 'todo': 'Nothing'})

    # --- steering -------------------------------------------------------------------------------------------------

    def do_reset(self, _):
        self.reset()

    def do_live(self, _):
        """From now on the program itself runs, as splunkd runs it, and is started again after each change. It stores
        secrets, redeems codes and writes the records."""
        self.world.splunkd.defaults.update(login_url=self.world.url('login'), api_url=self.world.url('graph'))
        self.world.splunkd.changed = lambda _: self.world.restart() if self.world.programs else self.world.start()

    def do_publish(self, what):
        """New alerts of a customer at Microsoft."""
        tenant = self.world.microsoft.tenant(what['name'])
        tenant.feed('graph').publish(what['count'])

    def do_lines(self, _):
        return [line.text for program in self.world.programs for line in program.lines]

    def do_set(self, what):
        """Attributes of this object; kvstore: why it is down."""
        if 'kvstore' in what:
            self.world.splunkd.kvstore.down = what.pop('kvstore')
        for key, value in what.items():
            setattr(self, key, value)

    def do_input(self, what):
        """Inputs as an edit of inputs.conf makes them: {"inputs": {name: parameters}, "app"}."""
        for name, params in what['inputs'].items():
            self.world.splunkd.add_input(name, what.get('app', APP), **params)

    def do_forget(self, what):
        self.world.splunkd.inputs.pop(what['name'], None)

    def do_record(self, what):
        """A record of the program, of now unless it says when it was written."""
        name = what.pop('name')
        now = int(time.time())
        self.records[name] = {'_key': name, 'input': name, 'forwarder': 'hf-main', 'version': '1.0.0', 'updated': now,
                              'condition': 'ok', 'rank': 11, 'todo': 'Nothing', 'since': now - 3600,
                              'last_poll': now - 20, 'newest_alert': now - 4000, 'secret': 'stored', **what}

    def do_raw_record(self, what):
        self.records[what['record']['_key']] = what['record']

    def do_records(self, what):
        for record in what['records']:
            self.do_record(record)

    def do_inputs(self, _):
        """What inputs.conf has now, and which secrets are stored."""
        return {name: params for name, (_app, params) in self.world.splunkd.inputs.items()}

    def do_stored(self, _):
        return self.world.splunkd.secrets()

    def do_customer(self, what):
        """A tenant that knows the shared app: {"tenant", "client_id", "secret"}."""
        tenant = self.world.microsoft.tenant(what['name'], self.world.shared_app())
        tenant.feed('graph')
        return {'tenant': tenant.id, 'client_id': tenant.app.client_id, 'secret': tenant.app.secret}

    def do_world_store(self, what):
        """Puts a secret into the password store, bound to the stand-ins of Microsoft."""
        self.world.splunkd.store(what['name'], what['secret'])

    def do_fault(self, what):
        """Microsoft refuses every sign-in with this code."""
        self.world.faults.add(refusing(what['code']), kind='token')

    def do_no_faults(self, _):
        self.world.faults.clear()

    def do_landing(self, what):
        """Where a browser ends that signs in at the address: asked of the stand-in of Microsoft."""
        address = urllib.parse.urlsplit(what['address'])
        connection = http.client.HTTPConnection(address.hostname, address.port)
        connection.request('GET', f'{address.path}?{address.query}')
        answer = connection.getresponse()
        answer.read()
        return {'address': answer.getheader('Location'), 'status': answer.status}

    def do_log(self, _):
        """The requests for splunkd: method, path, status and form; how many changes ran at once at most."""
        return {'requests': self.log, 'most': self.most}

    # --- the way to splunkd ---------------------------------------------------------------------------------------

    def hand_on(self, method, target, body):
        """(status, type, body) of a request that has passed the door."""
        path, _, query = target.partition('?')
        rest = path.split('/')[4:] if path.startswith('/servicesNS/') else path.split('/')[2:]
        short = '/'.join(rest)
        if not is_exposed(self.rules, method, short):
            return 404, 'text/html', b'<html>Splunk Web does not know this address</html>'
        if short.startswith('storage/passwords'):
            return 403, 'application/json', b'{"messages":[{"type":"ERROR","text":"the page must not ask for this"}]}'
        if short == 'authentication/current-context':
            return self.answer(200, {'entry': [{'content': {'username': 'admin', 'capabilities': self.capabilities}}]})
        if short == 'search/v2/jobs':
            return self.answer(200, {'results': self.results})
        if self.missing and short.startswith('data/inputs'):
            return self.refuse(404, 'Not Found')
        if method != 'GET' and f'edit_modinput_{KIND}' not in self.capabilities:
            return self.refuse(403, 'You (user=somebody) do not have permission to perform this operation (requires '
                                    f'capability: edit_modinput_{KIND}).')
        if self.ignore_fields:
            query = '&'.join(part for part in query.split('&') if not part.startswith('f='))
        return self.ask(method, f'{path}?{query}', body)

    @staticmethod
    def answer(status, found):
        return status, 'application/json; charset=UTF-8', json.dumps(found).encode()

    @classmethod
    def refuse(cls, status, text):
        return cls.answer(status, {'messages': [{'type': 'ERROR', 'text': text}]})

    def ask(self, method, target, body):
        address = urllib.parse.urlsplit(self.world.splunkd.url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        connection.request(method, target, body, {'Authorization': f'Splunk {self.world.splunkd.session_key}',
                                                  'Content-Type': 'application/x-www-form-urlencoded'})
        answer = connection.getresponse()
        found = answer.read()
        connection.close()
        return answer.status, answer.getheader('Content-Type'), found

    def through_the_door(self, method, target, headers, body):
        if self.down:
            return None
        if not self.session or self.ends_after == 0:
            return self.refuse(401, 'call not properly authenticated')
        if method != 'GET':
            cookie = f'splunkweb_csrf_token_{self.port}={TOKEN}'
            if headers.get('X-Splunk-Form-Key') != TOKEN or cookie not in headers.get('Cookie', '') or \
                    headers.get('X-Requested-With') != 'XMLHttpRequest':
                return self.refuse(403, 'CSRF validation failed')
            with self.lock:
                if self.ends_after:
                    self.ends_after -= 1
                self.running += 1 if 'data/inputs' in target else 0
                self.most = max(self.most, self.running)
        try:
            found = self.hand_on(method, target, body)
        finally:
            if method != 'GET':
                with self.lock:
                    self.running -= 1 if 'data/inputs' in target else 0
        self.log.append({'method': method, 'path': target.partition('?')[0], 'status': found[0],
                         'form': dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))})
        return found

    # --- pages ----------------------------------------------------------------------------------------------------

    def config(self):
        return json.dumps({'SPLUNKD_PATH': f'/en-US/{RAW}', 'LOCALE': 'en-US', 'MRSPARKLE_ROOT_PATH': '',
                           'MRSPARKLE_PORT_NUMBER': self.port, 'USERNAME': 'admin', 'APP': APP, 'BUILD_NUMBER': 'b1',
                           'APP_BUILD': 1})

    def dashboard(self):
        """The classic dashboard, as Splunk Web draws it: RequireJS is there, the script is fetched and run by eval, and
        dashboard.js of the app is loaded as well."""
        path = os.path.join(ROOT, 'default/data/ui/views/defender_mssp_manage.xml')
        root = xml.dom.minidom.parse(path).documentElement
        panel = ''.join(node.toxml() for node in root.getElementsByTagName('html')[0].childNodes)
        with open(os.path.join(HERE, 'dashboard.css'), encoding='utf-8') as file:
            style = file.read()
        scripts = json.dumps([root.getAttribute('script'), 'dashboard.js'])
        return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Customers</title><script>
            window.$C = {self.config()}; window.defined = [];
            window.define = function () {{ window.defined.push([].slice.call(arguments, 0, 1)); }};
            window.define.amd = {{}};
            window.require = window.requirejs = function () {{}};
            </script><style>{style}</style></head><body><div role="main">{panel}</div><script>
            {scripts}.forEach(function (name) {{
                fetch('/en-US/static/@b1:1/app/{APP}/' + name).then(function (r) {{ return r.text(); }})
                    .then(function (text) {{ (0, eval)(text); }});
            }});
            </script></body></html>"""

    def own_template(self):
        """splunk_ui_app.html of 10.4: an empty body and the page's script."""
        return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Customers</title><script>
            window.$C = {self.config()};</script></head><body style="margin:0">
            <script src="/en-US/static/@b1:1/app/{APP}/pages/defender_mssp_manage_app.js"></script></body></html>"""

    def static(self, path):
        """(type, bytes) of a static file, or None."""
        path = re.sub(r'^@[^/]*/', '', path)
        if path == 'build/api/get_theme.js':
            return TYPES['.js'], (f'window.__get_theme__ = {{ getTheme: function () {{ return Promise.resolve('
                                  f'{json.dumps(self.theme)}); }} }};').encode()
        if path in ('build/api/layout.js', 'build/api/layout-dark.js'):
            with open(os.path.join(HERE, 'layout.js'), 'rb') as file:
                return TYPES['.js'], file.read()
        found = re.fullmatch(rf'app/{APP}/([\w./-]+)', path)
        full = found and os.path.join(self.app, 'appserver/static', found[1])
        if not full or '..' in path or not os.path.isfile(full):
            return None
        with open(full, 'rb') as file:
            return TYPES.get(os.path.splitext(full)[1], 'text/plain'), file.read()


class Handler(http.server.BaseHTTPRequestHandler):
    """Both servers; stage and control are set on the classes below."""
    protocol_version = 'HTTP/1.1'
    stage = None

    def log_message(self, *_):
        pass

    def reply(self, status, kind, body, **headers):
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        for name, value in headers.items():
            for one in value if isinstance(value, list) else [value]:
                self.send_header(name.replace('_', '-'), one)
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get('Content-Length') or 0))


class Web(Handler):
    def answer(self):
        stage, (path, _, _) = self.stage, self.path.partition('?')
        body = self.body()
        if path.startswith(f'/en-US/{RAW}/'):
            found = stage.through_the_door(self.command, self.path[len(f'/en-US/{RAW}'):], self.headers, body)
            if found is None:
                self.close_connection = True
                return self.connection.close()
            return self.reply(*found)
        if path.startswith('/en-US/static/'):
            found = stage.static(path[len('/en-US/static/'):])
            return self.reply(200, *found) if found else self.reply(404, 'text/plain', b'')
        frames = {'defender_mssp_manage': stage.dashboard, 'defender_mssp_manage_app': stage.own_template}
        frame = frames.get(path.rpartition('/')[2])
        if frame:
            cookies = [f'splunkd_{stage.port}=session; Path=/; HttpOnly',
                       f'splunkweb_csrf_token_{stage.port}={TOKEN}; Path=/']
            return self.reply(200, 'text/html; charset=utf-8', frame().encode(), Set_Cookie=cookies)
        text = f'<!doctype html><html lang="en"><title>Stand-in</title><h1>{html.escape(path)}</h1></html>'
        return self.reply(200 if path.startswith('/en-US/') else 404, 'text/html; charset=utf-8', text.encode())

    do_GET = do_POST = do_DELETE = answer


class Control(Handler):
    def do_POST(self):
        what = json.loads(self.body() or b'{}')
        found = getattr(self.stage, f'do_{what.pop("do")}')(what)
        self.reply(200, 'application/json', json.dumps(found).encode())


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass                            # a browser that closes its connection


def main():
    stage = Stage(os.path.abspath(sys.argv[1]) if sys.argv[1:] else ROOT)
    servers = []
    for kind in (Web, Control):
        server = Server(('127.0.0.1', 0), type('Bound', (kind,), {'stage': stage}))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
    stage.port = servers[0].server_port
    print(json.dumps({'web': f'http://127.0.0.1:{stage.port}',
                      'control': f'http://127.0.0.1:{servers[1].server_port}'}), flush=True)
    sys.stdin.read()
    stage.world.close()


if __name__ == '__main__':
    main()
