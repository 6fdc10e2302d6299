"""The alert APIs: filters, limits, pages, tokens."""
import urllib.parse

from .. import jsonnorm, ticks
from .base import ENDPOINT, WithWorld

BASE = ticks.parse('2026-11-01T08:00:00Z')
SECOND = ticks.PER_SECOND


class Alerts(WithWorld):
    """What the four APIs answer."""

    def walk(self, ask, **query):
        """All records of all pages, by following the links."""
        records, page = [], ask(**query)[1]
        while True:
            records += page['value']
            link = page.get('@odata.nextLink')
            if not link:
                return records
            parts = urllib.parse.urlsplit(link)
            page = ask(parts.path + '?' + parts.query)[1]

    def test_graph_pages_newest_first(self):
        feed = self.tenant.feed('graph')
        for n in range(250):
            feed.publish(ticks=BASE + n * SECOND, size='small')
        ask = self.client('graph', self.token())
        status, page, _ = ask(count='true')
        self.assertEqual((status, len(page['value']), page['@odata.count']), (200, 100, 250))
        self.assertEqual(page['value'][0]['lastUpdateDateTime'][:19], '2026-11-01T08:04:09')
        self.assertEqual(len({r['id'] for r in self.walk(ask)}), 250)
        self.assertEqual(len(self.walk(ask, filter='lastUpdateDateTime ge 2026-11-01T08:00:10Z and '
                                                   'lastUpdateDateTime lt 2026-11-01T08:01:00Z', top=7)), 50)
        self.assertEqual(len(ask(top=1000)[1]['value']), 250)
        for query in ({'top': 1001}, {'skip': 501}, {'filter': 'investigationState eq null'}, {'top': 'x'},
                      {'search': 'x'}, {'orderby': 'title'}):
            status, body, _ = ask(**query)
            self.assertEqual(status, 400, query)
            self.assertIn('innerError', body['error'])

    def test_published_times(self):
        now = ticks.from_seconds(self.world.clock.now())
        for api in ('graph', 'endpoint'):
            versions = self.tenant.feed(api).publish(300, span_s=86400, size='small')
            self.assertTrue(all(now - 86401 * SECOND <= v.ticks <= now + 2 * SECOND for v in versions))
            self.assertTrue(all(v.timed for v in versions))
            self.assertLess(len({v.ticks % SECOND for v in versions}), 250, 'ties within the second')
        self.assertLess(abs(self.tenant.feed('graph').publish()[0].ticks - now), 3 * SECOND)

    def test_an_update_is_later_than_what_it_updates(self):
        """Also when both are cut to the same second."""
        feed = self.tenant.feed('graph')
        version = feed.publish(ticks=ticks.from_seconds(self.world.clock.now()) + SECOND, size='small')[0]
        for _ in range(40):
            later = feed.update(version, size='small')
            self.assertGreater(later.ticks, version.ticks)
            version = later

    def test_links_walk_over_a_changing_set(self):
        feed = self.tenant.feed('graph')
        feed.publish(10, ticks=BASE, size='small')
        ask = self.client('graph', self.token())
        page = ask(top=5)[1]
        seen = [r['id'] for r in page['value']]
        feed.publish(ticks=BASE + SECOND, size='small')
        parts = urllib.parse.urlsplit(page['@odata.nextLink'])
        again = ask(parts.path + '?' + parts.query)[1]['value']
        self.assertEqual(again[0]['id'], seen[-1], 'the newcomer pushed the last one of page 1 to page 2')

    def test_quirks_of_paging(self):
        feed = self.tenant.feed('graph')
        feed.publish(10, ticks=BASE, size='small')
        ask = self.client('graph', self.token())
        feed.quirks.set(page_cap=3, empty_first=1)
        first = ask()[1]
        self.assertEqual((first['value'], '@odata.nextLink' in first), ([], True))
        self.assertEqual(len(self.walk(ask)), 10)
        feed.quirks.set(empty_first=0, repeat_link=True)
        page = ask()[1]
        parts = urllib.parse.urlsplit(page['@odata.nextLink'])
        self.assertEqual(ask(parts.path + '?' + parts.query)[1]['value'], page['value'])
        feed.quirks.set(repeat_link=False, foreign_link='https://elsewhere.example.test')
        self.assertTrue(ask()[1]['@odata.nextLink'].startswith('https://elsewhere.example.test/v1.0/'))
        self.assertRaises(AttributeError, feed.quirks.set, color='red')

    def test_order(self):
        feed = self.tenant.feed('graph')
        old = feed.publish(ticks=BASE, size='small')[0]
        new = feed.publish(ticks=BASE + SECOND, size='small')[0]
        feed.update(old, ticks=BASE + 2 * SECOND, size='small')
        ask = self.client('graph', self.token())

        def ids(**query):
            return [r['id'] for r in ask(**query)[1]['value']]

        self.assertEqual(ids(), [old.key, new.key])
        self.assertEqual(ids(orderby='lastUpdateDateTime asc'), [new.key, old.key])
        feed.quirks.set(order='created')
        self.assertEqual(ids(), [new.key, old.key])
        feed.quirks.set(order='oldest', orderby='ignore')
        self.assertEqual(ids(orderby='lastUpdateDateTime desc'), [new.key, old.key])
        feed.quirks.set(orderby='refuse')
        self.assertEqual(ask(orderby='lastUpdateDateTime')[0], 400)

    def test_incidents_limit(self):
        self.tenant.feed('incidents').publish(120, ticks=BASE)
        ask = self.client('incidents', self.token())
        status, body, _ = ask(top=51)
        self.assertEqual((status, body['error']['code']), (400, ''))
        self.assertIn("limit of '50' for Top", body['error']['message'])
        self.assertEqual(len(self.walk(ask, top=50)), 120)
        self.assertEqual(ask(filter="serviceSource eq 'x'")[0], 400)
        self.tenant.feed('incidents').quirks.set(expand_fails=True)
        self.assertEqual(ask(expand='alerts')[0], 500)

    def test_endpoint(self):
        feed = self.tenant.feed('endpoint')
        feed.publish(30, ticks=BASE)
        ask = self.client('endpoint', self.token(ENDPOINT))
        self.assertEqual({len(r['evidence']) for r in ask()[1]['value']}, {0})
        page = ask(expand='evidence', top=10, skip=25)[1]
        self.assertEqual(([len(r['evidence']) for r in page['value']], '@odata.nextLink' in page), ([3] * 5, False))
        self.assertEqual(len(ask('/api/v1.0/alerts?$top=3')[1]['value']), 3)
        status, body, _ = ask(top=10001)
        self.assertEqual((status, body['error']['code'], 'target' in body['error']), (400, 'ODataError', True))
        self.assertEqual(ask(filter='lastUpdateDateTime ge 2026-11-01T00:00:00Z')[0], 400)
        feed.quirks.set(corrupt_link=True)
        self.assertIn('@odata.nextLink', ask()[1])

    def test_siem(self):
        feed = self.tenant.feed('siem')
        now = ticks.from_seconds(self.world.clock.now())
        for minutes in (1, 30, 119, 121):
            feed.publish(ticks=now - minutes * 60 * SECOND)
        token = self.login(1, grant_type='client_credentials', resource='https://graph.windows.net')[1]['access_token']
        ask = self.client('siem', token)

        def count(**query):
            return len(ask(**query)[1])

        self.assertEqual((count(), count(ago='PT10M'), count(sinceTimeUtc='2020-01-01T00:00:00.000')), (3, 1, 4))
        self.assertEqual(count(sinceTime='2020-01-01T00:00:00.000Z'), 3, 'a misspelt parameter counts as none')
        edge = ticks.iso(feed.versions[1].ticks)
        self.assertEqual((count(sinceTimeUtc=edge), count(untilTimeUtc=edge)), (2, 2))
        feed.quirks.set(since_included=False, until_included=False)
        self.assertEqual((count(sinceTimeUtc=edge), count(untilTimeUtc=edge)), (1, 1))
        newest = ask(limit=1)[1]
        self.assertEqual(newest[0]['FullId'], feed.versions[0].fields['FullId'])
        self.assertEqual(ask(ago='soon')[0], 400)
        self.assertEqual(ask(ago='P')[0], 400)

    def test_tokens_are_checked(self):
        for api in ('graph', 'endpoint', 'siem'):
            self.tenant.feed(api).publish(1)
        graph = self.token()
        status, _, headers = self.client('endpoint', graph)()
        self.assertEqual((status, 'invalid_token' in headers['WWW-Authenticate']), (401, True))
        self.assertEqual(self.client('siem', graph)()[0], 401)
        self.assertEqual(self.client('graph', 'nonsense')()[0], 401)
        ask = self.client('graph', graph)
        self.assertEqual(ask()[0], 200)
        self.tenant.consent(given=False)
        self.assertEqual((ask()[0], ask()[1]['error']['message'][:26]), (403, 'Missing application roles.'))
        self.tenant.consent()
        self.identity.revoke(self.tenant)
        self.assertEqual(ask()[0], 401)
        self.identity.life_s = 0
        self.assertEqual(self.client('graph', self.token())()[0], 401)
        self.identity.life_s = 3599
        other = self.microsoft.tenant('other')
        self.assertEqual(self.client('graph', self.token(tenant=other))()[0], 403, 'no feed: not provisioned')

    def test_limits_are_counted_and_enforced(self):
        self.tenant.feed('endpoint')
        ask = self.client('endpoint', self.token(ENDPOINT))
        for _ in range(101):
            self.assertEqual(ask()[0], 200)
        self.assertEqual(list(self.microsoft.limits.violations().values()), [(101, 101)])
        self.microsoft.limits.enforced = True
        status, body, headers = ask()
        self.assertEqual((status, body['error']['code']), (429, 'TooManyRequests'))
        self.assertTrue(50 <= int(headers['Retry-After']) <= 61)

    def test_bytes_and_versions(self):
        feed = self.tenant.feed('graph')
        raw = b'{"id" : "da1_-2",\n"lastUpdateDateTime":"2026-11-01T08:00:00.50Z", "n": 1.50e+400, "t":"\\u00e9\\/ x"}'
        version = feed.add(raw)
        link = self.link(self.microsoft.graph)
        auth = {'Authorization': 'Bearer ' + self.token(), 'Accept_Encoding': 'gzip'}
        link.link.request('GET', '/v1.0/security/alerts_v2', headers=auth)
        self.assertIn(raw, link.link.getresponse().read())
        feed.quirks.set(pretty=True)
        link.link.request('GET', '/v1.0/security/alerts_v2', headers=auth)
        self.assertIn(jsonnorm.strip(raw), jsonnorm.strip(link.link.getresponse().read()))
        self.assertEqual((version.key, version.ticks), ('da1_-2', BASE + SECOND // 2))
        late = feed.update(version, ticks=BASE + SECOND, late=0.15)
        feed.publish(ticks=BASE, late=3600)
        ask = self.client('graph', self.token())

        def shown():
            return [r['lastUpdateDateTime'] for r in ask()[1]['value']]

        self.assertEqual(shown(), ['2026-11-01T08:00:00.50Z'])
        while self.world.clock.steady() < late.due:
            pass
        self.assertEqual([ticks.parse(text) for text in shown()], [late.ticks])
        self.assertEqual((version.gone, version.served >= 3), (late.due, True))
        self.assertEqual(self.microsoft.crashes(), [])
        self.assertEqual(self.microsoft.requests(self.tenant, 'graph')[-1].status, 200)
