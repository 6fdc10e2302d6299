"""The records of the stand-in of the KV store in two PostgreSQL servers with asynchronous replication: writes go to the
primary, reads to the standby. What the standby did not get before a failover is gone, although it was acknowledged.

    engine = Postgres()         an engine as in world/records.py
    engine.hold()               the standby gets nothing from now on; go() ends that
    engine.failover()           the primary dies, the standby is promoted, and gets a new standby

The cluster that the package makes is not touched. Servers do not run as root: if we are, they run as "postgres".
"""
import contextlib
import glob
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from world.httpd import Loop
from world.records import Unavailable
from world.relay import Relay
from world.runner import wait_for

_SETTINGS = """
fsync = off
full_page_writes = off
wal_level = replica
max_wal_senders = 5
hot_standby = on
hot_standby_feedback = on
max_standby_streaming_delay = -1
wal_receiver_timeout = 0
wal_sender_timeout = 0
wal_retrieve_retry_interval = 100ms
wal_receiver_status_interval = 1
listen_addresses = '127.0.0.1'
max_connections = 60
shared_buffers = 16MB
"""


class Missing(Exception):
    """PostgreSQL, or its client for Python, is not installed."""


def programs():
    """The folder of initdb, pg_ctl and so on. Raises Missing."""
    try:
        import psycopg2  # noqa: F401, PLC0415
    except ImportError as why:
        raise Missing('python3-psycopg2 is not installed') from why
    found = sorted(glob.glob('/usr/lib/postgresql/*/bin/pg_ctl'))
    if not found:
        raise Missing('postgresql is not installed')
    return os.path.dirname(found[-1])


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


class Server:
    """A server: its folder and port."""

    def __init__(self, folder, name):
        self.bin, self.folder, self.data = programs(), folder, os.path.join(folder, name)
        self.port = free_port()

    def run(self, program, *arguments):
        """One of PostgreSQL's programs, to its end."""
        how = {'user': 'postgres', 'group': 'postgres', 'extra_groups': []} if os.geteuid() == 0 else {}
        done = subprocess.run([os.path.join(self.bin, program), *arguments], check=False, cwd=self.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={'LC_ALL': 'C', 'PATH': '/usr/bin:/bin'}, **how)
        if done.returncode:
            raise RuntimeError(f'{program} {" ".join(arguments)}: {done.stdout.decode("utf-8", "replace")}')

    def configure(self, more=''):
        """Append to its settings."""
        with open(os.path.join(self.data, 'postgresql.conf'), 'a', encoding='ascii') as file:
            file.write(f'{_SETTINGS}port = {self.port}\nunix_socket_directories = \'{self.folder}\'\n{more}')

    def start(self):
        """Start, and wait until it answers."""
        self.run('pg_ctl', 'start', '-w', '-s', '-D', self.data, '-l', self.data + '.log')

    def stop(self):
        """As a crash would."""
        with contextlib.suppress(RuntimeError):
            self.run('pg_ctl', 'stop', '-w', '-s', '-m', 'immediate', '-D', self.data)

    def connect(self):
        """A connection in which each statement is a transaction."""
        import psycopg2  # noqa: PLC0415
        try:
            connection = psycopg2.connect(host=self.folder, port=self.port, user='postgres', dbname='postgres',
                                          options='-c statement_timeout=10000')
        except psycopg2.Error as problem:
            raise Unavailable(problem) from problem
        connection.autocommit = True
        return connection


class Table:
    """See world/records.py."""

    def __init__(self, engine, place):
        self._engine, self._place = engine, '/'.join((*place, os.urandom(4).hex()))

    def _read(self, standby, lock=''):
        rows = self._engine.run(f'SELECT key, record FROM records WHERE place = %s ORDER BY made {lock}',
                                (self._place,), standby)
        return {key: json.loads(record) for key, record in rows}

    def newest(self):
        """All, of the primary."""
        return self._read(False)

    def rows(self):
        """All, of the standby."""
        return self._read(not self._engine.fresh)

    def insert(self, key, record):
        """False: the key is taken."""
        return self._engine.run('INSERT INTO records (place, key, record) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING',
                                (self._place, key, json.dumps(record))) == 1

    def update(self, key, record):
        """False: there is none."""
        return self._engine.run('UPDATE records SET record = %s WHERE place = %s AND key = %s',
                                (json.dumps(record), self._place, key)) == 1

    def save(self, records):
        """In one statement, so in one transaction."""
        values = [value for key, record in records.items() for value in (self._place, key, json.dumps(record))]
        if values:
            self._engine.run('INSERT INTO records (place, key, record) VALUES ' +
                             ', '.join(['(%s, %s, %s)'] * len(records)) +
                             ' ON CONFLICT (place, key) DO UPDATE SET record = excluded.record', values)

    def delete(self, chosen):
        """Those that are chosen among the newest."""
        keys = chosen(self.newest())
        return self._engine.run('DELETE FROM records WHERE place = %s AND key = ANY(%s)', (self._place, keys)) \
            if keys else 0


