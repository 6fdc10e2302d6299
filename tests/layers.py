#!/usr/bin/env python3
"""Checks the source tree: who includes whom, no circles among modules, no banned functions.

A .h and its .c are one module; X_private.h belongs to module X, and so do the files X_*.c that include it. The
rules are those of the section "The source tree" of the style guide. Ends with the line "N passed, N failed".

usage: layers.py [FOLDER]      another folder than src/"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SRC = os.path.join(ROOT, 'src')

# The folders that a folder may include, beside itself.
BASE = {'base'}
MESSAGES = BASE | {'messages'}
NET = MESSAGES | {'net'}
AUTH = NET | {'splunk', 'microsoft', 'pacing', 'auth'}
SHARE = NET | {'splunk', 'state', 'share'}
COLLECT = AUTH | {'state', 'share', 'collect'}
MAY_INCLUDE = {
    'base': BASE,
    'messages': MESSAGES,
    'net': NET,
    'splunk': NET | {'splunk'},
    'microsoft': NET | {'microsoft'},
    'pacing': NET | {'pacing'},
    'state': BASE | {'state'},
    'auth': AUTH,
    'share': SHARE,
    'collect': COLLECT,
    'command': COLLECT | {'command'},
    '': COLLECT | {'command'},          # main.c
}
EXTRA = {'state/store_kv': {'splunk'}}  # modules that may include more

# Inside collect, from the top down: what each of these modules may include of the others.
_HELPERS = {'pages', 'records', 'classify', 'page_size'}
_RETRY = _HELPERS | {'worker_retry'}
_WORKER = _RETRY | {'worker_answer', 'worker_isolate', 'worker_log', 'worker_request'}
_TENANT = _WORKER | {'worker', 'opening', 'health', 'status', 'saver', 'manifest', 'audit', 'audit_day', 'settled'}
ORDER = {
    'collector': _TENANT | {'tenant', 'retirement', 'last_save'},
    'last_save': {'tenant'},
    'tenant': _TENANT,
    'worker': _WORKER,
    'worker_answer': _RETRY | {'worker_isolate', 'worker_request'},
    'worker_isolate': _RETRY,
    'worker_request': _RETRY,
    'worker_retry': _HELPERS,
    'opening': {'beginning', 'saver'},
    'beginning': {'saver'},
    'manifest': {'settled'},
    'audit': {'audit_day', 'audit_log', 'audit_night', 'settled'},
    'audit_log': {'audit_day'},
    'audit_night': {'audit_day', 'settled'},
    'audit_day': _WORKER | {'worker', 'audit_reader'},
    'audit_reader': {'worker'},
    'settled': set(),
    'status': {'health'},
}

# Headers of libraries, and the folder that may include them.
LIBRARIES = {'curl/': 'net', 'libxml/': 'splunk'}

# Folders, what must not occur in their files, why.
FORBIDDEN = [
    ({'net', 'splunk', 'microsoft', 'pacing', 'auth', 'state', 'collect'}, r'\blog_(error|line)\(|"[^"]*event=',
     'logs without an event of messages/log_events.c'),
    (set(MAY_INCLUDE), r'\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca)\(', 'uses a banned function'),
    (set(MAY_INCLUDE), r'\b(v?f?s?scanf|ato(i|l|ll|f)|strto(l|ll|ul|ull|imax|umax|d|f|ld))\(',
     'reads a number without base/text.h (text_number)'),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


class File:
    """One file of src/: its name, its lines, and what it includes, each with the number of the line."""

    def __init__(self, name, text):
        self.name = name
        self.folder = os.path.dirname(name)
        self.lines = text.split('\n')
        self.own, self.libraries = [], []
        for number, line in enumerate(self.lines, 1):
            match = INCLUDE.match(line)
            if match:
                (self.own if match[1] == '"' else self.libraries).append((number, match[2]))


def stem(name):
    return re.sub(r'(_private)?\.[ch]$', '', name)


def read_files(source):
    names = [os.path.relpath(os.path.join(folder, name), source)
             for folder, _, found in os.walk(source) for name in found if name.endswith(('.c', '.h'))]
    files = {}
    for name in sorted(names):
        with open(os.path.join(source, name), encoding='utf-8') as file:
            files[name] = File(name, file.read())
    return files


def module_of(file):
    """The module of a file: that of the X_private.h which it includes, else its own."""
    for _, name in file.own:
        if name.endswith('_private.h') and file.name.endswith('.c') and stem(file.name).startswith(stem(name) + '_'):
            return stem(name)
    return stem(file.name)


def at(file, number, text):
    return f'src/{file.name}:{number}: {text}'


def check_folders(files):
    for file in files.values():
        allowed = MAY_INCLUDE.get(file.folder)
        if allowed is None:
            yield at(file, 1, 'is in a folder that has no rule in tests/layers.py')
            continue
        allowed = allowed | EXTRA.get(stem(file.name), set())
        for number, name in file.own:
            if name not in files:
                yield at(file, number, f'"{name}" is not a path from src/')
            elif os.path.dirname(name) not in allowed:
                yield at(file, number, f'{file.folder or "main"} may not include {os.path.dirname(name)}')


def check_libraries(files):
    for file in files.values():
        for number, name in file.libraries:
            for start, folder in LIBRARIES.items():
                if name.startswith(start) and file.folder != folder:
                    yield at(file, number, f'only {folder} may include <{start}...>')


def check_private(files):
    for file in files.values():
        for number, name in file.own:
            if name.endswith('_private.h') and not (stem(file.name) == stem(name) or module_of(file) == stem(name)):
                yield at(file, number, f'{name} is private to {stem(name)}')


def check_collector(files):
    for file in files.values():
        for number, name in file.own:
            inside = file.name.startswith('collect/collector') or stem(file.name) == 'command/run'
            if name == 'collect/collector.h' and not inside:
                yield at(file, number, 'only command/run and the collector may include collector.h')


def check_order(files):
    allowed = {f'collect/{name}': {f'collect/{below}' for below in under} for name, under in ORDER.items()}
    ranked = set(allowed).union(*allowed.values())
    for file in files.values():
        own = stem(file.name)
        for number, name in file.own:
            if own in ranked and stem(name) in ranked - {own} - allowed.get(own, set()):
                yield at(file, number, f'{own} is not above {stem(name)}')


def circles(graph):
    """The strongly connected parts of more than one module (Tarjan, without recursion)."""
    order, low, stack, on_stack, found = {}, {}, [], set(), []
    for root in graph:
        if root in order:
            continue
        work = [(root, iter(sorted(graph[root])))]
        order[root] = low[root] = len(order)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in order:
                    order[other] = low[other] = len(order)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(sorted(graph[other]))))
                    break
                if other in on_stack:
                    low[node] = min(low[node], order[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    part = stack[stack.index(node):]
                    del stack[-len(part):]
                    on_stack.difference_update(part)
                    if len(part) > 1:
                        found.append(sorted(part))
    return found


def check_circles(files):
    def module(name):
        """A header belongs to the module of its .c."""
        return module_of(files.get(re.sub(r'\.h$', '.c', name), files[name]))

    graph = {}
    for file in files.values():
        own = module(file.name)
        graph.setdefault(own, set()).update(module(name) for _, name in file.own if name in files)
        graph[own].discard(own)
    for part in circles(graph):
        yield 'these modules include each other in a circle: ' + ' '.join(part)


def check_forbidden(files):
    for folders, pattern, why in FORBIDDEN:
        for file in files.values():
            if file.folder in folders:
                for number, line in enumerate(file.lines, 1):
                    if re.search(pattern, line):
                        yield at(file, number, why)


def log_calls(text):
    """Each call of a function that writes a log line: name, position, text up to its semicolon; strings are blank."""
    text = re.sub(r'"(?:[^"\\\n]|\\.)*"', lambda match: '"' + ' ' * (len(match[0]) - 2) + '"', text)
    for match in re.finditer(r'\b(log_event|feed_log)\(', text):
        yield match[1], match.start(), text[match.end():text.find(';', match.end())]


def check_quotes(files):
    """Text that may come from elsewhere is a value in quotes (base/log.h), or it could forge the fields of a line."""
    foreign = re.compile(r'(err(\.|->)text|\bwhy\b|held_why|->path\b|->app\b|checkpoint->\w+|entry->name)')
    for file in files.values():
        text = '\n'.join(file.lines)
        for name, start, call in log_calls(text) if file.folder else ():
            if name == 'feed_log':          # its third argument is quoted there
                call = ','.join(part for number, part in enumerate(call.split(',')) if number != 2)
            if foreign.search(re.sub(r'QUOTED\([^()]*\)', '', call)):
                yield at(file, text.count('\n', 0, start) + 1, 'logs text of others without QUOTED()')


CHECKS = (check_folders, check_libraries, check_private, check_collector, check_order, check_circles, check_forbidden,
          check_quotes)


def main():
    files = read_files(sys.argv[1] if sys.argv[1:] else SRC)
    if not files:
        print('there is no file to check\n0 passed, 1 failed')
        return 1
    failed = 0
    for check in CHECKS:
        found = list(check(files))
        failed += bool(found)
        for line in found:
            print(line, file=sys.stderr)
    print(f'{len(CHECKS) - failed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
