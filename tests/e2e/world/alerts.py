"""The alert APIs: Graph alerts_v2 and incidents, Defender for Endpoint, and the SIEM exporter."""
import base64
import json
import random
import re
import urllib.parse
import uuid
import zlib

from . import applications, changes, odata, ticks
from .httpd import Response
from .login import AUDIENCES

_COMMON = {'assignedTo': 'text', 'classification': 'text', 'determination': 'text', 'createdDateTime': 'time',
           'lastUpdateDateTime': 'time', 'severity': 'text', 'status': 'text'}
FIELDS = {
    'graph': dict(_COMMON, serviceSource='text'),
    'incidents': _COMMON,
    'endpoint': {'alertCreationTime': 'time', 'lastUpdateTime': 'time', 'lastEventTime': 'time', 'incidentId': 'number',
                 'InvestigationId': 'number', 'id': 'text', 'asssignedTo': 'text', 'detectionSource': 'text',
                 'status': 'text', 'severity': 'text', 'category': 'text'}}
UPDATE = {'graph': 'lastUpdateDateTime', 'incidents': 'lastUpdateDateTime', 'endpoint': 'lastUpdateTime'}
_TOP_SAID = "The limit of '{0}' for Top query has been exceeded. The value from the incoming request is too large."
_SKIP_SAID = "The limit of '{0}' for Skip query has been exceeded."
# preset page, largest $top, largest $skip, options that are understood
_PAGING = {'graph': (100, 1000, 500, {'$filter', '$top', '$skip', '$count', '$orderby', '$skiptoken', '$select'}),
           'incidents': (50, 50, 500, {'$filter', '$top', '$skip', '$count', '$orderby', '$expand', '$skiptoken',
                              '$select'}),
           'endpoint': (10000, 10000, None, {'$filter', '$top', '$skip', '$count', '$orderby', '$expand', '$select'})}
_AGO = re.compile(r'P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?\Z')
_PATHS = {'/v1.0/security/alerts_v2': 'graph', '/v1.0/security/incidents': 'incidents'}


class ApiError(Exception):
    """Becomes an answer in the shape of the API."""

    def __init__(self, status, code, message, headers=()):
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, dict(headers)


