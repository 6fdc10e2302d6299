"""Measures the program next to the floor, and prints tables. `make bench` calls it; see bench/README.md."""
import argparse
import json
import os
import re
import shutil
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
TOOLS = os.path.join(ROOT, 'build', 'bench')
CLIENT = '11111111-1111-4111-8111-111111111111'
DAYS = 29           # the alerts are spread over so many; the default start_time is 30 days back
DEADLINE_S = 600
FLOOR_S, FLOOR_TRIES = 30, 5     # it takes a few seconds at most
BEGAN = time.monotonic()
# Instructions for a byte of JSON, by Debian 12's gcc, of page reader, event writer and both.
RECORDED = {'page': 5.22, 'event': 0.127, 'both': 5.36}


def say(text):
    """A line of progress."""
    seconds = int(time.monotonic() - BEGAN)
    print('%3d:%02d  %s' % (seconds // 60, seconds % 60, text), file=sys.stderr, flush=True)


def tenant_guid(number):
    return '00000000-0000-4000-8000-%012d' % number


def tool(name):
    return os.path.join(TOOLS, name)


class Files:
    """A folder for one run: certificates, a SPLUNK_HOME, checkpoints."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix='bench-')
        self.ca = self.at('ca.pem')
        self.cert = self.at('server.pem')
        self._certificates()
        os.makedirs(self.at('splunk/etc/auth'))
        shutil.copy(self.ca, self.at('splunk/etc/auth/cacert.pem'))

    def at(self, name):
        return os.path.join(self.path, name)

    def _openssl(self, *args):
        subprocess.run(('openssl',) + args, check=True, capture_output=True)

    def _certificates(self):
        self._openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=bench CA',
                      '-keyout', self.at('ca.key'), '-out', self.ca)
        self._openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=127.0.0.1', '-keyout',
                      self.at('server.key'),
                      '-out', self.at('server.csr'))
        with open(self.at('ext'), 'w') as file:
            file.write('subjectAltName=IP:127.0.0.1,DNS:localhost\n')
        self._openssl('x509', '-req', '-in', self.at('server.csr'), '-CA', self.ca, '-CAkey', self.at('ca.key'),
                      '-CAcreateserial', '-days', '30', '-extfile', self.at('ext'), '-out', self.at('server.crt'))
        with open(self.cert, 'wb') as out:
            for name in ('server.crt', 'ca.pem', 'server.key'):
                with open(self.at(name), 'rb') as part:
                    out.write(part.read())

    def fresh(self, name):
        path = self.at(name)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Server:
    def __init__(self, files, kind, tenants, alerts, extra=(), days=DAYS):
        newest = int(time.time() - 60) * 10_000_000
        step = max(days * 86400 * 10_000_000 // alerts, 2)
        self.feed = '%s:%d:%d:%d:%d' % (kind, tenants, alerts, newest, step)
        self.kind, self.tenants, self.alerts = kind, tenants, alerts
        self.log = files.at('requests.log')
        self.files = files
        self.process = subprocess.Popen([tool('server'), '--feed', self.feed, '--cert', files.cert, '--log', self.log,
                                         *extra], stdout=subprocess.PIPE, text=True)
        self.login, self.api, self.splunkd = (int(port) for port in self.process.stdout.readline().split())
        self.context = ssl.create_default_context(cafile=files.ca)

    def ask(self, path):
        url = 'https://127.0.0.1:%d%s' % (self.api, path)
        with urllib.request.urlopen(url, context=self.context) as answer:
            return json.load(answer)

    def cpu_s(self):
        with open('/proc/%d/schedstat' % self.process.pid) as file:
            return int(file.read().split()[0]) / 1e9

    def input_xml(self, checkpoints, more=''):
        stanzas = ''.join(
            '<stanza name="defender_alerts://bench%d"><param name="tenant_id">%s</param>'
            '<param name="client_id">%s</param>'
            '<param name="api">%s</param><param name="login_url">https://127.0.0.1:%d</param>'
            '<param name="api_url">https://127.0.0.1:%d</param><param name="ca_file">%s</param>%s</stanza>'
            % (n, tenant_guid(n), CLIENT, self.kind, self.login, self.api, self.files.ca, more)
            for n in range(self.tenants))
        return ('<?xml version="1.0" encoding="UTF-8"?><input><server_host>bench</server_host>'
                '<server_uri>https://127.0.0.1:%d</server_uri><session_key>bench-session</session_key>'
                '<checkpoint_dir>%s</checkpoint_dir><configuration>%s</configuration></input>'
                % (self.splunkd, checkpoints, stanzas)).encode()

    def stop(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.stop()


class Sink:
    def __init__(self, feed, expected=None):
        self.process = subprocess.Popen([tool('sink'), feed] + ([str(expected)] if expected else []),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.done = threading.Event()
        self.verdict = None
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            if line.startswith('done'):
                self.done.set()
            else:
                self.verdict = json.loads(line)
        self.done.set()

    def end(self):
        self.process.stdin.close()
        self.thread.join(60)
        self.process.wait()
        return self.verdict


def timed(files, command, stdin=None, stdout=subprocess.DEVNULL, env=None, log=None):
    """Starts a program below bench/timed; returns the process and where its costs will be."""
    result = files.at('timed.json')
    if os.path.exists(result):
        os.unlink(result)
    process = subprocess.Popen([tool('timed'), result, *command], stdin=stdin or subprocess.DEVNULL, stdout=stdout,
                               stderr=open(log, 'wb') if log else subprocess.DEVNULL, env=env)
    return process, result


def costs(result):
    with open(result) as file:
        cost = json.load(file)
    cost['cpu_s'] = cost['user_s'] + cost['sys_s']
    return cost


def need_exact(files, verdict, status):
    """Ends the bench unless every alert came once, unchanged, and the program ended well."""
    if not verdict or not verdict['events'] or verdict['missing'] or verdict['repeated'] or verdict['wrong'] or status:
        with open(files.at('stderr')) as file:
            sys.stderr.write(file.read()[-4000:])
        raise SystemExit('bench: delivery was not exact: exit status %s, %s' % (status, json.dumps(verdict)))


def run_program(server, program, expected=None, more=''):
    """One round as splunkd runs it: until all events have come, then SIGTERM."""
    files = server.files
    server.ask('/log')
    server.ask('/stats')
    server_before = server.cpu_s()
    with open(files.at('input.xml'), 'wb') as file:
        file.write(server.input_xml(files.fresh('checkpoints'), more))
    sink = Sink(server.feed, expected)
    env = {'PATH': os.environ['PATH'], 'SPLUNK_HOME': files.at('splunk')}
    with open(files.at('input.xml'), 'rb') as xml:
        process, result = timed(files, [program], stdin=xml, stdout=sink.process.stdin, env=env, log=files.at('stderr'))
    sink.done.wait(DEADLINE_S)
    process.send_signal(signal.SIGTERM)
    process.wait()
    verdict = sink.end()
    cost = costs(result)
    need_exact(files, verdict, cost['status'])
    cost.update(verdict, stats=server.ask('/stats'), server_s=server.cpu_s() - server_before,
                first=verdict['first_ms'] - cost['began_ms'], last=verdict['last_ms'] - cost['began_ms'])
    return cost


def floor_once(server, options):
    """What one run of the floor cost; None if it stalled or failed."""
    files = server.files
    sink = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    process, result = timed(files, [tool('floor'), *options, files.ca, files.at('replay.log')], stdout=sink.stdin)
    try:
        process.wait(FLOOR_S)
    except subprocess.TimeoutExpired:
        process.terminate()     # goes on to the floor
        process.wait()
    sink.stdin.close()
    sink.wait()
    cost = costs(result)
    return None if cost['status'] else cost


def run_floor(server, *options):
    """The same requests as the program's last round. Debian's libcurl (7.88) leaves an HTTP/2 transfer waiting forever
    now and then; such a run is thrown away and repeated. The last try is over HTTP/1.1, which does not stall."""
    shutil.copy(server.log, server.files.at('replay.log'))
    for left in range(FLOOR_TRIES, 0, -1):
        cost = floor_once(server, options)
        if cost:
            return cost
        say('the floor stalled or failed; ' + ('another try' if left > 1 else 'a last try, over HTTP/1.1'))
    cost = floor_once(server, ('--http1', *options))
    if cost:
        return cost
    raise SystemExit('bench: the floor failed %d times, also over HTTP/1.1' % (FLOOR_TRIES + 1))


def curl_config(server):
    """The log's API requests as a config file of curl, bodies to stdout."""
    path = server.files.at('curl.cfg')
    with open(server.files.at('replay.log')) as log, open(path, 'w') as out:
        out.write('silent\ncompressed\ncacert = "%s"\n' % server.files.ca)
        for line in log:
            method, url, authorization, _ = line.rstrip('\n').split('\t')
            if method == 'GET':
                out.write('next\nsilent\ncompressed\ncacert = "%s"\nurl = "%s"\nheader = "Authorization: %s"\n'
                          % (server.files.ca, url, authorization))
    return path


def run_shell(server, command):
    process, result = timed(server.files, ['sh', '-c', command])
    process.wait()
    return costs(result)


def run_python(server):
    """A modular input in the usual manner, one process a tenant."""
    total = {'cpu_s': 0.0, 'rss_kb': 0, 'wall_s': 0.0}
    log = server.files.at('python.stderr')
    for tenant in range(server.tenants):
        process, result = timed(server.files, [
            '/usr/bin/python3',     # Debian's, which has its requests
            os.path.join(HERE, 'modular_input.py'), server.kind, tenant_guid(tenant), CLIENT,
            'https://127.0.0.1:%d' % server.login, 'https://127.0.0.1:%d' % server.api, server.files.ca], log=log)
        process.wait()
        cost = costs(result)
        if cost['status']:
            with open(log) as file:
                raise SystemExit('bench: the Python input failed: %s' % file.read()[-2000:])
        total['cpu_s'] += cost['cpu_s']
        total['rss_kb'] = max(total['rss_kb'], cost['rss_kb'])
        total['wall_s'] += cost['wall_s']
    return total


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def million(cost_s, events):
    return cost_s * 1e6 / events


class Table:
    def __init__(self, *columns):
        self.rows = [columns]

    def add(self, *cells):
        self.rows.append(tuple(str(cell) for cell in cells))

    def __str__(self):
        widths = [max(len(row[i]) for row in self.rows) for i in range(len(self.rows[0]))]
        lines = ['| ' + ' | '.join(cell.ljust(width) for cell, width in zip(row, widths)) + ' |' for row in self.rows]
        lines.insert(1, '|' + '|'.join('-' * (width + 2) for width in widths) + '|')
        return '\n'.join(lines)


def bench_fill(options, table, name, kind, tenants, alerts, parallel, extra=(), compare=False, first_goal=80,
               rss_goal=20):
    """A backfill: the program, the floor twice, and on request curl, jq and Python on the same bytes."""
    files = options.files
    events = tenants * alerts
    rows, floors, zlibs = [], [], []
    with Server(files, kind, tenants, alerts, extra) as server:
        for number in range(options.rounds):
            say('%s: round %d of %d' % (name, number + 1, options.rounds))
            rows.append(run_program(server, options.program))
            floors.append(run_floor(server, '--parallel', str(parallel)))
            zlibs.append(run_floor(server, '--parallel', str(parallel), '--zlib'))
        base = median(floors, 'cpu_s')

        def line(what, cost_s, rss_kb, first='', note=''):
            table.add(name, what, '%.2f' % million(cost_s, events), '%.2f' % (cost_s / base), '%.1f' % (rss_kb / 1024),
                      first, note)

        stats = rows[-1]['stats']
        line('program', median(rows, 'cpu_s'), median(rows, 'rss_kb'), '%.0f' % median(rows, 'first'),
             'all after %.2f s, %d requests, %d connections, server %.2f s' % (
                 median(rows, 'last') / 1000, stats['api']['requests'], stats['api']['peak'], median(rows, 'server_s')))
        line('floor', base, median(floors, 'rss_kb'))
        line('floor with zlib', median(zlibs, 'cpu_s'), median(zlibs, 'rss_kb'))
        if compare:
            say('%s: curl, jq and a Python input' % name)
            config = curl_config(server)
            curl = [run_shell(server, 'curl -K %s >/dev/null' % config) for _ in range(options.rounds)]
            line('curl alone', median(curl, 'cpu_s'), median(curl, 'rss_kb'))
            jq = [run_shell(server, "curl -K %s | jq -c '.value[]' >/dev/null" % config) for _ in range(options.rounds)]
            line('curl and jq', median(jq, 'cpu_s'), median(jq, 'rss_kb'))
            python = [run_python(server) for _ in range(options.rounds)]
            line('Python input', median(python, 'cpu_s'), median(python, 'rss_kb'), '', 'RSS of one process')
    ratio = median(rows, 'cpu_s') / base
    options.results[name] = {'ratio': ratio, 'below_zlib': median(rows, 'cpu_s') < median(zlibs, 'cpu_s'),
                             'rss_mb': median(rows, 'rss_kb') / 1024, 'first_ms': median(rows, 'first'),
                             'last_s': median(rows, 'last') / 1000}
    say('%s: %s' % (name, json.dumps(options.results[name])))


def bench_idle(options, tenants, warm_s, watch_s):
    """Few alerts, all tenants polled each minute: what the process takes while nothing happens."""
    files = options.files
    with Server(files, 'endpoint', tenants, 10) as server:
        with open(files.at('input.xml'), 'wb') as file:
            file.write(server.input_xml(files.fresh('checkpoints')))
        sink = Sink(server.feed)
        env = {'PATH': os.environ['PATH'], 'SPLUNK_HOME': files.at('splunk')}
        with open(files.at('input.xml'), 'rb') as xml:
            process = subprocess.Popen([options.program], stdin=xml, stdout=sink.process.stdin, env=env,
                                       stderr=open(files.at('stderr'), 'wb'))
        sink.done.wait(DEADLINE_S)
        say('idle: %d s until it is at rest' % warm_s)
        time.sleep(warm_s)
        server.ask('/stats')
        server.ask('/log')

        def spent():
            with open('/proc/%d/schedstat' % process.pid) as file:
                return int(file.read().split()[0]) / 1e9

        rows = []
        for number in range(options.rounds):
            say('idle: round %d of %d, %d s' % (number + 1, options.rounds, watch_s))
            before, began = spent(), time.monotonic()
            time.sleep(watch_s)
            used, passed = spent() - before, time.monotonic() - began
            stats = server.ask('/stats')['api']
            polls = max(stats['requests'], 1)
            rows.append({'core_percent': 100 * used / passed, 'polls_made': polls / (tenants * passed / 60),
                         'us_a_poll': used * 1e6 / polls, 'connections': stats['peak'], 'polls': polls})
        with open('/proc/%d/status' % process.pid) as file:
            rss_kb = [int(line.split()[1]) for line in file if line.startswith('VmRSS')][0]
        process.send_signal(signal.SIGTERM)
        process.wait()
        need_exact(files, sink.end(), process.returncode)
        polls = sum(row['polls'] for row in rows)
        floors = [run_floor(server, '--parallel', '8')['cpu_s'] * 1e6 / polls for _ in range(options.rounds)]
    result = {name: median(rows, name) for name in rows[0]}
    result.update(rss_mb=rss_kb / 1024, floor_us_a_poll=statistics.median(floors),
                  all_core_percent=[round(row['core_percent'], 4) for row in rows],
                  all_floor_us=[round(us) for us in floors])
    options.results['idle'] = result
    say('idle: %s' % json.dumps(result))
    return result


def read_all(server, program, more):
    """A life that writes everything, so that its ledgers are whole."""
    with open(server.files.at('input.xml'), 'wb') as file:
        file.write(server.input_xml(server.files.fresh('checkpoints'), more))
    sink = Sink(server.feed)
    env = {'PATH': os.environ['PATH'], 'SPLUNK_HOME': server.files.at('splunk')}
    with open(server.files.at('input.xml'), 'rb') as xml:
        process = subprocess.Popen([program], stdin=xml, stdout=sink.process.stdin, env=env,
                                   stderr=open(server.files.at('stderr'), 'wb'))
    sink.done.wait(DEADLINE_S)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    process.wait()
    need_exact(server.files, sink.end(), process.returncode)


def audit_night(server, options, shim, seconds=None):
    """A life in which time goes fast, until every customer's day is audited; or without audits, for that long."""
    audit = seconds is None
    more = '<param name="poll_interval">86400</param><param name="audit">%d</param>' % audit
    with open(server.files.at('input.xml'), 'wb') as file:
        file.write(server.input_xml(server.files.at('checkpoints'), more))
    env = {'PATH': os.environ['PATH'], 'SPLUNK_HOME': server.files.at('splunk'), 'LD_PRELOAD': shim, 'HASTE': '600'}
    server.ask('/stats')
    with open(server.files.at('input.xml'), 'rb') as xml:
        process, result = timed(server.files, [options.program], stdin=xml, env=env, log=server.files.at('stderr'))
    began, results = time.monotonic(), []
    while time.monotonic() - began < (60 if audit else seconds) and (len(results) < server.tenants or not audit):
        time.sleep(0.2)
        with open(server.files.at('stderr')) as file:
            results = re.findall(r'event=audit input=.* result=(\w+) .*written=(\d+) .*requests=(\d+) bytes=(\d+)',
                                 file.read())
    lasted = time.monotonic() - began
    process.send_signal(signal.SIGTERM)
    process.wait()
    cost = costs(result)
    whole = len(results) == server.tenants and all(row[0] == 'equal' and int(row[1]) >= 99 for row in results)
    if cost['status'] or (audit and not whole):
        raise SystemExit('bench: the audits failed: exit status %s, %s' % (cost['status'], results[:3]))
    cost.update(days=len(results), requests=sum(int(row[2]) for row in results),
                bytes=sum(int(row[3]) for row in results), seconds=lasted)
    return cost


def bench_audit(options, tenants):
    """A night of audits: a day of 100 alerts of each customer. The same life without audits is subtracted."""
    with open(options.program, 'rb') as file:
        if b'ld-linux' not in file.read():
            say('audit: the release program is static, so its clock cannot go faster')
            return
    shim = options.files.at('haste.so')
    source = os.path.join(ROOT, 'tests/e2e/shim/haste.c')
    subprocess.run(['cc', '-O1', '-shared', '-fPIC', '-o', shim, source], check=True)
    with Server(options.files, 'graph', tenants, 400, days=4) as server:
        say('audit: %d customers read four days of 100 alerts' % tenants)
        read_all(server, options.program, '')
        saved = options.files.at('saved')
        shutil.copytree(server.files.at('checkpoints'), saved)
        rows, others = [], []
        for number in range(options.rounds):
            say('audit: round %d of %d' % (number + 1, options.rounds))
            for list_of in (rows, others):
                shutil.rmtree(server.files.at('checkpoints'))
                shutil.copytree(saved, server.files.at('checkpoints'))
                list_of.append(audit_night(server, options, shim, None if list_of is rows else rows[-1]['seconds']))
    result = {'cpu_s': median(rows, 'cpu_s') - median(others, 'cpu_s'), 'requests': median(rows, 'requests'),
              'bytes': median(rows, 'bytes'), 'tenants': tenants,
              'rss_mb': median(rows, 'rss_kb') / 1024, 'rss_without_mb': median(others, 'rss_kb') / 1024}
    options.results['audit'] = result
    say('audit: %s' % json.dumps(result))


def bench_scheme(options):
    """Beside a program that does nothing at all: most of so short a run is the kernel's part of starting one."""
    rows, nothing = [], []
    for _ in range(20):
        for command, costs_of in (([options.program, '--scheme'], rows), (['/bin/true'], nothing)):
            process, result = timed(options.files, command)
            process.wait()
            costs_of.append(costs(result))
    if any(row['status'] for row in rows):
        raise SystemExit('bench: --scheme failed')
    result = {'cpu_ms': median(rows, 'cpu_s') * 1000, 'rss_mb': median(rows, 'rss_kb') / 1024,
              'true_ms': median(nothing, 'cpu_s') * 1000}
    options.results['scheme'] = result
    say('scheme: %s' % json.dumps(result))
    return result


def bench_growth(options, table):
    """Cost a unit of work while the work grows."""
    cases = [('endpoint', n, 20) for n in (1, 10, 100, 500, 2000)]
    cases += [('endpoint', 1, n) for n in (1000, 10000, 100000, 1000000)]
    if options.scale == 'small':
        cases = [('endpoint', 1, 20), ('endpoint', 20, 20), ('endpoint', 1, 1000)]
    for kind, tenants, alerts in cases:
        with Server(options.files, kind, tenants, alerts) as server:
            rows = [run_program(server, options.program) for _ in range(options.rounds if alerts < 1000000 else 1)]
        cpu = median(rows, 'cpu_s')
        table.add(tenants, alerts, '%.3f' % cpu, '%.1f' % (cpu * 1e6 / tenants / 1000),
                  '%.2f' % million(cpu, tenants * alerts),
                  '%.1f' % (median(rows, 'rss_kb') / 1024), '%.2f' % (median(rows, 'last') / 1000))
        say('growth: %d tenants, %d alerts: %.3f s' % (tenants, alerts, cpu))


def callgrind(options):
    """Instructions a byte of the splitter and of the event writer, which do not depend on the machine's load."""
    result = {}
    for part in ('page', 'event', 'both'):
        say('callgrind: ' + part)
        out = options.files.at('callgrind.out')
        run = subprocess.run(['valgrind', '--tool=callgrind', '--callgrind-out-file=' + out,
                              '--toggle-collect=measured',
                              tool('micro'), part], capture_output=True, text=True)
        size = int(run.stdout.split()[0])
        instructions = int([line for line in run.stderr.splitlines() if 'Collected' in line][0].split(':')[1])
        if not instructions:
            raise SystemExit('bench: callgrind saw nothing of ' + part)
        result[part] = instructions / size
        print('callgrind %s: %d instructions for %d bytes, %.3f a byte' % (part, instructions, size, result[part]))
    return result


def judge(options):
    """The goals, each with what was measured."""
    goals, r = Table('goal', 'measured', 'met'), options.results

    def goal(text, measured, met):
        goals.add(text, measured, 'yes' if met else 'NO')

    for name in ('endpoint 10,000', 'endpoint 1,000', 'graph 1,000'):
        if name in r:
            goal(name + ': at most 1.6 x floor', '%.2f' % r[name]['ratio'], r[name]['ratio'] <= 1.6)
            goal(name + ': 20 MB', '%.1f' % r[name]['rss_mb'], r[name]['rss_mb'] <= 20)
            goal(name + ': first event 80 ms', '%.0f' % r[name]['first_ms'], r[name]['first_ms'] <= 80)
    if '500 tenants' in r:
        x = r['500 tenants']
        goal('500 tenants: at most 5 x floor', '%.2f' % x['ratio'], x['ratio'] <= 5)
        goal('500 tenants: 32 MB', '%.1f' % x['rss_mb'], x['rss_mb'] <= 32)
        goal('500 tenants: first event 80 ms', '%.0f' % x['first_ms'], x['first_ms'] <= 80)
        goal('500 tenants: all within 2.5 s', '%.2f' % x['last_s'], x['last_s'] <= 2.5)
    if '500 tenants, 200 ms' in r:
        x = r['500 tenants, 200 ms']
        goal('500 tenants, 200 ms late: all within 2.5 s', '%.2f' % x['last_s'], x['last_s'] <= 2.5)
    if 'idle' in r:
        x = r['idle']
        goal('idle: 0.3 % of a core', '%.3f' % x['core_percent'], x['core_percent'] <= 0.3)
        goal('idle: 32 MB', '%.1f' % x['rss_mb'], x['rss_mb'] <= 32)
        goal('idle: 8 connections', x['connections'], x['connections'] <= 8)
        goal('idle: 90 % of polls in time', '%.0f %%' % (100 * x['polls_made']), x['polls_made'] >= 0.9)
    if 'audit' in r:
        x = r['audit']
        goal('audit of 500 customers: 500 requests', '%d' % x['requests'], x['requests'] <= x['tenants'])
        goal('audit of 500 customers: 2 s of CPU', '%.2f' % x['cpu_s'], x['cpu_s'] <= 2)
        goal('audit of 500 customers: 32 MB', '%.1f (%.1f without)' % (x['rss_mb'], x['rss_without_mb']),
             x['rss_mb'] <= 32)
    if 'scheme' in r:
        goal('--scheme: 15 ms', '%.1f' % r['scheme']['cpu_ms'], r['scheme']['cpu_ms'] <= 15)
        goal('--scheme: 8 MB', '%.1f' % r['scheme']['rss_mb'], r['scheme']['rss_mb'] <= 8)
    for part, instructions in r.get('callgrind', {}).items():
        goal('%s: at most 2 %% above the recorded %.3f instructions a byte' % (part, RECORDED[part]),
             '%.3f' % instructions, instructions <= 1.02 * RECORDED[part])
    print(goals)


def can_run():
    with open('/proc/cpuinfo') as file:
        return ' avx2 ' in file.read()


def bench_requests(options, small):
    """The requests of a backfill; the release program is static, so its clock cannot go faster."""
    with open(options.program, 'rb') as file:
        static = b'ld-linux' not in file.read()
    command = [sys.executable, os.path.join(HERE, 'requests.py'), '--rate', '1' if static else '20', options.program]
    return subprocess.run(command + (['--only', 'siem'] if small else []), check=True).returncode == 0


PARTS = ('fill', 'graph', 'small_pages', 'tenants', 'late', 'idle', 'audit', 'scheme', 'growth', 'requests',
         'callgrind')


def main():
    if not can_run():
        print('the bench needs an x86-64 processor with AVX2\n0 passed, 0 failed, 1 skipped')
        return
    parser = argparse.ArgumentParser()
    parser.add_argument('--scale', choices=('full', 'small'), default='full')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--program', default=os.path.join(ROOT, 'bin', 'defender_alerts'))
    parser.add_argument('parts', nargs='*', help=' '.join(PARTS) + '; all without')
    options = parser.parse_args()
    unknown = set(options.parts) - {*PARTS, 'compare'}
    if unknown:
        parser.error('there is no part ' + ', '.join(sorted(unknown)))
    options.program = os.path.abspath(options.program)
    options.files = Files()
    options.results = {}
    small = options.scale == 'small'
    if small:
        options.rounds = 1
    wanted = set(options.parts or PARTS)
    table = Table('scenario', 'who', 'CPU s a million', 'x floor', 'peak RSS MB', 'first event ms', '')
    growth = Table('tenants', 'alerts each', 'CPU s', 'CPU ms a tenant', 'CPU s a million alerts', 'peak RSS MB',
                   'all after s')
    compare = 'compare' in wanted or not options.parts
    try:
        if 'fill' in wanted:
            bench_fill(options, table, 'endpoint 10,000', 'endpoint', 1, 5000 if small else 100000, 1)
        if compare:
            bench_fill(options, table, 'endpoint, others', 'endpoint', 1, 1000 if small else 10000, 1, compare=True)
        if 'graph' in wanted:
            bench_fill(options, table, 'graph 1,000', 'graph', 1, 2000 if small else 50000, 1)
        if 'small_pages' in wanted:
            bench_fill(options, table, 'endpoint 1,000', 'endpoint', 1, 5000 if small else 30000, 1,
                       ('--top-max', '1000'))
        if 'tenants' in wanted:
            bench_fill(options, table, '500 tenants', 'endpoint', 20 if small else 500, 100, 100)
        if 'late' in wanted:
            bench_fill(options, table, '500 tenants, 200 ms', 'endpoint', 20 if small else 500, 100, 100,
                       ('--delay-ms', '200'))
        if len(table.rows) > 1:
            print(table, flush=True)
        if 'growth' in wanted:
            bench_growth(options, growth)
            print(growth, flush=True)
        if 'idle' in wanted:
            bench_idle(options, 20 if small else 500, 2 if small else 150, 5 if small else 60)
        if 'audit' in wanted:
            bench_audit(options, 20 if small else 500)
        if 'scheme' in wanted:
            bench_scheme(options)
        if 'requests' in wanted:
            options.results['requests'] = bench_requests(options, small)
        if 'callgrind' in wanted:
            options.results['callgrind'] = callgrind(options)
        if not small:
            judge(options)
        print('%d passed, 0 failed' % (len(growth.rows) - 1 + len(options.results)))    # a failure has ended it
    finally:
        options.files.remove()


if __name__ == '__main__':
    main()
