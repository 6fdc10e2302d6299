"""Changes of alerts and incidents at Graph: PATCH of one, POST of a comment.

After the pages "Update alert", "Create comment for alert", "Update incident" and "Create comment for incident" of
Graph v1.0: which members may be changed, their values, the permission, and answers of 200. A change
is one more version of the record, with a new lastUpdateDateTime.
"""
import json
import re
import uuid

from .httpd import Response

_PATH = re.compile(r'/v1\.0/security/(alerts_v2|incidents)/([^/]+)(/comments)?\Z')
_APIS = {'alerts_v2': 'graph', 'incidents': 'incidents'}
WRITES = {'graph': 'SecurityAlert.ReadWrite.All', 'incidents': 'SecurityIncident.ReadWrite.All'}
_STATES = {'graph': ('new', 'inProgress', 'resolved'), 'incidents': ('active', 'inProgress', 'resolved', 'redirected')}
_VALUES = {'classification': ('unknown', 'falsePositive', 'truePositive', 'informationalExpectedActivity'),
           'determination': ('unknown', 'apt', 'malware', 'securityPersonnel', 'securityTesting', 'unwantedSoftware',
                             'other', 'multiStagedAttack', 'compromisedAccount', 'phishing', 'maliciousUserActivity',
                             'notMalicious', 'notEnoughDataToValidate', 'confirmedActivity',
                             'lineOfBusinessApplication')}


class Refused(Exception):
    """status, code and message of the answer."""


def is_change(request):
    """Is this the address of one alert or incident?"""
    return _PATH.match(request.path) is not None


def handle(request, token):
    """Answer a request whose token is good. Raises Refused."""
    kind, identity, comments = _PATH.match(request.path).groups()
    api = _APIS[kind]
    if WRITES[api] not in token.app.writes:
        raise Refused(403, 'Forbidden', f'Missing application roles. API required roles: {WRITES[api]}, '
                                        'application roles: SecurityAlert.Read.All.')
    if (request.method, bool(comments)) not in (('PATCH', False), ('POST', True)):
        raise Refused(405, 'MethodNotAllowed', 'The method is not allowed here.')
    if 'application/json' not in request.headers.get('content-type', ''):
        raise Refused(400, 'BadRequest', 'A supported MIME type could not be found that matches the content type.')
    feed = token.tenant.feeds.get(api)
    latest = feed.latest(identity) if feed else None
    if latest is None:
        raise Refused(404, 'NotFound', f'{kind} with ID {identity} was not found.')
    return _answer(feed, latest, *_read(request, api, comments))


def _read(request, api, comments):
    try:
        body = json.loads(request.body)
    except ValueError as problem:
        raise Refused(400, 'BadRequest', 'Unable to read JSON request payload.') from problem
    if comments:
        if body.get('@odata.type') != 'microsoft.graph.security.alertComment' or not body.get('comment'):
            raise Refused(400, 'BadRequest', 'Comment is missing.')
        return {}, body['comment']
    allowed = {'status': _STATES[api], 'assignedTo': None, **_VALUES}
    for name, value in body.items():
        if name not in allowed:
            raise Refused(400, 'BadRequest', f'Property {name} cannot be updated.')
        if allowed[name] and value not in allowed[name]:
            raise Refused(400, 'BadRequest', f'Requested value {value} of {name} was not found.')
    if not body:
        raise Refused(400, 'BadRequest', 'Nothing to update.')
    return body, None


def _answer(feed, latest, members, comment):
    said = json.loads(latest.raw)
    members = {**{name: said[name] for name in ('status', 'assignedTo', 'classification', 'determination', 'comments')
                  if name in said}, **members}
    if comment:
        members['comments'] = [*(members.get('comments') or []), {'comment': comment}]
    version = feed.update(latest, **members)
    body = {'value': members['comments']} if comment else json.loads(version.raw)
    return Response(200, json.dumps(body).encode(), {'request-id': str(uuid.uuid4())}, kind='application/json')
