"""Splunk's eval expressions, as far as the add-on's configuration uses them, written after the search reference.

    compute('coalesce(nullif(a,"null"),"none")', {'a': 'x'})

A field's value is text, or a list of texts when it has several; None when the event has no such field. An operation on
what is missing is missing itself, and a condition that is missing does not hold. A function that is not in FUNCTIONS is
an error: nothing may be used here that was not thought about.
"""
import datetime
import fnmatch
import functools
import hashlib
import json
import re

ZONE = datetime.timezone.utc        # of the user who searches: texts of times are in it
_TOKEN = re.compile(r'''\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<quoted>'[^']*')|
                        (?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign><=|>=|!=|==|[-+*/%.=<>(),]))''', re.VERBOSE)


class Wrong(Exception):
    """An expression that Splunk would refuse, or that uses what is not known here."""


def tokens(text):
    """(kind, text) of each piece."""
    at, found = 0, []
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if not match:
            raise Wrong(f'cannot read {text[at:at + 30]!r} in {text!r}')
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


def number(value):
    """As a number, or None."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    if isinstance(value, bool) or value is None:
        return None
    try:
        return value if isinstance(value, (int, float)) else float(value)
    except ValueError:
        return None


def words(value):
    """As text; whole numbers without a fraction."""
    if isinstance(value, bool):
        return 'True' if value else 'False'
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return None if value is None else str(value)


def values(value):
    """As a list of values."""
    return [] if value is None else value if isinstance(value, list) else [value]


def _shrink(found):
    return None if not found else found[0] if len(found) == 1 else found


class Parser:
    """Precedence climbing; each rule returns a function of the event's fields."""
    LEVELS = [('OR',), ('AND',), ('NOT',), ('=', '==', '!=', '<', '>', '<=', '>='), ('.',), ('+', '-'), ('*', '/', '%')]

    def __init__(self, text):
        self.text, self.tokens, self.at = text, tokens(text), 0

    def peek(self):
        """The next piece's text, upper case for words."""
        if self.at >= len(self.tokens):
            return None
        kind, text = self.tokens[self.at]
        return text.upper() if kind == 'word' and text.upper() in ('AND', 'OR', 'NOT') else \
            text if kind in ('sign', 'word') else None

    def take(self, wanted=None):
        """The next piece."""
        if self.at >= len(self.tokens) or wanted and self.tokens[self.at][1] != wanted:
            raise Wrong(f'{wanted or "more"} is missing in {self.text!r}')
        self.at += 1
        return self.tokens[self.at - 1]

    def whole(self):
        """The expression, which must be all of the text."""
        found = self.level(0)
        if self.at != len(self.tokens):
            raise Wrong(f'{self.tokens[self.at][1]!r} is left over in {self.text!r}')
        return found

    def level(self, depth):
        """Operators of this precedence and tighter ones."""
        if depth == len(self.LEVELS):
            return self.single()
        if self.LEVELS[depth] == ('NOT',):
            if self.peek() != 'NOT':
                return self.level(depth + 1)
            self.take()
            inner = self.level(depth)
            return lambda event: _not(inner(event))
        left = self.level(depth + 1)
        while self.peek() in self.LEVELS[depth]:
            sign = self.peek()
            self.take()
            left = _binary(sign, left, self.level(depth + 1))
        return left

    def single(self):
        """A value, a field, a call, or something in parentheses."""
        kind, text = self.take()
        if kind == 'number':
            value = float(text) if '.' in text else int(text)
            return lambda event: value
        if kind == 'text':
            plain = re.sub(r'\\(["\\])', r'\1', text[1:-1])
            return lambda event: plain
        if text == '(':
            inner = self.level(0)
            self.take(')')
            return inner
        if text == '-':
            inner = self.single()
            return lambda event: None if number(inner(event)) is None else -number(inner(event))
        if kind == 'word' and self.peek() == '(':
            return self.call(text)
        if kind not in ('word', 'quoted'):
            raise Wrong(f'{text!r} is no value in {self.text!r}')
        name = text.strip("'")
        return lambda event: event.get(name)

    def call(self, name):
        """A function and its arguments, which it gets as functions of the event."""
        self.take('(')
        arguments = []
        while self.peek() != ')':
            arguments.append(self.level(0))
            if self.peek() == ',':
                self.take()
        self.take(')')
        if name not in FUNCTIONS:
            raise Wrong(f'{name}() is not known here')
        return lambda event: FUNCTIONS[name](event, *arguments)


def _not(value):
    return None if value is None else not value


def _compare(sign, left, right):
    if isinstance(left, list) or isinstance(right, list):     # of several values, one will do
        return any(_compare(sign, a, b) for a in values(left) for b in values(right))
    if left is None or right is None:
        return None
    a, b = number(left), number(right)
    if a is None or b is None:
        a, b = words(left), words(right)
    return {'=': a == b, '==': a == b, '!=': a != b, '<': a < b, '>': a > b, '<=': a <= b, '>=': a >= b}[sign]


def _arithmetic(sign, left, right):
    a, b = number(left), number(right)
    if sign == '+' and (a is None or b is None) and left is not None and right is not None:
        return words(left) + words(right)
    if a is None or b is None or sign in '/%' and not b:
        return None
    return {'+': lambda: a + b, '-': lambda: a - b, '*': lambda: a * b, '/': lambda: a / b, '%': lambda: a % b}[sign]()


