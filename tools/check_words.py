#!/usr/bin/env python3
"""Looks for the words of a list in files and prints where they are, and what to write there.

    tools/check_words.py LIST FILE...

The format of the list is in tools/words. Exits 1 if a word was found, and if there was nothing to look for or in.
"""
import re
import sys

# Words of one sentence may be on two lines, the second of them a comment or a string of its own.
GAP = r'(?:[ \t]+|[ \t]*\n[ \t]*(?:\*[ \t]|/\*[ \t]|#[ \t]|")?[ \t]*)'
EXCEPTED = 'lint: words'


def expression(text):
    """A rule's expression, compiled: whole words in any case, a blank for any gap between two words."""
    begin = r'\b' if re.match(r'[\w(]', text) else ''
    end = r'\b' if re.search(r'[\w)?]$', text) and not text.endswith(r'\?') else ''
    return re.compile(begin + '(?:' + re.sub(r'(?<!\\) ', lambda _: GAP, text) + ')' + end, re.I)


def read_list(path):
    """The rules [(expression, advice)], the right uses [expression], and the files that are not read."""
    rules, right, skipped = [], [], set()
    with open(path, encoding='utf-8') as file:
        for line in file.read().splitlines():
            if not line or line.startswith('#'):
                continue
            if line.startswith('+'):
                right.append(expression(line[1:]))
            elif line.startswith('!'):
                skipped.add(line[1:].split()[0])
            else:
                text, _, advice = line.rpartition(':')
                rules.append((expression(text), advice))
    return rules, right, skipped


def findings(text, rules, right):
    """What the rules find in a text: [(line number, words, advice)], in order; one for each place."""
    allowed = [match.span() for use in right for match in use.finditer(text)]
    found = {}
    for rule, advice in rules:
        for match in rule.finditer(text):
            if any(begin <= match.start() and match.end() <= end for begin, end in allowed):
                continue
            line_end = text.find('\n', match.end())
            if EXCEPTED in text[text.rfind('\n', 0, match.start()) + 1:line_end if line_end >= 0 else None]:
                continue
            found.setdefault(match.end(), (text.count('\n', 0, match.start()) + 1, ' '.join(match.group().split()),
                                           advice))
    return [found[at] for at in sorted(found)]


def main():
    """Reads the list and each file."""
    rules, right, skipped = read_list(sys.argv[1])
    if not rules or not sys.argv[2:]:
        print('words: no word to look for, or no file to look in')
        return 1
    count = 0
    for path in sys.argv[2:]:
        if path in skipped:
            continue
        with open(path, encoding='utf-8') as file:
            for line, words, advice in findings(file.read(), rules, right):
                print(f'{path}:{line}: "{words}": write {advice}')
                count += 1
    print(f'words: {count} found')
    return 1 if count else 0


if __name__ == '__main__':
    sys.exit(main())
