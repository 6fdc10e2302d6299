"""The records of the stand-in of the KV store in three etcd servers, by their JSON gateway: another store with one
order, whose reads may be old and which loses nothing.

    engine = Etcd()             an engine as in world/records.py; lag: how old reads are, in seconds
    engine.failover()           the leader dies; the other two choose another one, and then it comes back

The service that the package installs is not touched.
"""
import base64
import collections
import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from world.records import Unavailable
from world.runner import wait_for

_TIMEOUT_S = 10
_REMEMBERED = 10000     # writes


class Missing(Exception):
    """etcd is not installed."""


def program():
    """Its path. Raises Missing."""
    found = shutil.which('etcd')
    if not found:
        raise Missing('etcd-server is not installed')
    return found


def _free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(('127.0.0.1', 0))
        return [one.getsockname()[1] for one in sockets]


def _text(data):
    return base64.b64encode(data.encode()).decode()


class Table:
    """See world/records.py. The records are below one prefix."""

    def __init__(self, engine, place):
        self._engine, self._prefix = engine, '/'.join((*place, os.urandom(4).hex())) + '/'

    def _range(self):
        return {'key': _text(self._prefix), 'range_end': _text(self._prefix[:-1] + '0')}     # "0" comes after "/"

    def _key(self, key):
        return _text(self._prefix + key)

    def _put(self, key, record):
        return {'requestPut': {'key': self._key(key), 'value': _text(json.dumps(record))}}

    def _read(self, **how):
        found = self._engine.ask('range', {**self._range(), 'sort_target': 'CREATE', 'sort_order': 'ASCEND', **how},
                                 reads=True)
        return {base64.b64decode(one['key']).decode()[len(self._prefix):]:
                (json.loads(base64.b64decode(one['value'])), one['mod_revision']) for one in found.get('kvs', ())}

    def newest(self):
        """All, as of now: the servers agree upon this read."""
        return {key: record for key, (record, _) in self._read().items()}

    def rows(self):
        """All, as the server has it that is asked, or older."""
        return {key: record for key, (record, _) in self._read(
            serializable=True, revision=self._engine.old_revision()).items()}

    def _if(self, key, compare, record):
        return self._engine.change([{'key': self._key(key), 'target': 'CREATE', 'result': compare,
                                     'create_revision': '0'}], [self._put(key, record)])

    def insert(self, key, record):
        """False: the key is taken."""
        return self._if(key, 'EQUAL', record)

    def update(self, key, record):
        """False: there is none."""
        return self._if(key, 'GREATER', record)

    def save(self, records):
        """One transaction."""
        if records:
            self._engine.change([], [self._put(key, record) for key, record in records.items()])

    def delete(self, chosen):
        """One transaction, unless a chosen one was changed in between."""
        while True:
            rows = self._read()
            keys = chosen({key: record for key, (record, _) in rows.items()})
            same = [{'key': self._key(key), 'target': 'MOD', 'result': 'EQUAL', 'mod_revision': rows[key][1]}
                    for key in keys]
            if not keys or self._engine.change(same, [{'requestDeleteRange': {'key': self._key(key)}} for key in keys]):
                return len(keys)


