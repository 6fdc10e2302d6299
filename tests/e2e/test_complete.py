"""What counts as a complete response, and which records of it are written."""
import gzip
import json
import time

import pytest
from cases import APIS, SECOND, DeliveryCase
from world import faults, ticks
from world.httpd import Response
from world.runner import wait_for

PARTIAL = {
    'after': b'{%(members)s,"error":{"code":"Timeout","message":"Some are missing."}}',
    'before': b'{"error":{"code":"Timeout","message":"Some are missing."},%(members)s}',
    'text': b'{%(members)s,"error":"Some are missing."}',
    'empty': b'{%(members)s,"error":{}}',
    'escaped': b'{%(members)s,"err\\u006fr":{}}',
    'version-3': b'{%(members)s,"odata.error":{"code":""}}',
}
SPELLINGS = ((b'"a+b"', b'"a\\u002Bb"'), (b'"a/b"', b'"a\\/b"'), ('"\u00e9&<"'.encode(), b'"\\u00e9\\u0026\\u003C"'),
             ('"\U0001F600"'.encode(), b'"\\ud83d\\uDE00"'))


def _body(change):
    """The real answer with its body changed."""
    def fault(request, answer):
        response = answer()
        response.body = change(response.body)
        return response
    return fault


def _partial(form):
    """All but the oldest record, and an error."""
    def fault(request, answer):
        response = answer()
        body = response.body
        if len(response.versions) > 1:
            raw = min(response.versions, key=lambda version: version.ticks).raw
            body = body.replace(raw + b',', b'') if raw + b',' in body else body.replace(b',' + raw, b'')
        response.body = PARTIAL[form] % {b'members': body[1:-1]}
        return response
    return fault


def _without_records(body):
    return json.dumps(dict(json.loads(body), value=[])).encode()


def _value_twice(body):
    """The records in two members of the same name, their bytes unchanged."""
    return body.replace(b'},{"id"', b'}],"value":[{"id"', 1)


def _zipped(more):
    """The real answer, compressed, and these bytes after it."""
    def fault(request, answer):
        response = Response(200, gzip.compress(answer().body) + more, {'Content-Encoding': 'gzip'})
        response.compress = False
        return response
    return fault


