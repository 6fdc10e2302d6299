"""Splunk's search language, as far as the add-on's searches use it: enough to run them over real lines and events.

    Search('`defender_mssp_status` | `defender_mssp_health`', macros).run(events, now, earliest)

Events are dicts of fields, newest first or in any order. A command or an option that is not known here is an error.
"""
import fnmatch
import math
import re

import evals
from evals import Wrong, number, values

SPANS = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 86400)
_BINS = 100
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|\(|\)|[^\s()"]+(?:"(?:[^"\\]|\\.)*")?')
_TERM = re.compile(r'([\w.{}\']+)(!=|>=|<=|=|>|<)(.*)\Z', re.DOTALL)
_STATS = re.compile(r'(\w+?)(?:\(\s*(eval\([^)]*\)|[^)]*?)\s*\))?(?:\s+AS\s+("[^"]*"|\w+))?\s*(?:,|\s|\Z)',
                    re.IGNORECASE)
_TIMES = re.compile(r'(?<![\w"])(earliest|latest)=(?:-(\d+)([mhd])|(now))(?!\S)')
_UNITS = {'m': 60, 'h': 3600, 'd': 86400}
_FUNCTION = re.compile(r'(count|c|dc|values|latest|last|first|sum|max|min|avg|p(erc)?\d+)\Z')


def expand(text, macros, depth=0):
    """The search with its macros put in."""
    if depth > 9:
        raise Wrong('macros go round in circles')

    def put(match):
        values_ = match.group(2).split(',') if match.group(2) else []
        name = match.group(1) + (f'({len(values_)})' if values_ else '')
        if name not in macros:
            raise Wrong(f'no macro {name}')
        found = macros[name]['definition']
        for argument, value in zip(macros[name].get('args', '').split(','), values_):
            found = found.replace(f'${argument.strip()}$', value.strip())
        return expand(found, macros, depth + 1)
    return re.sub(r'`(\w+)(?:\(([^`]*)\))?`', put, text)


def split(text, mark='|'):
    """Parts between marks that stand outside of quotes and parentheses."""
    parts, depth, quote, escaped, start = [], 0, False, False, 0
    for at, sign in enumerate(text):
        if escaped or (quote and sign == '\\'):
            escaped = not escaped
        elif sign == '"':
            quote = not quote
        elif not quote:
            depth += (sign in '([') - (sign in ')]')
            if sign == mark and not depth:
                parts.append(text[start:at].strip())
                start = at + 1
    return parts + [text[start:].strip()]


class Terms:
    """A search's terms as a test of an event: words, field comparisons, NOT, OR, AND.

    In the terms of a search OR binds tighter than AND, in an expression of eval and where it is the other way round.
    """

    def __init__(self, text):
        self.pieces, self.at = _PIECE.findall(text), 0
        self.test = self._all()
        if self.at < len(self.pieces):
            raise Wrong(f'{self.pieces[self.at]!r} is left over in {text!r}')

    def _next(self):
        return self.pieces[self.at] if self.at < len(self.pieces) else None

    def _any(self):
        tests = [self._one()]
        while self._next() == 'OR':
            self.at += 1
            tests.append(self._one())
        return lambda event: any(test(event) for test in tests)

    def _all(self):
        tests = []
        while self._next() not in (None, ')'):
            if self._next() == 'AND':
                self.at += 1
                continue
            tests.append(self._any())
        return lambda event: all(test(event) for test in tests)

    def _one(self):
        piece = self._next()
        if piece in (None, 'OR', 'AND', ')'):
            raise Wrong(f'a term is missing before {piece!r}')
        self.at += 1
        if piece == 'NOT':
            inner = self._one()
            return lambda event: not inner(event)
        if piece == '(':
            inner = self._all()
            if self._next() != ')':
                raise Wrong('a parenthesis is not closed')
            self.at += 1
            return inner
        match = _TERM.match(piece)
        if match and not piece.startswith('"'):
            return _comparison(*match.groups())
        word = piece.strip('"').lower()
        return (lambda event: True) if word == '*' else lambda event: word in event.get('_raw', '').lower()


def _comparison(name, sign, wanted):
    if wanted.startswith('"'):
        wanted = re.sub(r'\\(["\\])', r'\1', wanted[1:-1])

    def test(event):
        found = values(event.get(name))
        if sign == '=':
            return any(fnmatch.fnmatchcase(evals.words(v).lower(), wanted.lower().replace('[', '[[]')) for v in found)
        if sign == '!=':
            return bool(found) and not any(fnmatch.fnmatchcase(evals.words(v).lower(), wanted.lower()) for v in found)
        return any(evals.compute(f'x{sign}{wanted}', {'x': v}) for v in found)
    return test


# --- aggregates ------------------------------------------------------------------------------------------------

def percentile(found, part):
    """Splunk's perc<n>: the value at that place, interpolated for small sets."""
    found = sorted(found)
    place = (len(found) - 1) * part / 100
    low = math.floor(place)
    return found[low] + (found[min(low + 1, len(found) - 1)] - found[low]) * (place - low)


def aggregate(name, field, events):
    """One function of stats over the events."""
    if name in ('count', 'c') and not field:
        return len(events)
    if field.startswith('eval('):               # counts the events for which it holds
        return sum(bool(evals.compute(field[4:], event)) for event in events)
    found = [v for event in events for v in values(event.get(field))]
    if name == 'count':
        return len(found)
    if name == 'dc':
        return len(set(found))
    if not found:
        return None
    if name == 'values':
        return sorted(set(map(evals.words, found)))
    if name in ('latest', 'last', 'first'):
        order = [event for event in events if event.get(field) is not None]
        return (max(order, key=lambda e: e['_time']) if name == 'latest' else order[-1 if name == 'last' else 0])[field]
    numbers = [n for n in map(number, found) if n is not None]
    if re.match(r'p(erc)?\d+\Z', name):
        return percentile(numbers, int(re.search(r'\d+', name).group()))
    return {'sum': sum, 'max': max, 'min': min, 'avg': lambda n: sum(n) / len(n)}[name](numbers) if numbers else None


def _aggregates(text):
    """[(function, field, name of the result)], [fields to group by]. With no rows, too, a mistake is one."""
    head, *groups = re.split(r'\s+by\s+', text, flags=re.IGNORECASE)
    wanted = []
    for name, field, result in _STATS.findall(head.strip()):
        if not _FUNCTION.match(name):
            raise Wrong(f'no function of stats is called {name}')
        wanted.append((name, field, result.strip('"') or (f'{name}({field})' if field else name)))
    names = re.split(r'[\s,]+', groups[0].strip()) if groups else []
    if not wanted or _STATS.sub('', head.strip()).strip() or len(groups) > 1 or 'by' in map(str.lower, names):
        raise Wrong(f'stats {text}')
    return wanted, names


def _options(text):
    """Leading name=value pairs, and the rest."""
    found = {}
    while True:
        match = re.match(r'\s*(\w+)=(\S+)\s*', text)
        if not match:
            return found, text
        found[match.group(1)] = match.group(2)
        text = text[match.end():]


def _key(event, names):
    return tuple(evals.words(event.get(name)) if not isinstance(event.get(name), list) else tuple(event[name])
                 for name in names)


class Search:
    """One search. fields: the columns of its result, where it ends in a command that fixes them."""

    def __init__(self, text, macros=None):
        self.text = expand(text, macros or {})
        self.commands = [part for part in split(self.text) if part]
        self.fields = None

    def run(self, events, now, earliest=None):
        """The result's rows."""
        rows, commands = list(events), list(self.commands)
        self._now, self._from = now, now - 86400 if earliest is None else earliest
        self._to, self._events = now, rows
        if not self.text.lstrip().startswith('|'):
            first = commands.pop(0)
            self._from, self._to = self._times(first)
            test = Terms(_TIMES.sub('', first)).test
            rows = [e for e in rows if self._from <= e.get('_time', now) <= self._to and test(e)]
            rows.sort(key=lambda e: -e.get('_time', 0))
        for command in commands:
            name, _, rest = command.partition(' ')
            if not hasattr(self, '_do_' + name):
                raise Wrong(f'the command {name} is not known here')
            rows = getattr(self, '_do_' + name)(rows, rest.strip())
        return rows

    def _times(self, terms):
        """Times in the search's own terms replace those of the time range."""
        found = {'earliest': self._from, 'latest': self._to}
        for name, count, unit, _now in _TIMES.findall(terms):
            found[name] = self._now - int(count) * _UNITS[unit] if count else self._now
        return found['earliest'], found['latest']

    def _do_search(self, rows, rest):
        test = Terms(rest).test
        return [row for row in rows if test(row)]

    def _do_where(self, rows, rest):
        evals.compiled(rest)
        return [row for row in rows if evals.compute(rest, {**row, '\0now': self._now})]

    def _do_eval(self, rows, rest):
        rows = [dict(row) for row in rows]
        for part in split(rest, ','):
            name, _, expression = part.partition('=')
            evals.compiled(expression)          # with no rows, too, a mistake is one
            for row in rows:
                value = evals.compute(expression, {**row, '\0now': self._now})
                row[name.strip().strip('\'"')] = value
        return [{k: v for k, v in row.items() if v is not None} for row in rows]

    def _do_stats(self, rows, rest):
        wanted, names = _aggregates(rest)
        groups = {}
        for row in rows:
            if all(row.get(name) is not None for name in names):
                groups.setdefault(_key(row, names), []).append(row)
        if not names:
            groups = {(): rows}
        self.fields = [*names, *(result for _n, _f, result in wanted)]
        found = [{**dict(zip(names, key)), **{r: aggregate(n, f, groups[key]) for n, f, r in wanted}}
                 for key in sorted(groups)]
        return [{**row, '_time': float(row['_time'])} if '_time' in row else row for row in found]

    def _do_append(self, rows, rest):
        """The subsearch has the events and the times of the whole search."""
        match = re.fullmatch(r'\[\s*(?:search\s+)?(.*)\]', rest, re.DOTALL)
        if not match or not re.match(r'\[\s*(\||search\s)', rest):
            raise Wrong(f'append {rest}')
        inner = Search(match[1].strip())
        found = inner.run(self._events, self._now, self._from)
        self.fields = self.fields and inner.fields and [*self.fields, *inner.fields]
        return rows + found

    def _do_addinfo(self, rows, rest):
        """The times of the search. One over all times ends at no number."""
        if rest:
            raise Wrong(f'addinfo {rest}')
        end = '+Infinity' if self._to == math.inf else self._to
        return [{**row, 'info_min_time': self._from, 'info_max_time': end} for row in rows]

    def _do_xyseries(self, rows, rest):
        """A row for each value of the first field, a column for each of the second, values of the third."""
        along, across, cell = rest.split()
        found = {}
        for row in rows:
            if row.get(along) is not None and row.get(across) is not None:
                found.setdefault(row[along], {along: row[along]})[evals.words(row[across])] = row.get(cell)
        names = sorted({name for row in found.values() for name in row} - {along})
        self.fields = [along, *names]
        return [found[key] for key in sorted(found)]

    def _do_fillnull(self, rows, rest):
        match = re.fullmatch(r'value=("[^"]*"|\S+)((?:\s+(?:"[^"]*"|[^\s"]+))*)', rest)
        if not match:
            raise Wrong(f'fillnull {rest}')
        names = [name.strip('"') for name in re.findall(r'"[^"]*"|[^\s"]+', match[2])]
        value = match[1].strip('"')
        return [{**row, **{name: value for name in names or self.fields if row.get(name) is None}} for row in rows]

    def _do_inputlookup(self, _rows, rest):
        """The rows of a lookup are the events whose field _lookup names it."""
        return [dict(event) for event in self._events if event.get('_lookup') == rest.strip()]

    def _do_tstats(self, _rows, rest):
        """Counts the events of an index in the last hours."""
        match = re.fullmatch(r'count AS (\w+) WHERE (index=\S+) earliest=-(\d+)h', rest)
        if not match:
            raise Wrong(f'tstats {rest}')
        name, index, hours = match.groups()
        test, first = Terms(index).test, self._now - 3600 * int(hours)
        self.fields = [name]
        return [{name: sum(test(event) and first <= event['_time'] <= self._now for event in self._events)}]

    def _span(self):
        """The length of a bar on the time axis."""
        return next(s for s in SPANS if (self._now - self._from) / s <= _BINS)

    def _do_bin(self, rows, rest):
        if rest != f'_time bins={_BINS}':
            raise Wrong(f'bin {rest}')
        return [{**row, '_time': math.floor(row['_time'] / self._span()) * self._span()} for row in rows]

    def _do_eventstats(self, rows, rest):
        wanted, names = _aggregates(rest)
        groups = {}
        for row in rows:
            groups.setdefault(_key(row, names), []).append(row)
        if any(row.get(r) is not None for row in rows for _n, _f, r in wanted):
            raise Wrong('eventstats into a field that is there: what it leaves in it is not documented')
        added = {key: {r: aggregate(n, f, group) for n, f, r in wanted} for key, group in groups.items()
                 if None not in key}            # as for stats, a row without the field belongs to no group
        return [{**row, **{k: v for k, v in added.get(_key(row, names), {}).items() if v is not None}}
                for row in rows]

    def _do_timechart(self, rows, rest):
        options, rest = _options(rest)
        wanted, names = _aggregates(rest)
        span = 86400 if options.get('span') == '1d' else self._span()
        bins, at = [], math.floor(self._from / span) * span
        while at <= self._now:
            bins.append(at)
            at += span
        if names:
            keys = self._top(rows, names[0], wanted[0], int(options.get('limit', 10)))
            series = [(wanted[0][0], wanted[0][1], key, key) for key in keys]
        else:
            series = [(n, f, r, None) for n, f, r in wanted]
        self.fields = ['_time', '_span', *(s[2] for s in series)]
        return [self._bin(rows, start, span, series, names) for start in bins]

    @staticmethod
    def _top(rows, name, wanted, limit):
        sums = {}
        for row in rows:
            if row.get(name) is not None:
                sums.setdefault(evals.words(row[name]), []).append(row)
        best = sorted(sums, key=lambda key: -(aggregate(wanted[0], wanted[1], sums[key]) or 0))
        limit = limit or len(best)          # 0: all of them
        return sorted(best[:limit]) + (['OTHER'] if len(best) > limit else [])

    @staticmethod
    def _bin(rows, start, span, series, names):
        inside = [row for row in rows if start <= row['_time'] < start + span]
        found = {'_time': start, '_span': span}
        plain = {s[3] for s in series}
        for name, field, result, key in series:
            these = inside if key is None else [
                row for row in inside if row.get(names[0]) is not None and
                (row[names[0]] == key if key != 'OTHER' else row[names[0]] not in plain)]
            found[result] = aggregate(name, field, these)
        return found

    def _do_streamstats(self, rows, rest):
        options, rest = _options(rest)
        if options != {'current': 'f'}:         # a window would be one for all groups together
            raise Wrong(f'streamstats {options}')
        wanted, names = _aggregates(rest)
        before, out = {}, []
        for row in rows:
            last = before.get(_key(row, names), {})
            out.append({**row, **{r: last[f] for _n, f, r in wanted if f in last}})
            before[_key(row, names)] = {**last, **{f: row[f] for _n, f, _r in wanted if row.get(f) is not None}}
        return out

    def _do_mvexpand(self, rows, rest):
        return [{**row, rest: value} for row in rows for value in values(row.get(rest)) or [None]]

    def _do_dedup(self, rows, rest):
        options, rest = _options(rest)
        names, _, order = rest.partition('sortby')
        names = names.split()
        rows = self._do_sort(rows, '0 ' + order) if order else rows
        seen, out = set(), []
        for row in rows:
            key = _key(row, names)
            if None in key:
                if options.get('keepempty') == 'true':
                    out.append(row)
            elif key not in seen:
                seen.add(key)
                out.append(row)
        return out

    def _do_sort(self, rows, rest):
        limit, *names = re.findall(r'[-+]?[^\s,]+', re.sub(r'([-+])\s+', r'\1', rest))
        if limit != '0':
            raise Wrong('sort without 0 keeps 10,000 rows only')
        for name in reversed(names):
            field = name.lstrip('-+')

            def place(row, field=field):
                value = row.get(field)
                as_number = number(value)
                return (value is None, as_number is None, as_number if as_number is not None else str(value))
            rows = sorted(rows, key=place, reverse=name.startswith('-'))
        return rows

    def _do_table(self, rows, rest):
        self.fields = [name.strip('"') for name in re.findall(r'"[^"]*"|[^\s,]+', rest)]
        return [{name: row[name] for name in self.fields if row.get(name) is not None} for row in rows]

    def _do_fields(self, rows, rest):
        keep = {'_time', '_raw', *re.split(r'[\s,]+', rest)}
        return [{name: value for name, value in row.items() if name in keep} for row in rows]

    def _do_rename(self, rows, rest):
        pairs = [(a, b.strip('"')) for a, b in re.findall(r'(\w+)\s+AS\s+("[^"]*"|\w+)', rest)]
        names = dict(pairs)
        self.fields = self.fields and [names.get(name, name) for name in self.fields]
        return [{names.get(k, k): v for k, v in row.items()} for row in rows]

    def _do_head(self, rows, rest):
        return rows[:int(rest)]
