"""Things that go wrong, and rules that say when.

A fault is a function `(request, answer) -> Response`; `answer()` runs the real service. A fault that never calls it
happens before the service noticed the request; one that calls it first loses or spoils an answer whose effects (a
rotated token) have taken place. That difference is the point of several tests.
"""
import email.utils
import json
import random
import threading

from .httpd import Response


class Rule:
    """When a fault strikes. Counts only requests that match; `nth` counts them from 1, per tenant if asked to."""

    def __init__(self, fault, service=None, tenant=None, kind=None, path=None, match=None, nth=None, times=None,
                 probability=1.0, per_tenant=False):
        self.fault, self.service, self.kind, self.path, self.match = fault, service, kind, path, match
        self.tenant = getattr(tenant, 'id', tenant)
        self.nth = {nth} if isinstance(nth, int) else nth
        self.times, self.probability, self.per_tenant = times, probability, per_tenant
        self.seen, self.hits, self.active = {}, 0, True

    def concerns(self, request):
        """Is this one of the requests the rule is about?"""
        return (self.active
                and self.service in (None, request.service.name)
                and self.tenant in (None, request.tenant)
                and self.kind in (None, request.kind)
                and (self.path is None or self.path in request.target)
                and (self.match is None or self.match(request)))

    def strikes(self, request, seed):
        """Count the request and decide. The dice depend on seed, tenant and count alone, so that a run replays
        although tenants overtake one another."""
        key = request.tenant
        self.seen[key] = self.seen.get(key, 0) + 1
        count = self.seen[key] if self.per_tenant else sum(self.seen.values())
        if self.times is not None and self.hits >= self.times:
            return False
        if self.nth is not None and count not in self.nth:
            return False
        if self.probability < 1 and random.Random(f'{seed}/{key}/{self.seen[key]}').random() >= self.probability:
            return False
        self.hits += 1
        return True

    def remove(self):
        """End it; the counts stay readable."""
        self.active = False


class Faults:
    """The rules of a world, first match wins."""

    def __init__(self, seed=0):
        self.seed = seed
        self._rules = []
        self._lock = threading.Lock()

    def add(self, fault, first=False, **when):
        """Add a rule (keywords as in Rule) and return it. first: before those that are there."""
        rule = Rule(fault, **when)
        with self._lock:
            self._rules.insert(0 if first else len(self._rules), rule)
        return rule

    def clear(self):
        """End all rules."""
        with self._lock:
            for rule in self._rules:
                rule.remove()
            self._rules = []

    def apply(self, request, answer):
        """Called by the services: the answer, spoilt or not."""
        with self._lock:
            rules = list(enumerate(self._rules))
        for number, rule in rules:
            if rule.concerns(request) and rule.strikes(request, f'{self.seed}/{number}'):
                return rule.fault(request, answer)
        return answer()


def status(code, body=b'', headers=(), kind='application/json', retry_after=None):
    """Answer with this status; retry_after is sent as it is (text or number)."""
    data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
    data = data.encode() if isinstance(data, str) else data

    def fault(request, answer):
        response = Response(code, data, headers, kind)
        if retry_after is not None:
            response.headers['Retry-After'] = str(retry_after)
        return response
    return fault


def throttled(code=429, wait=None, form='seconds', clock=None):
    """429 or 503 with the wait as 'seconds', 'fraction', 'date', in the 'body' only, or 'absent'."""
    def fault(request, answer):
        message = 'Rate limit is exceeded.'
        if form == 'body':
            message = f'You can send requests again in {wait} seconds.'
        body = {'error': {'code': 'TooManyRequests' if code == 429 else 'ServiceUnavailable', 'message': message}}
        response = Response(code, json.dumps(body).encode())
        if form == 'date':
            now = (clock or request.service.clock).now()
            response.headers['Retry-After'] = email.utils.formatdate(now + wait, usegmt=True)
        elif form in ('seconds', 'fraction'):
            response.headers['Retry-After'] = f'{wait:.3f}' if form == 'fraction' else str(int(wait))
        return response
    return fault


def login_throttled(wait=60):
    """What the login service says to too many client_credentials requests: plain text, no JSON."""
    return status(429, b'Too Many Requests', kind='text/plain', retry_after=wait)


def shaped(after=True, **how):
    """The real answer, delivered in a Response's special ways: shaped(cut=0.5), shaped(trickle=(100, .05)), ...

    after=False spoils an empty answer in place of the real one: the service never saw the request."""
    def fault(request, answer):
        response = answer() if after else Response(502)
        for name, value in how.items():
            setattr(response, name, value)
        return response
    return fault


def delay(seconds):
    """The real answer, late. It is made before the delay, as of a snapshot."""
    return shaped(delay=seconds)


def reset(after=False):
    """RST without a byte; after=True: the service has done its work, only the answer is lost."""
    return shaped(after, cut=0, raw=b'', reset=True)


def hang_up(after=False):
    """An orderly end without a byte."""
    return shaped(after, raw=b'')


def drop_after():
    """The real answer, then an end of the connection that was not announced: keep-alive's race."""
    return shaped(drop=True)


def cut(part=0.5, **how):
    """End the body early: a number of bytes, or a float for that part of it. compress=True, chunked=True combine."""
    return shaped(cut=part, **how)


def trickle(size=64, pause=0.05):
    """The real answer in small pieces."""
    return shaped(trickle=(size, pause))


def black_hole(after=False):
    """Never answer; the connection stays open until the client gives up."""
    return shaped(after, silent=True)


def wrong_length(more=10):
    """A Content-Length that is off by so many bytes (negative: too short)."""
    def fault(request, answer):
        response = answer()
        response.compress = response.chunked = False
        response.length = len(response.body) + more
        response.close = True
        return response
    return fault


def html(code=200):
    """A page for people, as proxies and portals send it."""
    page = b'<!DOCTYPE html><html><head><title>Sign in</title></head><body><p>Please sign in.</p></body></html>'
    return status(code, page, kind='text/html; charset=utf-8')


def empty(code=200):
    """No body at all."""
    return status(code)


def wrong_types(member='value', value='none'):
    """The real answer with one outer member turned into another type; the answer may be an array as well."""
    def fault(request, answer):
        response = answer()
        document = json.loads(response.body)
        if isinstance(document, list):
            document = {member: value}
        else:
            document[member] = value
        response.body = json.dumps(document).encode()
        return response
    return fault


def too_big(size):
    """The real answer, padded with blanks to `size` bytes: still correct JSON."""
    def fault(request, answer):
        response = answer()
        response.body += b' ' * max(0, size - len(response.body))
        return response
    return fault


def page_over(items=None, size=None, code=500):
    """Fail for as long as the page would hold more alerts or bytes than this: only a smaller one gets through."""
    def fault(request, answer):
        response = answer()
        if (items is not None and (response.items or 0) > items) or (size is not None and len(response.body) > size):
            return Response(code, b'{"error":{"code":"InternalServerError","message":"Internal server error"}}')
        return response
    return fault


def redirect(address, code=302):
    """Send the client elsewhere."""
    return status(code, headers={'Location': address})
