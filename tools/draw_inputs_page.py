#!/usr/bin/env python3
"""Draws the inputs page as an SVG image for the README, from its definition; `make generate` writes it again.

usage: tools/draw_inputs_page.py default/data/ui/manager/defender_alerts.xml >docs/inputs-page.svg

It is a drawing of the fields, not a screenshot: Splunk Web has its own look, and shows the groups one below the other.
"""
import ast
import sys
import textwrap
from xml.etree import ElementTree
from xml.sax.saxutils import escape

VIEW = 'create'
WIDTH, MARGIN, LABEL = 860, 24, 130     # LABEL: width of the column of labels
BOX, LINE = 22, 14                      # heights
LETTER = 5.5                            # width of a letter of small text, about
EXAMPLE = 'Example: '
CHOSEN = {'spl-ctrl_index_from': 'index'}      # what the picture shows in place of the first choice
EMPTY = 'client_certificate'                    # a customer with a secret needs none
STYLE = '''text { font: 13px sans-serif; fill: #222 } .small { font-size: 11px; fill: #555 }
.hint { font-size: 11px; fill: #555; font-style: italic } .head { font-size: 17px; font-weight: bold }
.legend { font-weight: bold } .value { font-size: 12px } rect.box { fill: #fff; stroke: #999 }'''


class Field:
    """A field of the form, as Splunk Web shows it when an input is created."""

    def __init__(self, element):
        keys = {key.get('name'): key.text or '' for key in element.findall('key')}
        self.name, self.kind, self.label = (element.get(key, '') for key in ('name', 'type', 'label'))
        self.help, self.hint, self.legend = (keys.get(key, '') for key in ('helpText', 'exampleText', 'legend'))
        self.options = {option.get('value'): option.get('label') for option in element.iterfind('options/opt')}
        self.first = keys.get('processValueAdd', "''")
        self.shows_only = {key.get('name'): key.text for key in element.iterfind('onChange/key')}
        self.fields = fields(element)

    @property
    def value(self):
        """What the picture shows in the box."""
        if self.kind == 'simplepassword':
            return '\u2022' * 8 if self.name == 'client_secret' else ''
        first = ast.literal_eval(self.first.rpartition(' or ')[2])
        value = CHOSEN.get(self.name, first)
        if self.options:
            return self.options[value or next(iter(self.options))]
        if not value and self.name != EMPTY:
            value = self.hint.removeprefix(EXAMPLE)
        return value


def fields(parent):
    """The fields below an element that has the list `elements`, as far as the view shows them."""
    return [Field(each) for each in parent.iterfind('elements/element')
            if VIEW in [view.get('name') for view in each.findall('view')]]


class Drawing:
    """Elements of SVG, and how far down they reach."""

    def __init__(self):
        self.parts = []

    def text(self, x, y, text, kind=''):
        """One line; y is its base line."""
        kind = f' class="{kind}"' if kind else ''
        self.parts.append(f'<text x="{x:g}" y="{y:g}"{kind}>{escape(text)}</text>')

    def lines(self, x, y, width, text, kind):
        """Wrapped text; returns where it ends."""
        for line in textwrap.wrap(text, int(width / LETTER)):
            y += LINE
            self.text(x, y - 3, line, kind)
        return y

    def box(self, x, y, width, field, value):
        """An input; returns where it ends."""
        self.parts.append(f'<rect class="box" x="{x:g}" y="{y:g}" width="{width:g}" height="{BOX}" rx="3"/>')
        most = int(width / 6.5) - 2
        self.text(x + 7, y + 15, value if len(value) <= most else value[:most - 1] + '\u2026', 'value')
        if field.kind == 'select':
            self.text(x + width - 16, y + 15, '\u25be')
        return y + BOX

    def wide(self, y, field):
        """A field with all that is said about it; returns where it ends."""
        x, width = MARGIN + LABEL, WIDTH - 2 * MARGIN - LABEL
        self.text(MARGIN, y + LINE - 2, field.label)
        y = self.lines(x, y, width, field.help, 'small') + 2
        y = self.box(x, y, 360, field, field.value)
        return self.lines(x, y, width, field.hint, 'hint') + 8

    def group(self, x, y, width, group):
        """A group in a column, without what is said about each field; returns where it ends."""
        self.text(x, y + LINE, group.legend, 'legend')
        y = self.lines(x, y + LINE + 4, width, group.help, 'small') + 4
        for field in group.fields:
            self.text(x, y + LINE, field.label, 'small')
            y = self.box(x, y + LINE + 4, width, field, field.value if field.first != "''" else '') + 4
        return y


def drawn(root):
    """The image."""
    drawing, y = Drawing(), 76
    header = root.findtext('header')
    drawing.text(MARGIN, 32, header, 'head')
    drawing.text(MARGIN, 54, f'Settings \u00bb Data inputs \u00bb {header} \u00bb New', 'small')
    all_fields = fields(root)
    chosen = {name for field in all_fields for name in field.shows_only.values() if name == CHOSEN.get(field.name)}
    hidden = {name for field in all_fields for name in field.shows_only.values()} - chosen
    for field in all_fields:
        if not field.fields and field.name not in hidden:
            y = drawing.wide(y, field)
    groups = [field for field in all_fields if field.fields]
    step = (WIDTH - 2 * MARGIN + 20) / len(groups)
    bottom = max(drawing.group(MARGIN + i * step, y + 8, step - 20, group) for i, group in enumerate(groups)) + 16
    drawing.parts.append(f'<path d="M{MARGIN} {y:g}H{WIDTH - MARGIN}" stroke="#ccc"/>')
    size = f'width="{WIDTH}" height="{bottom:g}"'
    return '\n'.join([
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {WIDTH} {bottom:g}">',
        '<!-- Drawn by tools/draw_inputs_page.py from the definition of the inputs page. -->',
        f'<title>{escape(header)}: the fields of the inputs page</title>', f'<style>{STYLE}</style>',
        f'<rect {size} fill="#fff"/>', *drawing.parts, '</svg>']) + '\n'


if __name__ == '__main__':
    sys.stdout.write(drawn(ElementTree.parse(sys.argv[1]).getroot()))
