"""What each request meets. One rule of the world's for all of it, so that one fault can strike on top of another."""
from mix import COMPLETE, HARMLESS

APIS = ('graph', 'endpoint', 'siem', 'incidents')


def is_poll(request):
    """A request for all that is new: of the first page, and without an upper bound."""
    args = request.args
    return request.kind in APIS and not any(name in args for name in ('untilTimeUtc', '$skip', '$skiptoken')) and (
        ' lt ' not in args.get('$filter', ''))


class Answers:
    """The faults, and the eye on every request."""

    def __init__(self, soak):
        self.soak = soak

    def __call__(self, request, answer):
        """What a request meets: first a fault of the mix, then what is directed at its customer, then the service."""
        name, fault = (None, None)
        if not self.soak.over.is_set():
            name, fault = (self.soak.pages if request.kind in APIS else self.soak.login).choose(request)
        kinds = {name} - {None} - HARMLESS
        response = self._struck(request, answer, fault, kinds) if fault else self._spoilt(request, answer(), kinds)
        if response.status != 200 and not kinds:
            kinds.add(f'status {response.status}')
        for kind in kinds:
            self.soak.watch.met(request.tenant, kind, request.kind not in APIS or is_poll(request) or (
                response.status in (401, 429, 503)))
        if not kinds - COMPLETE and is_poll(request) and request.tenant:
            sent = response.on_sent

            def served():
                if sent:
                    sent()
                self.soak.watch.served(request.tenant)
            response.on_sent = served
        return response

    def _struck(self, request, answer, fault, kinds):
        """The response with a fault of the mix. Some of them parse it, and it may be spoilt already."""
        inner = []

        def spoilt():
            inner.append(self._spoilt(request, answer(), kinds))
            return inner[0]
        try:
            return fault(request, spoilt)
        except ValueError:
            return inner[0]

    def _spoilt(self, request, response, kinds):
        """The service's response, with the faults that are directed at the customer."""
        if request.kind in APIS and request.tenant:
            response, struck = self.soak.poisons.strike(request.tenant, response)
            kinds.update(['poison'] if struck else [])
            for trouble, kind in ((self.soak.partials, 'partial'), (self.soak.strays, 'stray')):
                what = trouble.of(request.tenant)
                if what:
                    response = trouble.spoil(what, response)
                    kinds.add(kind)
        self.soak.dates.spoil(request, response)
        return response