class Etcd:
    """The engine. Writes go to the leader or whoever is there, reads to the last server."""

    name, loses = 'etcd', False

    def __init__(self, count=3):
        self._folder, self._program = tempfile.mkdtemp(prefix='etcd-'), program()
        ports = _free_ports(2 * count)
        self._clients, peers = ports[:count], ports[count:]
        self._cluster = ','.join(f'n{number}=http://127.0.0.1:{port}' for number, port in enumerate(peers))
        self._peers, self.lag, self._written = peers, 0.0, collections.deque([(0.0, 1)])
        self._local, self._lock, self._running = threading.local(), threading.Lock(), {}
        for number in range(count):
            self._start(number)
        try:
            wait_for(lambda: self.leader() is not None, 30, self.said, pause=0.1)
        except TimeoutError:
            self.close()
            raise

    def said(self):
        """The last lines of the servers' logs, for messages."""
        found = []
        for number in self._running:
            with open(os.path.join(self._folder, f'n{number}.log'), encoding='utf-8', errors='replace') as file:
                found += file.readlines()[-3:]
        return 'a leader of etcd\n' + ''.join(found)

    def _start(self, number):
        client, peer = (f'http://127.0.0.1:{port}' for port in (self._clients[number], self._peers[number]))
        with open(os.path.join(self._folder, f'n{number}.log'), 'ab') as log:
            self._running[number] = subprocess.Popen([
                self._program, '--name', f'n{number}', '--data-dir', os.path.join(self._folder, f'n{number}'),
                '--listen-client-urls', client, '--advertise-client-urls', client, '--listen-peer-urls', peer,
                '--initial-advertise-peer-urls', peer, '--initial-cluster', self._cluster, '--unsafe-no-fsync',
                '--max-txn-ops', '2000', '--max-request-bytes', str(64 << 20), '--heartbeat-interval', '50',
                '--election-timeout', '500', '--auto-compaction-retention', '10m'],
                stdout=log, stderr=log, env={'PATH': '/usr/bin:/bin', 'ETCD_UNSUPPORTED_ARCH': os.uname().machine})

    def leader(self):
        """The number of the leader, or None."""
        for number in self._running:
            with contextlib.suppress(Unavailable):
                status = self._post(number, 'maintenance/status', {})
                if status.get('leader', '0') != '0' and status['leader'] == status['header']['member_id']:
                    return number
        return None

    def _post(self, number, path, body):
        known = self._local.__dict__.setdefault('known', {})
        server = self._running[number].pid
        connection = known.setdefault(server, http.client.HTTPConnection('127.0.0.1', self._clients[number],
                                                                         timeout=_TIMEOUT_S))
        try:
            connection.request('POST', '/v3/' + path, json.dumps(body))
            answer = connection.getresponse()
            found = json.loads(answer.read())
        except (OSError, ValueError, http.client.HTTPException) as problem:
            known.pop(server).close()
            raise Unavailable(problem) from problem
        if answer.status != 200:
            raise Unavailable(found.get('error') or found)
        return found

    def ask(self, call, body, reads=False):
        """A call of the API: reads by the last server, others by the first one that works."""
        numbers = sorted(self._running, reverse=reads)
        for number in numbers:
            try:
                found = self._post(number, f'kv/{call}', body)
            except Unavailable:
                if number == numbers[-1] or not reads:
                    raise
                continue
            with self._lock:
                if not reads:
                    self._written.append((time.monotonic(), int(found['header']['revision'])))
                    if len(self._written) > _REMEMBERED:
                        self._written.popleft()
            return found
        return None

    def change(self, compare, success):
        """A transaction; whether the comparison held."""
        return bool(self.ask('txn', {'compare': compare, 'success': success}).get('succeeded'))

    def old_revision(self):
        """What a read shows now: the revision of `lag` seconds ago; 0: what the server has."""
        if not self.lag:
            return '0'
        with self._lock:
            until = time.monotonic() - self.lag
            while len(self._written) > 1 and self._written[1][0] <= until:
                self._written.popleft()
            return str(self._written[0][1])

    def table(self, place):
        """See world/records.py."""
        return Table(self, place)

    def failover(self, down_s=0):
        """The leader dies, and comes back after some seconds. Nothing is lost."""
        number = self.leader()
        dead = self._running.pop(number)
        dead.kill()
        dead.wait()
        wait_for(lambda: self.leader() is not None, 30, 'another leader of etcd', pause=0.1)
        time.sleep(down_s)
        self._start(number)
        wait_for(lambda: self._has_leader(number), 30, self.said, pause=0.05)

    def _has_leader(self, number):
        try:
            return self._post(number, 'maintenance/status', {}).get('leader', '0') != '0'
        except Unavailable:
            return False

    def close(self):
        """Stop the servers, remove everything."""
        for server in self._running.values():
            server.kill()
            server.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
