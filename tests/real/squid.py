"""Starts Debian's squid as a proxy that wants a name and a password, on a free port of its own.

    with Squid(folder, 'user', 'p@ss:word') as proxy:
        proxy.url()         http://user:p%40ss%3Aword@127.0.0.1:port, as it is written into an input
        proxy.log()         what went through: a Line for each request

The service that the package installs on port 3128 is not touched.
"""
import glob
import os
import pwd
import shutil
import socket
import subprocess
import time
import urllib.parse

_CONFIG = """http_port 127.0.0.1:{port}
auth_param basic program {helper} {folder}/users
auth_param basic children 2
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
pid_filename {folder}/pid
cache_log {folder}/cache.log
coredump_dir {folder}
logformat plain %>Hs %un %rm %ru
access_log stdio:{folder}/access.log logformat=plain
buffered_logs off
shutdown_lifetime 1 seconds
pinger_enable off
visible_hostname proxy.test
hosts_file {folder}/hosts
"""


class Unavailable(Exception):
    """squid is not installed; the text says what is missing."""


def helper():
    """Path of squid's password checker. Raises Unavailable."""
    for program in ('squid', 'htpasswd'):
        if not shutil.which(program, path=os.environ.get('PATH', '') + ':/usr/sbin'):
            raise Unavailable(f'{program} is not installed (Debian: squid, apache2-utils)')
    found = glob.glob('/usr/lib/squid*/basic_ncsa_auth')
    if not found:
        raise Unavailable('squid has no basic_ncsa_auth')
    return found[0]


def _free_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


class Line:
    """A line of the access log: status (407: refused), user, method, target."""

    def __init__(self, text):
        status, self.user, self.method, self.target = text.split(' ', 3)
        self.status = int(status)

    def __repr__(self):
        return f'{self.status} {self.user} {self.method} {self.target}'


class Squid:
    """The running proxy. folder: one that only this proxy uses. port: preset is a free one."""

    def __init__(self, folder, user, password, port=None):
        self.folder, self.user, self.password, self.port = folder, user, password, port or _free_port()
        checker = helper()
        subprocess.run(['htpasswd', '-cbm', f'{folder}/users', user, password], check=True, stderr=subprocess.DEVNULL)
        with open(f'{folder}/squid.conf', 'w', encoding='utf-8') as file:
            file.write(_CONFIG.format(port=self.port, helper=checker, folder=folder))
        with open(f'{folder}/hosts', 'w', encoding='ascii') as file:
            file.write('127.0.0.1 far.localhost\n')      # see World(far=True)
        self._give_away()
        self._process = subprocess.Popen([shutil.which('squid', path='/usr/sbin:/usr/bin'), '-N', '-f',
                                          f'{folder}/squid.conf'], stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL)
        try:
            self._wait_for_port()
        except BaseException:
            self.close()
            raise

    def _give_away(self):
        """Started by root it works as the user proxy, who must be able to write here."""
        if os.getuid():
            return
        owner = pwd.getpwnam('proxy')
        os.chmod(self.folder, 0o755)
        for path in (self.folder, *glob.glob(f'{self.folder}/*')):
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def _wait_for_port(self):
        end = time.monotonic() + 15
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError('squid did not start: ' + self.complaints()[-1000:]) from None
                time.sleep(0.05)

    def complaints(self):
        """What it says about itself."""
        try:
            with open(f'{self.folder}/cache.log', encoding='utf-8', errors='replace') as file:
                return file.read()
        except OSError:
            return '(no log)'

    def url(self, user=None, password=None, secret=True):
        """The address for an input; secret=False: without user and password."""
        if not secret:
            return f'http://127.0.0.1:{self.port}'
        name, word = (urllib.parse.quote(text, safe='') for text in (user or self.user, password or self.password))
        return f'http://{name}:{word}@127.0.0.1:{self.port}'

    def log(self):
        """What it was asked so far. A tunnel is logged when it ends."""
        try:
            with open(f'{self.folder}/access.log', encoding='utf-8') as file:
                lines = [Line(text) for text in file.read().splitlines()]
                return [line for line in lines if line.method != '-']       # a connection without a request
        except FileNotFoundError:
            return []

    def close(self):
        """End it."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
