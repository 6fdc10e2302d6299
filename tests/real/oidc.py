"""Starts the OAuth server of tests/real/oidc (npm's oidc-provider, a certified implementation, speaking as Entra).

    with Oidc(pair, tenants={tenant_id: {'apps': [...]}}, resources=[...]) as server:
        server.url, server.log, server.code(tenant_id, app, ...)

The packages are installed once, into build/oidc, by `npm ci` from the committed lock file. Unavailable is raised where
that cannot be done, for a test to be skipped.
"""
import fcntl
import filecmp
import hashlib
import http.cookiejar
import json
import os
import re
import shutil
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, 'oidc')
TARGET = os.path.join(os.path.dirname(os.path.dirname(HERE)), 'build', 'oidc')


class Unavailable(Exception):
    """The server cannot be had on this machine; the text says why."""


def _stamp():
    with open(os.path.join(SOURCE, 'package-lock.json'), 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()


def _put(source, target):
    """Copies a file if it changed, in one step: a server of another test may be reading it."""
    if not os.path.exists(target) or not filecmp.cmp(source, target, shallow=False):
        shutil.copy(source, target + '.new')
        os.replace(target + '.new', target)


def _npm_ci():
    try:
        done = subprocess.run(['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], cwd=TARGET, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
    except subprocess.TimeoutExpired as late:
        raise Unavailable('npm ci took longer than 5 minutes') from late
    if done.returncode:
        raise Unavailable('npm ci failed (no network?): ' + done.stdout.strip()[-300:])


def install():
    """Bring build/oidc up to date. Raises Unavailable."""
    for program in ('node', 'npm'):
        if not shutil.which(program):
            raise Unavailable(f'{program} is not installed')
    os.makedirs(TARGET, exist_ok=True)
    stamp = os.path.join(TARGET, 'installed')
    with open(os.path.join(TARGET, 'lock'), 'w', encoding='utf-8') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)        # tests run side by side
        for name in os.listdir(SOURCE):
            _put(os.path.join(SOURCE, name), os.path.join(TARGET, name))
        if os.path.exists(stamp):
            with open(stamp, encoding='utf-8') as file:
                if file.read() == _stamp():
                    return
        _npm_ci()
        with open(stamp, 'w', encoding='utf-8') as file:
            file.write(_stamp())


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Redirects are looked at, not followed."""

    def redirect_request(self, *_):
        return None


class Oidc:
    """The running server. log: a dict for each token request (tenant, grant, ok, code, ...).

    pair: server certificate and key (.cert, .key); authority: PEM that signed it, for code()."""

    def __init__(self, pair, authority, folder, tenants, resources, **more):
        install()
        self.log, self._authority = [], authority
        self._config = os.path.join(folder, 'oidc.json')
        with open(self._config, 'w', encoding='utf-8') as file:
            json.dump({'cert': pair.cert, 'key': pair.key, 'tenants': tenants, 'resources': resources, **more}, file)
        self._errors = open(os.path.join(folder, 'oidc.err'), 'w+', encoding='utf-8')
        self._process = subprocess.Popen(['node', os.path.join(TARGET, 'server.mjs'), self._config], text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors)
        self._ready = threading.Event()
        self.url = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._ready.wait(120) or not self.url:
            self.close()
            raise RuntimeError('the OAuth server did not start: ' + self.complaints()[-1000:])

    def _read(self):
        for text in self._process.stdout:
            if not text.startswith('{'):        # the library's own notices
                continue
            line = json.loads(text)
            if 'ready' in line:
                self.url = f'https://127.0.0.1:{line["ready"]}'
                self._ready.set()
            else:
                self.log.append({'when': time.time(), **line})
        self._ready.set()

    def complaints(self):
        """What it wrote on stderr."""
        with open(self._errors.name, encoding='utf-8') as file:
            return file.read()

    def order(self, tenant, do, **more):
        """Steering, see server.mjs: order(tenant, 'fail', status=429, body='...'), order(tenant, 'deny')."""
        self._process.stdin.write(json.dumps({'tenant': tenant, 'do': do, **more}) + '\n')
        self._process.stdin.flush()

    def requests(self, tenant=None, **facts):
        """The log, reduced to lines with these facts."""
        return [line for line in list(self.log) if tenant in (None, line['tenant']) and
                all(line.get(name) == value for name, value in facts.items())]

    def issued(self, access_token):
        """Did this server issue that access token?"""
        digest = hashlib.sha256(access_token.encode()).hexdigest()
        return any(line.get('token') == digest for line in list(self.log))

    def address(self, tenant, client_id, redirect_uri, resource, v1=True, **more):
        """The sign-in address, as the procedure of Microsoft's page for providers has it (but encoded)."""
        target = {'resource': resource} if v1 else {'scope': f'{resource}/.default offline_access'}
        query = urllib.parse.urlencode({'prompt': 'select_account', 'response_type': 'code', 'client_id': client_id,
                                        'redirect_uri': redirect_uri, **target, **more})
        return f'{self.url}/{tenant}/oauth2/{"" if v1 else "v2.0/"}authorize?{query}'

    def sign_in(self, address):
        """Be the browser: from the sign-in address to the one that stands in the address bar at the end."""
        context = ssl.create_default_context(cafile=self._authority)
        opener = urllib.request.build_opener(
            _StayHere, urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        for _ in range(10):
            try:
                with opener.open(address, timeout=10) as page:
                    raise RuntimeError('the sign-in ended on a page: ' + page.read().decode()[:500])
            except urllib.error.HTTPError as answer:
                if answer.code not in (302, 303):
                    raise RuntimeError(f'HTTP {answer.code}: {answer.read().decode()[-500:]}') from answer
                address = urllib.parse.urljoin(address, answer.headers['Location'])
            if not address.startswith(self.url):
                return address
        raise RuntimeError('the sign-in goes round in circles')

    def enter_code(self, where, user_code, agree=True):
        """Be the other device: enter the code, confirm it (or turn it down) and sign in; the text of the last page."""
        context = ssl.create_default_context(cafile=self._authority)
        opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

        def page(fields=None):
            data = urllib.parse.urlencode(fields).encode() if fields else None
            try:
                with opener.open(where, data, timeout=10) as answer:
                    return answer.read().decode()
            except urllib.error.HTTPError as answer:
                with answer:
                    return answer.read().decode()

        def hidden(text):
            return re.search(r'name="xsrf" value="([^"]+)"', text).group(1)
        asked = page({'xsrf': hidden(page()), 'user_code': user_code})
        return page({'xsrf': hidden(asked), 'user_code': user_code, 'confirm' if agree else 'abort': 'yes'})

    def close(self):
        """End it."""
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)
        self._process.stdout.close()
        self._errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
