"""Faults mixed at random: which one strikes depends on the seed, the tenant and the number of its request alone."""
import collections
import json
import random
import threading
import time

from world import faults
from world.httpd import Response


def _throttle(rng):
    return faults.throttled(rng.choice((429, 503)), rng.choice((0.3, 1, 2.5)),
                            rng.choice(('seconds', 'fraction', 'date', 'body', 'absent')))


def _chop(rng):
    """What a proxy does that passes a shortened body on as a whole one."""
    part = rng.random()

    def fault(request, answer):
        body = answer().body
        return Response(200, body[:int(len(body) * part)])
    return fault


def _move(feeds, rng):
    """The alerts change right after they were read, before the next page is."""
    def fault(request, answer):
        response = answer()
        feed = feeds.get((request.tenant, request.kind))
        if feed and feed.api != 'siem' and feed.versions:
            # Real time, whatever the service's clock claims at the moment.
            feed.update(rng.choice(feed.versions[-40:]), ticks=int(time.time() * 1e7), size='small')
        return response
    return fault


_SAID = b'"error":{"code":"Timeout","message":"Some are missing."}'


def _partial(rng):
    """A 200 that holds an error besides some of the records: after or before them, with and without its next link, or
    with none of the records. The exporter's response is an array: the error comes in its place, or after it."""
    part, form = rng.random(), rng.choice(('after', 'after', 'before', 'empty', 'no link', 'text', 'escaped'))

    def fault(request, answer):
        response = answer()
        versions = response.versions or []
        kept = [version.raw for version in versions[:int(len(versions) * part)]]
        if request.kind == 'siem':
            body = b'{%s}' % _SAID if form in ('before', 'empty') else b'[' + b','.join(kept) + b']{' + _SAID + b'}'
            return Response(200, body)
        link = json.loads(response.body).get('@odata.nextLink') if response.body[:1] == b'{' else None
        link = b'' if form == 'no link' or not link else b'"@odata.nextLink":' + json.dumps(link).encode() + b','
        value = b'"value":[' + (b'' if form == 'empty' else b','.join(kept)) + b']'
        error = {'text': b'"error":"Some are missing."', 'escaped': b'"err\\u006fr":{}'}.get(form, _SAID)
        members = (error, value) if form == 'before' else (value, error)
        return Response(200, b'{' + link + b','.join(members) + b'}')
    return fault


PAGES = {
    'throttled': (12, _throttle),
    'status 5xx': (8, lambda rng: faults.status(rng.choice((500, 502, 504, 509, 408)))),
    'html': (4, lambda rng: faults.html(rng.choice((200, 200, 502, 503)))),
    'empty': (4, lambda rng: faults.empty(rng.choice((200, 204, 504)))),
    'partial 206': (2, lambda rng: faults.status(206, b'{"value":[]}')),
    'redirect': (2, lambda rng: faults.redirect('https://127.0.0.1:9/')),
    'reset before': (6, lambda rng: faults.reset()),
    'reset after': (6, lambda rng: faults.reset(after=True)),
    'hang up': (4, lambda rng: faults.hang_up(rng.random() < 0.5)),
    'drop after': (6, lambda rng: faults.drop_after()),
    'cut': (12, lambda rng: faults.cut(rng.random(), compress=rng.random() < 0.5, chunked=rng.random() < 0.5)),
    'chopped': (3, _chop),
    'false length': (4, lambda rng: faults.wrong_length(rng.choice((-40, -1, 30)))),
    'trickle': (4, lambda rng: faults.trickle(rng.choice((500, 4000)), 0.02)),
    'late answer': (8, lambda rng: faults.delay(rng.random() * 4)),
    'black hole': (1, lambda rng: faults.black_hole(rng.random() < 0.5)),
    'wrong types': (4, lambda rng: faults.wrong_types('value', rng.choice((None, 'none', {}, 7)))),
    'token refused': (8, lambda rng: faults.status(401)),
    'refused once': (6, lambda rng: faults.status(rng.choice((400, 403, 404)))),
    'partial response': (12, _partial),
    'padded': (1, lambda rng: faults.too_big(2_000_000)),
    'updated meanwhile': (12, None),
}
LOGIN = {
    'login throttled': (3, lambda rng: faults.login_throttled(1)),
    'login 5xx': (3, lambda rng: faults.status(rng.choice((500, 503)))),
    'login reset': (3, lambda rng: faults.reset(after=rng.random() < 0.5)),
    'login html': (1, lambda rng: faults.html()),
    'login cut': (2, lambda rng: faults.cut(0.5)),
}


# Faults after which the customer has all of the response all the same, and those that are none for it.
COMPLETE = {'trickle', 'late answer', 'drop after', 'padded', 'updated meanwhile'}
HARMLESS = {'padded', 'updated meanwhile'}


class Mix:
    """Chooses another fault each time; counts them by name."""

    def __init__(self, seed, table, part, feeds=None):
        self.seed, self.table, self.part, self.feeds = seed, table, part, feeds
        self.names, self.weights = list(table), [weight for weight, _ in table.values()]
        self.hits, self._counts, self._lock = collections.Counter(), collections.Counter(), threading.Lock()

    def choose(self, request):
        """(name, fault) for a request; (None, None): it meets none."""
        with self._lock:
            self._counts[request.tenant] += 1
            rng = random.Random(f'{self.seed}/{self.names[0]}/{request.tenant}/{self._counts[request.tenant]}')
            if rng.random() >= self.part:
                return None, None
            name = rng.choices(self.names, self.weights)[0]
            self.hits[name] += 1
        make = self.table[name][1]
        return name, make(rng) if make else _move(self.feeds, rng)
