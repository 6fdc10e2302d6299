"""What Splunk's own validator does not look at in a Dashboard Studio definition: yields complaints."""
import json
import os
import re
import xml.dom.minidom

import fields
import spl

FOLDER = os.path.join(fields.ROOT, 'default', 'data', 'ui', 'views')
_TOKEN = re.compile(r'\$([\w.:|]+)\$')


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
            spl.Search(_TOKEN.sub('*', whole_query(view, name)), fields.read('macros')).run([], 1e9)
        except (spl.Wrong, KeyError, AttributeError) as error:
            yield f'{name}: {error}'
    yield from (f'{name} is not used' for name in view['dataSources'] if name not in used)


def tokens(view):
    """Tokens that an input or a default sets."""
    have = set(view.get('defaults', {}).get('tokens', {}).get('default', {}))
    for part in view['inputs'].values():
        token = part['options']['token']
        have |= {token, f'{token}.earliest', f'{token}.latest'} if part['type'] == 'input.timerange' else {token}
        if 'defaultValue' not in part['options']:
            yield f'the token {token} has no first value'
    for name, part in [*view['dataSources'].items(), *view['visualizations'].items()]:
        for token in _TOKEN.findall(json.dumps(part)):
            if token not in have and not token.startswith('row.'):
                yield f'{name} uses ${token}$, which nobody sets'
        for handler in part.get('eventHandlers', []):
            for one in handler['options'].get('tokens', []):
                if one['token'] not in have:
                    yield f'{name} sets {one["token"]}, which nobody uses'


def layout(view):
    """Each panel has its place, inside and on top of no other."""
    items, width = view['layout']['structure'], view['layout']['options']['width']
    names = [item['item'] for item in items]
    for name in {*names, *view['visualizations']}:
        if names.count(name) != 1 or name not in view['visualizations']:
            yield f'{name} is placed {names.count(name)} times'
    if set(view['layout']['globalInputs']) != set(view['inputs']):
        yield 'not all inputs are placed'
    boxes = [(item['item'], *(item['position'][key] for key in 'xywh')) for item in items]
    for number, (name, x, y, w, h) in enumerate(boxes):
        if min(x, y) < 0 or x + w > width or y + h > view['layout']['options']['height']:
            yield f'{name} stands out'
        for other, a, b, c, d in boxes[:number]:
            if x < a + c and a < x + w and y < b + d and b < y + h:
                yield f'{name} is on top of {other}'


def columns(view):
    """Fields that a panel formats or hands on exist in its result; names in dynamic options are in the context."""
    for name, part in view['visualizations'].items():
        if part['type'] != 'splunk.table':
            continue
        search = spl.Search(_TOKEN.sub('*', whole_query(view, part['dataSources']['primary'])), fields.read('macros'))
        search.run([], 1e9)
        wanted = set(part['options'].get('columnFormat', {}))
        text = json.dumps(part, ensure_ascii=False)
        wanted |= set(re.findall(r'seriesByName\(\\"([^"\\]+)\\"\)', text))
        wanted |= set(re.findall(r'row\.([\w ]+)\.value', text))
        yield from (f'{name} uses the column {column}, which its search has not' for column in sorted(wanted)
                    if column not in search.fields)
    for name, part in [*view['visualizations'].items(), *view['inputs'].items()]:
        for value in re.findall(r'(?:matchValue|rangeValue|prepend)\((\w+)\)', json.dumps(part)):
            if value not in part.get('context', {}):
                yield f'{name} uses {value}, which is not in its context'


CHECKS = (sources, tokens, layout, columns)


def complaints(view):
    """All of them."""
    return [text for check in CHECKS for text in check(view)]