def _binary(sign, left, right):
    if sign == 'AND':
        return lambda event: bool(left(event)) and bool(right(event))
    if sign == 'OR':
        return lambda event: bool(left(event)) or bool(right(event))
    if sign == '.':
        return lambda event: None if left(event) is None or right(event) is None \
            else words(left(event)) + words(right(event))
    apply = _compare if sign in Parser.LEVELS[3] else _arithmetic
    return lambda event: apply(sign, left(event), right(event))


# --- functions ---------------------------------------------------------------------------------------------------

def _coalesce(event, *arguments):
    return next((value for value in (argument(event) for argument in arguments) if value is not None), None)


def _case(event, *arguments):
    for condition, value in zip(arguments[::2], arguments[1::2]):
        if condition(event):
            return value(event)
    return None


def _nullif(event, left, right):
    return None if _compare('=', left(event), right(event)) else left(event)


def _mvfilter(event, condition):
    """The condition may look at one field only; it is asked for each of its values."""
    seen = set()

    class Spy(dict):
        """Notes what is looked at."""
        def get(self, name, default=None):
            seen.add(name)
            return default
    condition(Spy())
    if len(seen) != 1:
        raise Wrong(f'mvfilter() looks at {sorted(seen)}')
    name = seen.pop()
    return _shrink([value for value in values(event.get(name)) if condition({name: value})])


def _each(function):
    """A function of one text, applied to the first value."""
    def apply(event, argument):
        value = argument(event)
        return None if value is None else function(words(value if not isinstance(value, list) else value[0]))
    return apply


def _pick(choose):
    def apply(event, *arguments):
        found = [number(argument(event)) for argument in arguments]
        found = [value for value in found if value is not None]
        return choose(found) if found else None
    return apply


def _replace(event, text, pattern, new):
    value = words(text(event))
    return None if value is None else re.sub(pattern(event), re.sub(r'\\(\d)', r'\\g<\1>', new(event)), value)


def _round(event, value, digits=None):
    found = number(value(event))
    if found is None:
        return None
    places = int(digits(event)) if digits else 0
    return round(found + 0.0, places) if places else int(found + 0.5)


def _json_extract(event, text, path):
    """One member of an object, without JSON's escapes. The whole text counts, whatever its length."""
    try:
        found = json.loads(words(text(event)) or '', strict=False, parse_float=str, parse_int=str)
    except ValueError:
        return None
    if not re.fullmatch(r'\w+', path(event)):
        raise Wrong(f'the path {path(event)} of json_extract()')
    value = found.get(path(event)) if isinstance(found, dict) else None
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _json_delete(event, text, key):
    """The object without this member, written again; null if it is no object."""
    try:
        found = json.loads(words(text(event)) or '', strict=False)
    except ValueError:
        return None
    return json.dumps({name: value for name, value in found.items() if name != key(event)},
                      ensure_ascii=False) if isinstance(found, dict) else None


def _sha256(text):
    return hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()


def _substr(event, text, start, length=None):
    value = words(text(event))
    first = int(number(start(event))) - 1
    return None if value is None else value[first:][:int(number(length(event))) if length else None]


def _tonumber(event, value, base=None):
    found = value(event)
    if base is None:
        return number(found)
    try:
        return int(words(found) or '', int(base(event)))
    except ValueError:
        return None


def _strptime(event, text, form):
    try:
        when = datetime.datetime.strptime(words(text(event)) or '', form(event))
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=ZONE)).timestamp()


def _strftime(event, when, form):
    found = number(when(event))
    return None if found is None else \
        datetime.datetime.fromtimestamp(found, ZONE).strftime(form(event))


def _duration(event, value, form):
    """tostring(X, "duration"): [days+]HH:MM:SS."""
    found = number(value(event))
    if found is None or form(event) != 'duration':
        return None
    days, rest = divmod(int(found), 86400)
    return (f'{days}+' if days else '') + f'{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}'


FUNCTIONS = {
    'coalesce': _coalesce, 'case': _case, 'nullif': _nullif, 'mvfilter': _mvfilter, 'replace': _replace,
    'round': _round, 'strptime': _strptime, 'strftime': _strftime, 'tostring': _duration,
    'if': lambda event, condition, yes, no: yes(event) if condition(event) else no(event),
    'true': lambda event: True, 'null': lambda event: None, 'now': lambda event: event.get('\0now'),
    'isnull': lambda event, value: value(event) is None, 'isnotnull': lambda event, value: value(event) is not None,
    'lower': _each(str.lower), 'tonumber': _tonumber, 'json_extract': _json_extract, 'json_delete': _json_delete,
    'sha256': _each(_sha256), 'substr': _substr, 'len': _each(len),
    'floor': lambda event, value: None if number(value(event)) is None else int(number(value(event)) // 1),
    'mvdedup': lambda event, value: _shrink(list(dict.fromkeys(values(value(event))))),
    'mvappend': lambda event, *arguments: _shrink([one for value in arguments for one in values(value(event))]),
    'mvcount': lambda event, value: len(values(value(event))) or None,
    'max': _pick(max), 'min': _pick(min),
    'match': lambda event, text, pattern: None if text(event) is None else
    any(re.search(pattern(event), words(value)) for value in values(text(event))),
    'like': lambda event, text, pattern: None if text(event) is None else
    fnmatch.fnmatchcase(words(text(event)), pattern(event).replace('%', '*').replace('_', '?')),
}


@functools.cache
def compiled(text):
    """The expression as a function of the event's fields."""
    return Parser(text).whole()


def compute(text, event):
    """The value of an expression for an event."""
    return compiled(text)(event)
