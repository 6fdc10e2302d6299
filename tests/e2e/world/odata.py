"""The part of OData that the alert APIs understand, and nothing beyond it.

A stand-in that accepted more than the services do would let a wrong request pass its test, so every doubt is an
error: unknown names, quoted or zone-less times, dates without a time, more than seven fraction digits.
"""
import operator
import re

from . import ticks

_TOKEN = re.compile(r"""\s*(?:
    (?P<time>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d)?)(?![\w.:+-]) |
    (?P<text>'(?:[^']|'')*') |
    (?P<number>-?\d+)(?![\w.:-]) |
    (?P<word>[A-Za-z_]\w*) |
    (?P<mark>[()])
)""", re.VERBOSE)
_COMPARE = {'eq': operator.eq, 'ne': operator.ne, 'ge': operator.ge, 'gt': operator.gt, 'le': operator.le,
            'lt': operator.lt}
_END = 1 << 62


class ODataError(ValueError):
    """The expression is not one the service takes; the text is what it answers."""


class Filter:
    """A parsed `$filter`.

    lower and upper bound the update time (ticks, inclusive), so that a feed can look into its sorted index; test()
    decides the rest and is None when the bounds say it all."""

    def __init__(self, lower=-_END, upper=_END, test=None):
        self.lower, self.upper, self.test = lower, upper, test


class _Parser:
    def __init__(self, text, fields, update):
        self.fields, self.update = fields, update
        self.tokens = self._split(text)
        self.place = 0

    def _split(self, text):
        tokens, at = [], 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if not match:
                raise ODataError(f"Syntax error at position {at} in '{text}'.")
            tokens.append((match.lastgroup, match.group(match.lastgroup)))
            at = match.end()
        return tokens

    def _next(self, *kinds):
        kind, text = self.tokens[self.place] if self.place < len(self.tokens) else ('end', '')
        if kind not in kinds:
            raise ODataError(f"Syntax error: unexpected '{text}' ({kind}) at token {self.place}.")
        self.place += 1
        return kind, text

    def _peek(self, word):
        return self.place < len(self.tokens) and self.tokens[self.place][1] == word

    def parse(self):
        node = self._either()
        self._next('end') if self.place < len(self.tokens) else None
        return node

    def _either(self):
        nodes = [self._all()]
        while self._peek('or'):
            self.place += 1
            nodes.append(self._all())
        return nodes[0] if len(nodes) == 1 else ('or', nodes)

    def _all(self):
        nodes = [self._one()]
        while self._peek('and'):
            self.place += 1
            nodes.append(self._one())
        return nodes[0] if len(nodes) == 1 else ('and', nodes)

    def _one(self):
        if self._peek('('):
            self.place += 1
            node = self._either()
            if not self._peek(')'):
                raise ODataError("Syntax error: ')' expected.")
            self.place += 1
            return node
        name = self._next('word')[1]
        if name not in self.fields:
            raise ODataError(f"Could not find a property named '{name}'.")
        verb = self._next('word')[1]
        if verb not in _COMPARE:
            raise ODataError(f"Unrecognized operator '{verb}'.")
        return ('is', name, verb, self._value(name, self.fields[name]))

    def _value(self, name, kind):
        found, text = self._next('time', 'text', 'number', 'word')
        if (found, text) == ('word', 'null'):
            return None
        if found != kind:
            raise ODataError(f"A binary operator with incompatible types was detected at '{name}': {found} {text}")
        if kind == 'time':
            try:
                return ticks.parse(text)
            except ValueError as problem:
                raise ODataError(f"Unrecognized 'Edm.DateTimeOffset' literal '{text}'.") from problem
        return int(text) if kind == 'number' else text[1:-1].replace("''", "'")


def _holds(node, version, update):
    if node[0] == 'and':
        return all(_holds(part, version, update) for part in node[1])
    if node[0] == 'or':
        return any(_holds(part, version, update) for part in node[1])
    _, name, verb, wanted = node
    actual = version.ticks if name == update else version.property(name, isinstance(wanted, int))
    if wanted is None or actual is None:
        return verb == 'eq' and actual is wanted or verb == 'ne' and actual is not wanted
    try:
        return _COMPARE[verb](actual, wanted)
    except TypeError:
        return False


def parse_filter(text, fields, update):
    """Parse `text`. fields: name -> 'time' | 'text' | 'number'; update: the name of the update time."""
    if not text.strip():
        raise ODataError('The $filter expression is empty.')
    tree = _Parser(text, fields, update).parse()
    result, rest = Filter(), []
    for node in tree[1] if tree[0] == 'and' else [tree]:
        if node[0] == 'is' and node[1] == update and node[3] is not None and node[2] != 'ne':
            _, _, verb, value = node
            if verb in ('ge', 'gt', 'eq'):
                result.lower = max(result.lower, value + (verb == 'gt'))
            if verb in ('le', 'lt', 'eq'):
                result.upper = min(result.upper, value - (verb == 'lt'))
        else:
            rest.append(node)
    if rest:
        result.test = lambda version: all(_holds(node, version, update) for node in rest)
    return result


def parse_order(text, fields):
    """[(name, descending), ...] of an `$orderby`."""
    order = []
    for part in text.split(','):
        words = part.split()
        if not words or words[0] not in fields or len(words) > 2 or words[1:] not in ([], ['asc'], ['desc']):
            raise ODataError(f"Invalid $orderby expression '{text}'.")
        order.append((words[0], words[1:] == ['desc']))
    return order


def parse_count(args, name, preset, most, complaint):
    """A whole number such as $top. `complaint` is formatted with the limit when it is above `most`."""
    text = args.get(name)
    if text is None:
        return preset
    if not text.isdigit():
        raise ODataError(f"Invalid value '{text}' for {name} query option found.")
    if most is not None and int(text) > most:
        raise ODataError(complaint.format(most))
    return int(text)
