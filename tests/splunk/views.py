"""What Splunk's own validator does not look at in a Dashboard Studio definition: yields complaints."""
import contextlib
import functools
import json
import os
import re
import xml.dom.minidom

import fields
import spl

FOLDER = os.path.join(fields.ROOT, 'default', 'data', 'ui', 'views')
PARTS = ('inputs', 'dataSources', 'visualizations', 'layout')
_TOKEN = re.compile(r'\$([\w.:]+)((?:\|\w)*)\$')
_SERIES = re.compile(r'seriesByName\("([^"]+)"\)')
_CLICKED = re.compile(r'row\.([\w ]+)\.value')
# The colors of a panel in the light and the dark theme. Contrast as WCAG 2 asks for: of text, and of large text.
_PANELS = ('#ffffff', '#171d21')
_TEXT, _LARGE = 4.5, 3


def names():
    """The dashboards of the app. The customers page is made of scripts, and its views are only frames of it."""
    return sorted(name[:-4] for name in os.listdir(FOLDER)
                  if name.endswith('.xml') and not name.startswith('defender_mssp_manage'))


def read(name):
    """The definition in a shipped view."""
    with open(os.path.join(FOLDER, name + '.xml'), encoding='utf-8') as file:
        root = xml.dom.minidom.parse(file).documentElement
    nodes = root.getElementsByTagName('definition')[0].childNodes
    return json.loads(''.join(node.data for node in nodes))


def whole_query(view, name, seen=()):
    """A data source's search, with what it goes on from."""
    source = view['dataSources'][name]
    if source['type'] != 'ds.chain':
        return source['options']['query']
    if name in seen:
        raise spl.Wrong(f'{name} goes on from itself')
    return whole_query(view, source['options']['extend'], (*seen, name)) + ' ' + source['options']['query']


@functools.cache
def _fields_of(query):
    search = spl.Search(query, fields.read('macros'))
    search.run([], 1e9)
    return search.fields or []


def result_of(view, name):
    """The fields of a data source's result. Raises what the search is refused with."""
    return _fields_of(_TOKEN.sub(lambda token: '"*"' if token[2] == '|s' else '*', whole_query(view, name)))


def sent(view, token=None):
    """The data sources that send a search of their own: all, or those that a token's change sends again."""
    return [name for name, source in view['dataSources'].items() if source['type'] == 'ds.search' and
            (token is None or token in [found for found, _ in _TOKEN.findall(source['options']['query'])])]


def sources(view):
    """Data sources that are used, are there, and have a search that can be run."""
    used = set()
    for kind in ('visualizations', 'inputs'):
        for name, part in view[kind].items():
            for binding, target in part.get('dataSources', {}).items():
                used.add(target)
                if binding not in ('primary', 'annotation'):
                    yield f'{name} has a binding {binding}'
                if target not in view['dataSources']:
                    yield f'{name} is bound to {target}, which is not there'
            if kind == 'visualizations' and 'primary' not in part.get('dataSources', {}):
                yield f'{name} is bound to nothing'
    for name, source in view['dataSources'].items():
        base = source['options'].get('extend')
        if base and base not in view['dataSources']:
            yield f'{name} goes on from {base}, which is not there'
            continue
        used.add(base)
        if not source['options'].get('query'):
            yield f'{name} has no query'
            continue
        if not source.get('name'):
            yield f'{name} has no name, so its search cannot be told apart in the job list'
        try:
            result_of(view, name)
        except (spl.Wrong, KeyError, AttributeError) as error:
            yield f'{name}: {error}'
    yield from (f'{name} is not used' for name in view['dataSources'] if name not in used)


def jobs(view):
    """Each search is over the chosen time, and is sent again while the page is open."""
    defaults = view.get('defaults', {}).get('dataSources', {}).get('ds.search', {}).get('options', {})
    for name in sent(view):
        options = {**defaults, **view['dataSources'][name]['options']}
        if set(options.get('queryParameters', {})) != {'earliest', 'latest'}:
            yield f'{name} has no time range'
        if not options.get('refresh'):
            yield f'{name} does not refresh'


def tokens(view):
    """Tokens that an input or a default sets, quoted where they are put into a search."""
    have = set(view.get('defaults', {}).get('tokens', {}).get('default', {}))
    for part in view['inputs'].values():
        token = part['options']['token']
        have |= {token, f'{token}.earliest', f'{token}.latest'} if part['type'] == 'input.timerange' else {token}
        if 'defaultValue' not in part['options']:
            yield f'the token {token} has no first value'
    for name, part in [*view['dataSources'].items(), *view['visualizations'].items()]:
        for token, _ in _TOKEN.findall(json.dumps(part)):
            if token not in have and not token.startswith('row.'):
                yield f'{name} uses ${token}$, which nobody sets'
        for handler in part.get('eventHandlers', []):
            for one in handler['options'].get('tokens', []):
                if one['token'] not in have:
                    yield f'{name} sets {one["token"]}, which nobody uses'
    for name, source in view['dataSources'].items():
        for token, filters in _TOKEN.findall(source['options'].get('query', '')):
            if filters != '|s':
                yield f'{name}: ${token}$ without |s; a quote in its value would end the text'