class Partial(DeliveryCase):
    """A 200 that is not all."""

    def strike(self, world, name, fault, api='graph', **when):
        """A customer with four recent alerts and one that is two hours older."""
        feed = world.customer(name, api, start_time='-1d')
        feed.publish(1, ticks=self.now(world) - 2 * 3600 * SECOND)
        feed.publish(4, span_s=60)
        return world.faults.add(fault, kind=api, tenant=feed.tenant, **when)

    def troubles(self, world):
        """What the program says about failed requests."""
        return [line.text for line in world.program.lines if 'event=trouble' in line.text]

    @pytest.mark.promise('Trouble', 'A response with an error next to its records is not complete')
    def test_an_error_next_to_the_records(self):
        world = self.world()
        rules = [self.strike(world, f'{form}-{api}', _partial(form), api, times=2)
                 for form in PARTIAL for api in ('graph', 'endpoint')]
        program = world.start()
        wait_for(lambda: all(rule.hits for rule in rules), 20, 'the partial answers')
        self.arrives(world, 20, lost=len(rules))
        program.wait_line("input=after-graph .*holds an error: 'Timeout Some are missing.'.* retrying in")
        self.exact(world, seconds=40)
        self.assertEqual([rule.hits for rule in rules], [2] * len(rules))
        self.ends(world)

    def test_an_error_that_is_none(self):
        world = self.world()
        feed = world.customer('null', start_time='-1d')
        feed.publish(4, span_s=3600)
        feed.add(b'{"error":{"code":"in a record"}}')
        world.faults.add(_body(lambda body: body[:-1] + b',"error":null}'), kind='graph')
        world.start()
        self.exact(world)
        self.assertEqual(self.troubles(world), [])

    @pytest.mark.promise('Trouble',
                         'Lost connections, 5xx, truncated bodies and web pages are retried forever, without loss')
    def test_bodies_that_are_not_all(self):
        """HTTP sees nothing wrong: the length fits. Nothing passes for read, and the records that came are written."""
        cases = {
            'cut-after-the-records': _body(lambda body: body[:body.rindex(b']') + 1]),
            'cut-in-a-record': _body(lambda body: body[:len(body) * 2 // 3]),
            'no-value': _body(lambda body: b'{"@odata.context":"x"}'), 'empty-object': _body(lambda body: b'{}'),
            'blank': _body(lambda body: b' '), 'null': _body(lambda body: b'null'),
            'garbage': _body(lambda body: _without_records(body) + b'x'),
            'two-texts': _body(lambda body: _without_records(body) + body),
            'zeros': _body(lambda body: _without_records(body) + bytes(3)),
            '202': faults.status(202, b'{"value":[]}'), '204': faults.status(204),
            '206': faults.status(206, b'{"value":[]}'),
            'zip-garbage': _zipped(b'x'), 'zip-zeros-and-more': _zipped(bytes(3) + b'x'),
        }
        world = self.world()
        rules = [self.strike(world, name, fault, times=1) for name, fault in cases.items()]
        world.start()
        self.exact(world, seconds=40)
        self.assertEqual([rule.hits for rule in rules], [1] * len(rules))
        self.assertEqual(len(self.troubles(world)), len(rules))

    @pytest.mark.promise('Trouble', 'A gzip body may be padded with zeros; any other byte after it is a failure')
    def test_bodies_that_are_all(self):
        """Unusual, but nothing is missing."""
        cases = {'mark': _body(lambda body: b'\xef\xbb\xbf' + body), 'twice': _body(_value_twice),
                 'blanks': _body(lambda body: b'\r\n' + body + b' \r\n\t'),
                 'empty-link': _body(lambda body: b'{"@odata.nextLink":"",' + body[1:]),
                 'zip': _zipped(b''), 'zip-padded': _zipped(bytes(1)), 'zip-much': _zipped(bytes(70000))}
        world = self.world()
        for name, fault in cases.items():
            self.strike(world, name, fault)
        world.start()
        self.exact(world)
        self.assertEqual(self.troubles(world), [])


class Links(DeliveryCase):
    """Next links on pages that are not full."""

    def requests(self, world, feed):
        """How many the feed's service got."""
        return len(world.microsoft.requests(feed.tenant, kind=feed.api))

    @pytest.mark.promise('Trouble', 'The link of a page that is not full is followed. If nothing more comes, the page '
                                    'was complete')
    def test_links_to_empty_pages(self):
        world = self.world()
        feeds = [world.customer(api, api, start_time='-10d') for api in ('graph', 'incidents')]
        for feed in feeds:
            feed.quirks.set(trailing_link=True)
            feed.publish(40, span_s=9 * 86400, size='small')
        world.start()
        self.arrives(world)
        for _ in range(3):
            before = {feed: self.requests(world, feed) for feed in feeds}
            begun = time.monotonic()
            for feed in feeds:
                feed.publish(1)
            self.arrives(world, 10)
            polls = time.monotonic() - begun + 2        # one a second
            for feed in feeds:
                self.assertLessEqual(self.requests(world, feed) - before[feed], 2 * polls)
        self.exact(world)

    @pytest.mark.promise('Trouble', 'The link of a page that is not full is followed. If nothing more comes, the page '
                                    'was complete')
    def test_a_backfill_with_links_to_empty_pages(self):
        world = self.world()
        feed = world.customer('far', start_time='-20d', poll_interval=10)
        feed.quirks.set(trailing_link=True, page_cap=30)
        feed.publish(300, span_s=19 * 86400, size='small')
        world.start().wait_line('event=backfill_done', 50)
        self.assertLess(self.requests(world, feed), 120)
        self.exact(world)

    @pytest.mark.promise('Events', 'Each version arrives once, whatever the order, the pages and the ties')
    def test_updates_between_short_pages(self):
        """An update takes a record out of a bounded window, those after it move up, and the next page looks empty."""
        world = self.world()
        feed = world.customer('busy', overlap=900, start_time='-3d', poll_interval=10)
        feed.quirks.set(page_cap=4, trailing_link=True, order='oldest')
        feed.publish(20, span_s=2 * 86400, size='small')
        moved = [0]

        def move(request, answer):
            response = answer()
            shown = [version for version in feed.versions if version.gone is None and version in response.versions]
            if moved[0] < 8 and shown:
                feed.update(shown[0], size='small')
                moved[0] += 1
            return response
        world.faults.add(move, kind='graph')
        world.start()
        self.exact(world, seconds=50, polls=1)

    @pytest.mark.promise('Trouble', 'A next-page link may be relative to its page')
    def test_relative_links(self):
        world = self.world()
        for form in ('scheme', 'host', 'folder', 'path'):
            feed = world.customer(form)
            feed.quirks.set(relative_link=form, page_cap=5)
            feed.publish(12, ticks=self.now(world) - 60 * SECOND, size='small')
        world.start()
        self.exact(world, seconds=40)
        self.assertEqual([line.text for line in world.program.lines if 'not followed' in line.text], [])

    @pytest.mark.promise('Trouble', 'No token is sent to another host, be it by next links, redirects or certificates')
    def test_a_relative_link_to_another_host(self):
        world, elsewhere = self.world(), self.world()
        feed = world.customer('led-astray')
        feed.quirks.set(relative_link='scheme', page_cap=5, foreign_link=elsewhere.microsoft.graph.url)
        feed.publish(12, ticks=self.now(world) - 60 * SECOND, size='small')
        world.start().wait_line('leads to another host')
        self.assertEqual(elsewhere.microsoft.graph.accepted, 0)


class Filters(DeliveryCase):
    """Services that filter more coarsely than their timestamps."""

    @pytest.mark.promise('Events', 'A filter that is coarser than the times, up to a minute, loses and repeats nothing')
    def test_few(self):
        world = self.world()
        for name, grain in (('second', SECOND), ('grid', SECOND // 300), ('minute', 60 * SECOND)):
            for api in APIS:
                feed = world.customer(f'{name}-{api}', api, start_time='-2h')
                feed.quirks.set(grain=grain, page_cap=20 if api in ('graph', 'incidents') else None)
                feed.publish(51, span_s=3600, size='small')
        world.start()
        self.arrives(world, 40)
        for feed in world.feeds.values():
            feed.publish(3, span_s=5, size='small')
        self.exact(world, seconds=40)
        world.restart()
        self.exact(world, seconds=40)

    @pytest.mark.promise('Events', 'A filter that is coarser than the times, up to a minute, loses and repeats nothing')
    def test_many(self):
        world = self.world()
        for name, grain in (('second', SECOND), ('grid', SECOND // 300)):
            feed = world.customer(name, start_time='-1d', poll_interval=5, overlap=60)
            feed.quirks.set(grain=grain, page_cap=150)
            feed.publish(3001, span_s=3600, size='small')
        world.start()
        self.exact(world, seconds=50, polls=1)


class Versions(DeliveryCase):
    """What a version is recognized by."""

    @pytest.mark.promise('Events', 'An alert version is identified by ID and update time')
    def test_an_id_in_two_spellings(self):
        world = self.world()
        feed = world.customer('ids')
        for plain, _ in SPELLINGS:
            stamp = ticks.iso(self.now(world) - 60 * SECOND).encode()
            feed.add(b'{"id":%s,"lastUpdateDateTime":"%s"}' % (plain, stamp))
        world.start()
        self.arrives(world)

        def respell(body):
            for plain, other in SPELLINGS:
                body = body.replace(plain, other)
            return body
        world.faults.add(_body(respell), kind='graph')
        self.exact(world)
        world.restart()
        self.exact(world)

    @pytest.mark.promise('Events', 'A record without a time is written once, for as long as it keeps coming')
    def test_a_record_without_a_time_stays_known(self):
        world = self.world()
        feed = world.customer('timeless', overlap=60)
        raw = b'{"id":"da1_1","title":"no time"}'
        feed.add(raw)
        feed.publish(2)
        world.start()
        self.arrives(world)

        def always(body):
            comma = b'' if b'"value":[]' in body else b','
            return body if raw in body else body.replace(b'"value":[', b'"value":[' + raw + comma, 1)
        world.faults.add(_body(always), kind='graph')
        for _ in range(3):
            self.polls(world, feed, 2)
            world.clock.jump(3600)
            feed.publish(2)
            self.arrives(world)
            self.polls(world, feed, 2)
            world.restart()
            self.exact(world)