class AlertApi:
    """Handlers of the alert services; one object serves them all."""

    def __init__(self, login, limits, clock):
        self.login, self.limits, self.clock = login, limits, clock

    def identify(self, request):
        """Fill in kind and tenant, from path and token, whatever state the token is in; and count the request here,
        before any fault can hide it from the limits."""
        is_change = request.service.name == 'graph' and changes.is_change(request)
        request.kind = 'changes' if is_change else _api_of(request)
        token = self.login.access.get(_bearer(request))
        request.tenant = token.tenant.id if token else None
        request.wait = None
        if token and request.kind:
            group = 'graph' if request.kind == 'incidents' else request.kind
            request.wait = self.limits.count(group, token.tenant.id, token.app.client_id)
        request.kind = request.kind or applications.kind_of(request.path)

    def handle(self, request):
        """Answer one request."""
        api = request.kind
        try:
            if api != 'changes' and (api is None or request.method != 'GET'):
                raise ApiError(404, 'ResourceNotFound', 'Resource not found for the segment.')
            if applications.kind_of(request.path):
                return applications.answer(request, self._authorize(request, 'graph', role=False), self.clock.now())
            token = self._authorize(request, api)
            if request.wait is not None:
                whole = str(int(request.wait) + 1)
                raise ApiError(429, 'TooManyRequests', 'Too many requests, please try again later.',
                               {'Retry-After': whole if api == 'endpoint' else f'{request.wait:.3f}'})
            if api == 'changes':
                return changes.handle(request, token)
            feed = token.tenant.feeds.get(api)
            if feed is None:
                raise ApiError(403, 'Forbidden', 'Account is not provisioned.')
            return self._siem(request, feed) if api == 'siem' else self._odata(request, feed, api)
        except changes.Refused as problem:
            return _error(api, request, ApiError(*problem.args))
        except odata.ODataError as problem:
            code = 'BadRequest' if api != 'endpoint' else 'ODataError'
            code = '' if 'for Top query' in str(problem) and api == 'incidents' else code
            return _error(api, request, ApiError(400, code, str(problem)))
        except ApiError as problem:
            return _error(api, request, problem)

    def _authorize(self, request, api, role=True):
        token = self.login.access.get(_bearer(request))
        challenge = {'WWW-Authenticate': 'Bearer realm="", error="invalid_token", '
                                         'error_description="The access token is not valid"'}
        if token is None or token.revoked or token.expires <= self.clock.steady():
            raise ApiError(401, 'InvalidAuthenticationToken', 'Access token has expired or is not yet valid.',
                           challenge)
        audiences = AUDIENCES['graph' if api == 'changes' else api]
        if token.audience not in audiences or (api == 'siem' and token.version != 1):
            raise ApiError(401, 'InvalidAuthenticationToken', 'Access token validation failure. Invalid audience.',
                           challenge)
        granted = {*token.app.granted, 'changes'}
        if role and (api not in granted or not token.tenant.consented(token.app)):
            role = {'endpoint': 'Alert.Read.All', 'incidents': 'SecurityIncident.Read.All'}.get(api)
            raise ApiError(403, 'Forbidden', 'Missing application roles. API required roles: '
                                             f'{role or "SecurityAlert.Read.All"}, application roles: .')
        return token

    def _odata(self, request, feed, api):
        args, quirks = request.args, feed.quirks
        preset, most, most_skip, known = _PAGING[api]
        unknown = [name for name in args if name.startswith('$') and name not in known]
        if unknown:
            raise odata.ODataError(f"The query parameter '{unknown[0]}' is not supported.")
        if '$select' in args and quirks.select == 'refuse':
            raise odata.ODataError("The query parameter '$select' is not supported.")
        place = _unpack(args.pop('$skiptoken')) if '$skiptoken' in args else None
        if place:
            args = place['args']
        top = odata.parse_count(args, '$top', preset, most, _TOP_SAID)
        skip = place['skip'] if place else odata.parse_count(args, '$skip', 0, most_skip if quirks.skip else 0,
                                                                   _SKIP_SAID)
        turn = place['turn'] if place else 0
        if quirks.expand_fails and 'alerts' in args.get('$expand', ''):
            raise ApiError(500, 'InternalServerError', 'Object reference not set to an instance of an object.')
        rows = self._rows(args, feed, api)
        size = min(top, quirks.page_cap or top)
        empty = turn < quirks.empty_first
        page = [] if empty else rows[skip:skip + size]
        after = skip + (0 if quirks.repeat_link else len(page))
        link = None
        more = after < len(rows) or quirks.repeat_link or (quirks.trailing_link and page)
        if api != 'endpoint' and more and top:
            base = quirks.foreign_link or request.base
            link = f'{base}{request.path}?$skiptoken={_pack(args, after, turn + 1)}'
            link = _relative(link, quirks.relative_link)
        if api == 'endpoint' and quirks.corrupt_link and '$top' not in args and page:
            link = f'{request.base}{request.path}?=&10000'
        bare = api == 'endpoint' and 'evidence' not in args.get('$expand', '').split(',')
        count = len(rows) + quirks.miscounts if args.get('$count') == 'true' and quirks.count else None
        page = [version for version in page if version.key not in quirks.drops]
        if quirks.doubles and len(page) > 1 and after < len(rows):
            page[1] = page[0]
        select = args['$select'].split(',') if '$select' in args and quirks.select == 'accept' else None
        if quirks.orderby == 'page' and '$orderby' in args:
            page = sorted(page, key=lambda version: version.ticks)
        return _page(request, api, page, link, count, quirks.pretty, bare, select)

    def _rows(self, args, feed, api):
        """All that matches, in the order of the service."""
        condition = odata.Filter()
        if '$filter' in args:
            condition = odata.parse_filter(args['$filter'], FIELDS[api], UPDATE[api])
        grain = feed.quirks.grain
        rows = feed.select(condition.lower // grain * grain, (condition.upper + 1) // grain * grain - 1, condition.test)
        if '$orderby' in args and feed.quirks.orderby in ('created', 'shards'):
            rows.sort(key=lambda version: (version.number % 3 if feed.quirks.orderby == 'shards' else version.created,
                                           version.ticks))
            return rows
        if '$orderby' in args and feed.quirks.orderby not in ('ignore', 'page'):
            if feed.quirks.orderby == 'refuse':
                raise odata.ODataError("The query specified in the URI is not valid: '$orderby' is not allowed.")
            for name, descending in reversed(odata.parse_order(args['$orderby'], FIELDS[api])):
                rows.sort(key=lambda version: _sortable(version, name, UPDATE[api]), reverse=descending)
            return rows
        return _ordered(rows, feed.quirks.order)

    def _siem(self, request, feed):
        """The exporter: a bare array of all records in a window; the newest ones when a limit is given."""
        args, quirks, now = request.args, feed.quirks, ticks.from_seconds(self.clock.now())
        lower, upper = now - 2 * 3600 * ticks.PER_SECOND, 1 << 62
        try:
            if 'ago' in args:
                lower = now - _duration(args['ago'])
            if 'sinceTimeUtc' in args:
                lower = ticks.parse(args['sinceTimeUtc'], False) + (not quirks.since_included)
            if 'untilTimeUtc' in args:
                upper = ticks.parse(args['untilTimeUtc'], False) - (not quirks.until_included)
            limit = int(args['limit']) if 'limit' in args else None
        except ValueError as problem:
            raise ApiError(400, 'BadRequest', f'Bad request: {problem}') from problem
        rows = feed.select(lower // quirks.grain * quirks.grain, upper // quirks.grain * quirks.grain)
        rows = rows[-limit:] if limit else rows
        return _page(request, 'siem', _ordered(rows, quirks.order), None, None, quirks.pretty, False)


def _api_of(request):
    if request.service.name == 'graph' or request.path in _PATHS:   # a gateway may have them all at one address
        return _PATHS.get(request.path)
    if request.path in ('/api/alerts', '/api/v1.0/alerts') and request.service.name == 'endpoint':
        return 'endpoint'
    return 'siem' if request.path == '/api/alerts' and request.service.name == 'siem' else None


def _bearer(request):
    kind, _, token = request.headers.get('authorization', '').partition(' ')
    return token if kind.lower() == 'bearer' else ''


def _ordered(rows, order):
    if order == 'newest':
        rows.reverse()
    elif order == 'created':
        rows.sort(key=lambda version: (version.created, version.number), reverse=True)
    elif order == 'shuffled':
        rows.sort(key=lambda version: zlib.crc32(version.digest))
    elif order == 'chaos':
        random.shuffle(rows)
    return rows


def _sortable(version, name, update):
    value = version.ticks if name == update else version.property(name, name.endswith('Time'))
    return (value is not None, value if value is not None else 0)


def _duration(text):
    match = _AGO.match(text)
    if not match or text.endswith(('P', 'T')):
        raise ValueError(f'not a duration: {text}')
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 * ticks.PER_SECOND + seconds * ticks.PER_SECOND


def _relative(link, without):
    """The link as it is written on its own page, without its scheme, host, folder or path."""
    scheme, _, rest = link.partition('//')
    path = rest[rest.index('/'):]
    folder, _, name = path.partition('?')[0].rpartition('/')
    return {None: link, 'scheme': link[len(scheme):], 'host': path, 'folder': path[len(folder) + 1:],
            'path': path[len(folder) + 1 + len(name):]}[without]


def _pack(args, skip, turn):
    """The opaque part of a next link. It holds a position, not a snapshot: the set may shift underneath, as it does
    at Microsoft's."""
    text = json.dumps({'args': args, 'skip': skip, 'turn': turn})
    return urllib.parse.quote(base64.b64encode(zlib.compress(text.encode())).decode(), safe='')


def _unpack(text):
    try:
        return json.loads(zlib.decompress(base64.b64decode(text)))
    except (ValueError, zlib.error) as problem:
        raise odata.ODataError('Invalid $skiptoken.') from problem


def _page(request, api, versions, link, count, pretty, bare, select=None):
    """The envelope around the records' own bytes, or around the members that were asked for."""
    gap, colon = (b'\r\n  ', b' : ') if pretty else (b'', b':')
    records = (b',' + gap).join(version.selected(select) if select else version.bytes(pretty, bare)
                                for version in versions)
    body = b'[' + gap + records + gap + b']'
    if api != 'siem':
        segment = 'security/alerts_v2' if api == 'graph' else 'security/incidents' if api != 'endpoint' else 'Alerts'
        members = [(b'"@odata.context"', json.dumps(f'{request.base}/v1.0/$metadata#{segment}').encode())]
        if count is not None:
            members.append((b'"@odata.count"', b'%d' % count))
        if link:
            members.append((b'"@odata.nextLink"', json.dumps(link).encode()))
        members.append((b'"value"', body))
        body = b'{' + gap + (b',' + gap).join(name + colon + value for name, value in members) + gap + b'}'
    response = Response(200, body, {'request-id': str(uuid.uuid4())},
                        kind='application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8')
    response.items, response.versions = len(versions), versions

    def sent():
        for version in versions:
            version.served += select is None
    response.on_sent = sent
    return response


def _error(api, request, problem):
    identity = str(uuid.uuid4())
    error = {'code': problem.code, 'message': problem.message}
    if api == 'endpoint':
        error['target'] = f'|{identity}'
    elif api != 'siem':
        error['innerError'] = {'date': '2026-11-01T08:00:00', 'request-id': identity,
                               'client-request-id': request.headers.get('client-request-id', identity)}
    return Response(problem.status, json.dumps({'error': error}).encode(), dict(problem.headers, **{
        'request-id': identity}))