def links(view):
    """Only one column looks like a link, and what a link puts into a search is quoted, then encoded."""
    for name, part in view['visualizations'].items():
        for handler in part.get('eventHandlers', []):
            clickable = handler['options'].get('fields', [])
            known = result_of(view, part['dataSources']['primary'])
            if len(clickable) != 1 or clickable[0] not in known:
                yield f'{name}: links in {clickable or "all columns"}, not in one that is there'
            for token, filters in _TOKEN.findall(handler['options'].get('url', '')):
                if filters != '|s|u':
                    yield f'{name}: ${token}$ without |s|u in a link'


def layout(view):
    """Each panel has its place, inside and on top of no other, and no row has a gap."""
    items, width = view['layout']['structure'], view['layout']['options']['width']
    placed = [item['item'] for item in items]
    for name in {*placed, *view['visualizations']}:
        if placed.count(name) != 1 or name not in view['visualizations']:
            yield f'{name} is placed {placed.count(name)} times'
    if set(view['layout']['globalInputs']) != set(view['inputs']):
        yield 'not all inputs are placed'
    boxes = [(item['item'], *(item['position'].get(key) for key in 'xywh')) for item in items]
    if not all(isinstance(value, int) for _, *box in boxes for value in box):
        yield 'a place is not given in numbers'
        return
    for number, (name, x, y, w, h) in enumerate(boxes):
        if min(x, y) < 0 or x + w > width or y + h > view['layout']['options']['height']:
            yield f'{name} stands out'
        for other, a, b, c, d in boxes[:number]:
            if x < a + c and a < x + w and y < b + d and b < y + h:
                yield f'{name} is on top of {other}'
    if sum(w * h for *_, w, h in boxes) != width * view['layout']['options']['height']:
        yield 'the panels do not fill the page'


def columns(view):
    """Fields that a panel shows or hands on are in its result, and names in dynamic options are in its context."""
    for name, part in view['visualizations'].items():
        known = result_of(view, part['dataSources']['primary'])
        text = json.dumps(part, ensure_ascii=False).replace('\\"', '"')
        wanted = {*part['options'].get('columnFormat', {}), *_SERIES.findall(text), *_CLICKED.findall(text)}
        yield from (f'{name} uses the column {column}, which its search has not' for column in sorted(wanted)
                    if column not in known)
    for name, part in [*view['visualizations'].items(), *view['inputs'].items()]:
        for value in re.findall(r'(?:matchValue|rangeValue|prepend)\((\w+)\)', json.dumps(part)):
            if value not in part.get('context', {}):
                yield f'{name} uses {value}, which is not in its context'


def _luminance(color):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
              for c in (int(color[at:at + 2], 16) / 255 for at in (1, 3, 5))]
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722)))


def contrast(one, other):
    """The contrast of two colors by WCAG 2: 1 to 21."""
    dark, bright = sorted((_luminance(one), _luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def colors(view):
    """Text can be read on its cell's color, and large numbers on a panel of either theme."""
    for name, part in view['visualizations'].items():
        context = part.get('context', {})
        fore = {one['match']: one['value'] for one in context.get('fore', [])}
        for match, back in ((one['match'], one['value']) for one in context.get('back', [])):
            if match not in fore or contrast(back, fore[match]) < _TEXT:
                yield f'{name}: {match} cannot be read, {fore.get(match)} on {back}'
        for level in context.get('levels', []):
            if min(contrast(level['value'], panel) for panel in _PANELS) < _LARGE:
                yield f'{name}: {level["value"]} is too pale or too dark'


def versions(view):
    """Nothing that Splunk 9.2 does not know: a panel with a condition would be shown there in any case."""
    if view.get('expressions'):
        yield 'expressions are not known to Splunk 9.2'
    for name, part in view['visualizations'].items():
        if 'visibility' in part.get('containerOptions', {}):
            yield f'{name} has conditions, which Splunk 9.2 does not know'


# How a check ends that meets a part of the definition that is not there or of another kind.
UNUSABLE = (AttributeError, KeyError, TypeError, ValueError, spl.Wrong)
CHECKS = (sources, jobs, tokens, links, layout, columns, colors, versions)


def complaints(view):
    """All of them. An empty view is one, too."""
    missing = [f'the view has no {part}' for part in PARTS if not view.get(part)]
    return missing or [text for check in CHECKS for text in check(view)]


def noticed(view):
    """The complaints about a definition that may be broken so badly that some of the checks cannot be run on it."""
    found = [f'the view has no {part}' for part in PARTS if not view.get(part)]
    for check in CHECKS:
        with contextlib.suppress(*UNUSABLE):        # another check has to say what is missing
            found += check(view)
    return found