class Postgres:
    """The engine. lag: seconds until the standby applies what it got."""

    name, loses = 'postgres', True

    def __init__(self):
        programs()
        self._folder = tempfile.mkdtemp(prefix='postgres-')
        if os.geteuid() == 0:
            user = pwd.getpwnam('postgres')
            os.chown(self._folder, user.pw_uid, user.pw_gid)
        self._loop, self._local, self._count, self._lag = Loop(), threading.local(), 0, 0
        self.fresh = False      # reads go to the primary, too, so that a failover loses what was seen
        self.relay = self.standby = None
        self.primary = self._server()
        self.primary.run('initdb', '-D', self.primary.data, '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8',
                         '--locale=C')
        self.primary.configure()
        self.primary.start()
        self.run('CREATE TABLE records (place text, key text, record text, made bigserial, PRIMARY KEY (place, key))')
        self._new_standby()

    def _server(self):
        self._count += 1
        return Server(self._folder, f'node{self._count}')

    def _new_standby(self):
        """A copy of the primary that follows it by way of a relay, which can be frozen."""
        if self.relay:
            self.relay.close()
        self.relay, standby = Relay(self._loop, self.primary.port), self._server()
        standby.run('pg_basebackup', '-h', '127.0.0.1', '-p', str(self.primary.port), '-U', 'postgres', '-D',
                    standby.data, '-c', 'fast', '--no-sync', '-X', 'stream')
        standby.configure(f"primary_conninfo = 'host=127.0.0.1 port={self.relay.port} user=postgres'\n")
        with open(os.path.join(standby.data, 'standby.signal'), 'wb'):
            pass
        if os.geteuid() == 0:
            user = pwd.getpwnam('postgres')
            os.chown(os.path.join(standby.data, 'standby.signal'), user.pw_uid, user.pw_gid)
        standby.start()
        self.standby = standby
        self.caught_up()

    def table(self, place):
        """See world/records.py."""
        return Table(self, place)

    def run(self, statement, values=(), standby=False):
        """Rows of a query; of another statement, how many rows it changed."""
        import psycopg2  # noqa: PLC0415
        server = self.standby if standby else self.primary
        if server is None:
            raise Unavailable('failover')
        try:
            with self._connection(server).cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else cursor.rowcount
        except psycopg2.Error as problem:
            getattr(self._local, 'known', {}).pop(server.port, None)
            raise Unavailable(problem) from problem

    def _connection(self, server):
        """Each thread has one of its own to each server."""
        known = self._local.__dict__.setdefault('known', {})
        if server.port not in known:
            known[server.port] = server.connect()
        return known[server.port]

    def caught_up(self, seconds=20):
        """Wait until the standby shows all of the primary."""
        def same():
            position = self.run('SELECT pg_current_wal_lsn()')[0][0]
            return self.run('SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn', (position,), True)[0][0]
        wait_for(same, seconds, 'the standby to catch up')

    @property
    def lag(self):
        """Seconds until the standby applies a write."""
        return self._lag

    @lag.setter
    def lag(self, seconds):
        self._lag = seconds
        self.run(f'ALTER SYSTEM SET recovery_min_apply_delay = {int(seconds * 1000)}', standby=True)
        self.run('SELECT pg_reload_conf()', standby=True)

    def hold(self):
        """Nothing reaches the standby from now on."""
        self.relay.freeze()

    def go(self):
        """It catches up."""
        self.relay.drop()

    def failover(self, down_s=0):
        """The primary dies, and after some seconds the standby takes its place. What it did not have is gone."""
        dead, promoted, self.primary, self.standby = self.primary, self.standby, None, None
        dead.stop()
        time.sleep(down_s)
        promoted.run('pg_ctl', 'promote', '-w', '-s', '-D', promoted.data)
        self.primary = self.standby = promoted
        self._new_standby()
        shutil.rmtree(dead.data, ignore_errors=True)

    def close(self):
        """Stop the servers, remove everything."""
        for server in {self.primary, self.standby} - {None}:
            server.stop()
        if self.relay:
            self.relay.close()
        self._loop.close()
        shutil.rmtree(self._folder, ignore_errors=True)
