"""A splunkd for the page: search jobs whose results are worked out by tests/splunk/spl.py from a scene's events.

The page is served from here too, so that it is one origin. searches: each job that was asked for, as (name, search,
earliest, latest, rows)."""
import contextlib
import http.server
import json
import os
import re
import threading
import time
import urllib.parse

import fields
import spl

_PAGE = '''<!doctype html><html><head><meta charset="utf-8"><link rel="stylesheet" href="/page.css"><script>
window.$C = {SPLUNKD_PATH: '/en-US/splunkd/__raw', LOCALE: 'en-US', MRSPARKLE_ROOT_PATH: '/', USERNAME: 'admin',
  SERVER_ZONEINFO: '', SERVER_TIMEZONE_OFFSET: 0};
</script><style>body { margin: 0; }</style></head><body><div id="root"></div>
<script type="module" src="/page.js"></script></body></html>'''
_TIMES = [('Last 4 hours', '-4h@m', 'now'), ('Last 24 hours', '-24h@h', 'now'), ('Last 7 days', '-7d@h', 'now')]
_UNITS = {'m': 60, 'h': 3600, 'd': 86400}


def relative(text, now):
    """Epoch seconds of a relative time such as -24h@h."""
    match = re.fullmatch(r'-(\d+)([mhd])(?:@([mhd]))?', text or '')
    if not match:
        return now if text in ('now', '', None) else float(text)
    at = now - int(match.group(1)) * _UNITS[match.group(2)]
    return at - at % _UNITS[match.group(3)] if match.group(3) else at


def _iso(seconds):
    return time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds)) + f'.{int(seconds % 1 * 1000):03}+00:00'


def columns(search, rows):
    """The result as the REST API sends it with output_mode=json_cols."""
    names = search.fields or list(dict.fromkeys(name for row in rows for name in row))

    def cell(name, value):
        if value is None or name == '_time':
            return value and _iso(value)
        if isinstance(value, list):
            return [spl.evals.words(v) for v in value]
        return f'{value:.6g}' if isinstance(value, float) and value != int(value) else spl.evals.words(value)
    return {'fields': [{'name': name} for name in names], 'preview': False, 'init_offset': 0,
            'columns': [[cell(name, row.get(name)) for row in rows] for name in names]}


class Splunkd:
    """events: all of the scene's. now: the moment at which the searches run. folder: where page.js is."""

    def __init__(self, events, now, folder, definition):
        self.events, self.now, self.folder, self.definition = events, now, folder, definition
        self.macros, self.jobs, self.searches, self.errors = fields.read('macros'), {}, [], []
        self._lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Hands everything to answer()."""
            protocol_version = 'HTTP/1.1'

            def _do(self):
                length = int(self.headers.get('Content-Length') or 0)
                body = self.rfile.read(length).decode()
                split = urllib.parse.urlsplit(self.path)
                args = dict(urllib.parse.parse_qsl(split.query + '&' + body))
                ids = urllib.parse.parse_qs(split.query).get('id', [])
                status, kind, data = outer.answer(self.command, split.path, args, ids)
                self.send_response(status)
                self.send_header('Content-Type', kind)
                self.send_header('Content-Length', str(len(data)))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError):      # the page has moved on
                    self.wfile.write(data)

            do_GET = do_POST = do_DELETE = _do

            def log_message(self, *_):
                pass
        self._server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self._server.server_port}'
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method, path, args, ids):
        """(status, content type, bytes) of one request."""
        if path in ('/page.js', '/page.css'):
            with open(os.path.join(self.folder, path[1:]), 'rb') as file:
                return 200, 'text/javascript' if path.endswith('js') else 'text/css', file.read()
        if path == '/':
            return 200, 'text/html', _PAGE.encode()
        if path == '/favicon.ico':
            return 200, 'image/x-icon', b''
        if path == '/definition.json':
            return 200, 'application/json', self.definition.encode()
        try:
            status, found = self._rest(method, path.partition('__raw/')[2], args, ids)
        except Exception as error:          # a search that cannot be run is the test's finding
            self.errors.append(f'{path} {args.get("search", "")[:300]}: {error!r}')
            status, found = 400, {'messages': [{'type': 'FATAL', 'text': repr(error)}]}
        return status, 'application/json', json.dumps(found).encode()

    def _rest(self, method, path, args, ids):
        if path.endswith('data/ui/times'):
            return 200, {'entry': [{'name': label, 'content': {'label': label, 'earliest_time': a, 'latest_time': b,
                                    'header_label': label, 'order': n}} for n, (label, a, b) in enumerate(_TIMES)]}
        if path.endswith('search/timeparser'):
            return 200, {args['time']: _iso(relative(args['time'], self.now))}
        if 'current-context' in path:
            return 200, {'entry': [{'content': {'capabilities': ['search', 'rtsearch'], 'username': 'admin',
                                                'tz': ''}}]}
        match = re.search(r'search/(?:v2/)?jobs/([^/]+)/(results|results_preview|control)', path)
        if match and match.group(2) == 'control':
            return 200, {'messages': []}
        if match:
            return 200, self._results(match.group(1), args.get('search'))
        if path.endswith('search/jobs') and method == 'POST':
            return 201, {'sid': self._start(args)}
        if path.endswith('search/jobs'):
            return 200, {'entry': [self._job(sid) for sid in ids if sid in self.jobs]}
        match = re.search(r'search/(?:v2/)?jobs/([^/]+)\Z', path)
        if match and match.group(1) in self.jobs:
            return 200, {'entry': [self._job(match.group(1))]}
        return 404, {'messages': [{'type': 'ERROR', 'text': 'not here'}]}

    def _start(self, args):
        text = args['search'].strip()
        text = text[len('search '):] if text.startswith('search ') else text
        search = spl.Search(text, self.macros)
        earliest = relative(args.get('earliest_time'), self.now)
        rows = search.run(self.events, relative(args.get('latest_time'), self.now), earliest)
        with self._lock:
            sid = f'job{len(self.jobs)}'
            self.jobs[sid] = (search, rows, earliest)
            self.searches.append((args.get('label'), text, args.get('earliest_time'), args.get('latest_time'), rows))
        return sid

    def _job(self, sid):
        count = len(self.jobs[sid][1])
        return {'name': sid, 'content': {'sid': sid, 'isDone': True, 'isFailed': False, 'isFinalized': False,
                'ttl': 600, 'dispatchState': 'DONE', 'doneProgress': 1, 'eventCount': count, 'resultCount': count,
                'resultPreviewCount': count, 'scanCount': count, 'runDuration': 0.1, 'messages': []}}

    def _results(self, sid, more):
        search, rows, earliest = self.jobs[sid]
        if not more:
            return columns(search, rows)
        # A data source that goes on where another one ends, over the same time.
        search = spl.Search('| ' + more.strip().lstrip('|'), self.macros)
        rows = search.run(rows, self.now, earliest)
        self.searches.append((None, more, None, None, rows))
        return {**columns(search, rows), 'post_process_count': len(rows)}
