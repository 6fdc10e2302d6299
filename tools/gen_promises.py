#!/usr/bin/env python3
"""Writes the tables of promises in docs/testing.md from the tests that check them.

usage: gen_promises.py           writes the tables
       gen_promises.py --check   compares them, and fails if they differ

A pytest test or class has the marker @pytest.mark.promise('Section', 'text'). A C unit test has the comment
/* promise: Section: text */ right above the function.
"""
import ast
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TESTS = os.path.join(ROOT, 'tests')
PAGE = os.path.join(ROOT, 'docs', 'testing.md')
BEGIN = '<!-- Generated from the tests by tools/gen_promises.py (make generate). -->\n'
END = '<!-- End of the generated part. -->\n'
SECTIONS = ('Calls', 'Parameters', 'Secrets', 'Events', 'Checkpoints', 'Trouble', 'Log lines', 'Completeness',
            'Updates', 'Cost', 'Splunk', 'Sharing', 'Package')

COMMENT = r'/\* promise: ([^:]*): ((?:(?!\*/).)*?) \*/'
C_TEST = re.compile(rf'^((?:{COMMENT}\s*)+)(?:/\*(?:(?!\*/).)*\*/\s*)?static \w+ \*?(\w+)\(', re.M | re.S)


def fail(text):
    """Ends the program."""
    sys.exit(f'gen_promises: {text}')


def read(path):
    """The text of a file."""
    with open(path, encoding='utf-8') as file:
        return file.read()


def of_pytest(path):
    """(section, text, function) of each marker in a module."""
    for node in ast.walk(ast.parse(read(path))):
        for mark in getattr(node, 'decorator_list', ()):
            if not isinstance(mark, ast.Call) or ast.unparse(mark.func) != 'pytest.mark.promise':
                continue
            if len(mark.args) != 2 or not all(isinstance(each, ast.Constant) for each in mark.args):
                fail(f'{path}:{mark.lineno}: promise() takes a section and a text')
            yield mark.args[0].value, mark.args[1].value, node.name


def of_c(path):
    """(section, text, function) of each comment in a unit test."""
    source, found = read(path), 0
    for match in C_TEST.finditer(source):
        for section, text in re.findall(COMMENT, match[1], re.S):
            found += 1
            yield section, re.sub(r'\s+(\* )?', ' ', text), match[4]
    if found != source.count('/* promise:'):
        fail(f'{path}: a promise is not right above a function, or has no section')


def promises():
    """{section: {text: {file: [function, ...]}}} of all tests."""
    found = {section: {} for section in SECTIONS}

    def add(file, section, text, function):
        if section not in found:
            fail(f'tests/{file}: {function} names the unknown section {section}; there are {", ".join(SECTIONS)}')
        functions = found[section].setdefault(text, {}).setdefault(file, [])
        if function not in functions:
            functions.append(function)

    for reader, pattern in ((of_pytest, '*/test_*.py'), (of_c, 'unit/*.c')):
        for path in sorted(glob.glob(os.path.join(TESTS, pattern))):
            for section, text, function in reader(path):
                add(os.path.relpath(path, TESTS), section, text, function)
    return found


def tables(found):
    """The generated part of the page."""
    lines = []
    for section, rows in found.items():
        if not rows:
            fail(f'no test has a promise of the section {section}')
        lines += [f'## {section}', '', '| promise | tests |', '|---|---|']
        for text, files in rows.items():
            tests = ' '.join(f'`{file}` ' + ' '.join(f'`{name}`' for name in names) for file, names in files.items())
            lines.append(f'| {text} | {tests} |')
        lines.append('')
    return BEGIN + '\n' + '\n'.join(lines) + '\n' + END


def main():
    """See the top."""
    page = read(PAGE)
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        fail('docs/testing.md lacks the lines that enclose the generated part')
    before, rest = page.split(BEGIN)
    wanted = before + tables(promises()) + rest.split(END)[1]
    if sys.argv[1:] == ['--check']:
        return 0 if wanted == page else 1
    with open(PAGE, 'w', encoding='utf-8') as file:
        file.write(wanted)
    return 0


if __name__ == '__main__':
    sys.exit(main())
