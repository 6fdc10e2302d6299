"""Faults that last, each directed at one customer or one service: records that cannot be read, stray refusals, wrong
dates, silent connections, filters that are too coarse. Who meets which, and when, comes from the seed."""
import email.utils
import time

from trouble import Trouble
from world import ticks
from world.httpd import Response

ERROR = b'{"error":{"code":"InternalServerError","message":"Internal server error"}}'
DAY_S = 86400
# In ticks: exact, whole seconds, and the grid of 1/300 s on which Microsoft's sample values lie.
GRAINS = (1, ticks.PER_SECOND, ticks.PER_SECOND // 300)
SIEM_STEP = ticks.PER_SECOND // 1000    # the exporter's bounds have milliseconds, and both may be included


class Poison:
    """A record that spoils every response that would hold it, until it is healed."""

    def __init__(self, version, rng):
        self.version, self.healed, self.hits = version, False, 0
        self.form = rng.choice(('status 500', 'status 500', 'status 504', 'breaks', 'drops') +
                               (() if version.feed.api == 'siem' else ('error',)))

    def strike(self, response):
        """The response, spoilt if it holds the record."""
        if self.healed or not response.versions or self.version not in response.versions:
            return response
        self.hits += 1
        if self.form.startswith('status'):
            return Response(int(self.form.split()[1]), ERROR)
        at = response.body.find(self.version.raw)
        at = at if at >= 0 else len(response.body) // 2
        if self.form == 'error':
            start = response.body.index(b'[') + 1
            whole = response.body[:at].rstrip(b', \r\n') if at > start else response.body[:start]
            return Response(200, whole + b'],"error":{"code":"Timeout","message":"Some are missing."}}')
        spoilt = Response(200, response.body[:at + len(self.version.raw) // 2])
        if self.form == 'drops':
            spoilt.cut, spoilt.body, spoilt.compress = len(spoilt.body), response.body, False
        return spoilt

    def hides(self, version):
        """Can the service not tell this version from the record by their times?"""
        if self.healed or version.feed is not self.version.feed:
            return False
        grain = version.feed.quirks.grain
        apart = abs(version.ticks - self.version.ticks)
        return version.ticks // grain == self.version.ticks // grain or (
            version.feed.api == 'siem' and apart <= 5 * SIEM_STEP)


class Poisons(Trouble):
    """One record of each customer. Of half of them a record of the past, of the others a new one. Some are healed
    while it runs, most at its end, the rest never."""

    name, kinds, pause = 'poison', ('heal',), (10, 40)

    def __init__(self, soak):
        super().__init__(soak)
        self._of, self._never = {}, set()

    def customer(self, feed):
        """A new one, with its past."""
        if self.rng.random() < 0.5:
            self._choose(feed, self.rng.choice(feed.versions))

    def published(self, feed, versions):
        """The first new record of those whose past is good."""
        if feed.tenant.id not in self._of:
            self._choose(feed, versions[0])

    def _choose(self, feed, version):
        self._of[feed.tenant.id] = Poison(version, self.rng)
        if self.rng.random() < 0.2:
            self._never.add(feed.tenant.id)

    def strike(self, tenant, response):
        """(response, whether it was spoilt)."""
        poison = self._of.get(tenant)
        result = poison.strike(response) if poison else response
        return result, result is not response

    def _heal(self):
        ill = [tenant for tenant, poison in list(self._of.items()) if not poison.healed and tenant not in self._never]
        if ill:
            self._of[self.rng.choice(ill)].healed = True

    def heal(self):
        """All that are ever healed."""
        for tenant, poison in self._of.items():
            poison.healed = tenant not in self._never

    def hides(self, version):
        """Is it one that nobody can read now?"""
        poison = self._of.get(version.feed.tenant.id)
        return bool(poison and poison.hides(version))

    def about(self, version):
        """What was wrong at the customer of a version, for the report."""
        poison, quirks = self._of.get(version.feed.tenant.id), version.feed.quirks
        return f'grain {quirks.grain}, page_cap {quirks.page_cap}, poisoned: {poison and poison.form} ' + (
            f'{poison.version!r}' if poison else '')

    def __str__(self):
        struck = sum(1 for poison in self._of.values() if poison.hits)
        forms = {}
        for poison in self._of.values():
            forms[poison.form] = forms.get(poison.form, 0) + 1
        return (f'{len(self._of)}, {struck} of them met, {len(self._never)} never healed; ' +
                ', '.join(f'{form} {count}' for form, count in sorted(forms.items())))


class Directed(Trouble):
    """For some seconds, the requests of some customers or of all of a service get an answer of that kind. A customer
    then rests, so that two of them do not look like a refusal that stays."""

    longest_s, rest_s = 8, 150

    def __init__(self, soak):
        super().__init__(soak)
        self._of = {}           # tenant: (what, until)

    def _direct(self, what):
        now, customers = time.monotonic(), self.soak.customers
        if self.rng.random() < 0.2:
            service = self.rng.choice(self.world.microsoft.services[1:])
            chosen = sorted(tenant for tenant, name in customers.items() if name == service.name)
        else:
            chosen = self.rng.sample(sorted(customers), max(1, len(customers) // 20))
        until = now + 1 + self.rng.random() * (self.longest_s - 1)
        for tenant in chosen:
            if tenant not in self._of or now > self._of[tenant][1] + self.rest_s:
                self._of[tenant] = (what, until)
        self.over.wait(until - now)

    def of(self, tenant):
        """What a customer's requests get now, or None."""
        what, until = self._of.get(tenant, (None, 0))
        return what if time.monotonic() < until and not self.over.is_set() else None


class Strays(Directed):
    """Refusals that pass."""

    name, pause, kinds = 'strays', (3, 12), ('refused',)

    def _refused(self):
        self._direct(self.rng.choice((400, 401, 403, 404)))

    @staticmethod
    def spoil(status, response):
        """The refusal in place of the response."""
        return Response(status, b'{"error":{"code":"Stray","message":"Not now."}}')


class Partials(Directed):
    """Responses with an error besides their records: every other record is missing for longer than the overlap, so that
    nobody who takes such a response for a complete one sees them later."""

    name, pause, kinds, longest_s = 'partials', (5, 20), ('partial',), 90

    def _partial(self):
        self._direct('after' if self.rng.random() < 0.7 else 'before')

    @staticmethod
    def spoil(form, response):
        """The part of the response. That of the exporter is an array, with nowhere to put an error but after it."""
        if not response.versions:
            return response
        kept = b','.join(version.raw for version in response.versions if version.number % 2)
        error = b'"error":{"code":"Timeout","message":"Some are missing."}'
        if response.versions[0].feed.api == 'siem':
            return Response(200, b'[' + kept + b']{' + error + b'}')
        members = (error, b'"value":[' + kept + b']')
        return Response(200, b'{' + b','.join(members if form == 'before' else reversed(members)) + b'}')


class Dates(Trouble):
    """Date headers that are days off: of single responses, also of the first token of a new input, and of all
    responses of a service or of all services for a while. Nothing is delayed by it, so that it is no excuse."""

    name, pause = 'dates', (5, 25)
    kinds = ('single', 'single', 'single', 'service', 'services')

    def __init__(self, soak):
        super().__init__(soak)
        self._once, self._stretch, self.said = {}, {}, 0

    def customer(self, feed):
        """A new one: the first response of the login service may be wrong."""
        if self.rng.random() < 0.2:
            self._once[feed.tenant.id] = ('login', self._off())

    def _off(self):
        return self.rng.choice((-1, 1)) * self.rng.choice((2, 3, 10, 40)) * DAY_S

    def _single(self):
        polls = self.soak.watch.polls()
        for tenant in self.rng.sample(sorted(self.soak.customers), max(1, len(self.soak.customers) // 10)):
            once = self.rng.choice(('alerts', 'alerts', 'login')), self._off()
            if polls[tenant]:           # of a new input, two that say the same would be believed
                self._once.setdefault(tenant, once)

    def _while(self, services):
        if all(self.soak.watch.polls().values()):       # where a new input begins is for the clock of its host to say
            off = self._off()
            self._stretch = {service.name: off for service in services}
            self.over.wait(5 + self.rng.random() * 35)
            self._stretch = {}

    def _service(self):
        self._while([self.rng.choice(self.world.microsoft.services[1:])])

    def _services(self):
        self._while(self.world.microsoft.services)

    def mend(self):
        self._stretch, self._once = {}, {}

    def spoil(self, request, response):
        """Set the header of the response."""
        off = self._stretch.get(request.service.name)
        where, once = self._once.get(request.tenant, (None, 0))
        if off is None and where == ('login' if request.service.name == 'login' else 'alerts'):
            del self._once[request.tenant]
            off = once
        if off:
            self.said += 1
            response.headers['Date'] = email.utils.formatdate(self.world.clock.now() + off, usegmt=True)


class Silence(Trouble):
    """All connections that are open to a service carry nothing any more, and new ones work."""

    name, kinds, pause, rest_s = 'silence', ('silent',), (10, 40), 150

    def __init__(self, soak):
        super().__init__(soak)
        self.swallowed, self._last = 0, {}
        for service in self.world.microsoft.services:
            service.on_silent = self._swallowed

    def _swallowed(self, request):
        self.swallowed += 1
        self.soak.watch.met(request.tenant, 'silent')

    def _silent(self):
        service, now = self.rng.choice(self.world.microsoft.services), time.monotonic()
        if now > self._last.get(service.name, -self.rest_s) + self.rest_s:
            self._last[service.name] = now
            service.freeze()


def make_coarse(feed, rng):
    """How coarse the filter of this customer's service is. Where it is, more records than a page holds lie close
    together, so that windows end between them."""
    feed.quirks.set(grain=rng.choice(GRAINS))
    if feed.quirks.grain > 1 and feed.api in ('graph', 'incidents'):
        feed.quirks.set(page_cap=20)
        feed.publish(60, ticks=feed.versions[0].ticks, span_s=10, size='small')
