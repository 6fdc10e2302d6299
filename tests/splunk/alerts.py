"""When a saved search runs and whom it alerts, by the defaults that Splunk has for what the file does not say.

    Alert(stanza, enabled=True).fire(rows, now)
"""
import re

from evals import Wrong

# Splunk's defaults (savedsearches.conf.spec). An alert without counttype fires each time, whatever the search finds.
DEFAULTS = {'disabled': '0', 'enableSched': '0', 'cron_schedule': '', 'counttype': 'always', 'relation': '',
            'quantity': '', 'alert.digest_mode': '1', 'alert.suppress': '0', 'alert.suppress.fields': '',
            'alert.suppress.period': '', 'alert.track': 'auto'}
YES, NO = ('1', 'true'), ('0', 'false')
RELATIONS = {'greater than': lambda a, b: a > b, 'less than': lambda a, b: a < b, 'equal to': lambda a, b: a == b,
             'not equal to': lambda a, b: a != b}
_UNITS = {'': 1, 's': 1, 'm': 60, 'h': 3600, 'd': 86400}
_CRON = (r'(\*|\d+(-\d+)?)(/\d+)?(,(\*|\d+(-\d+)?)(/\d+)?)*', 5)


def seconds(text):
    """A time such as 24h."""
    match = re.fullmatch(r'(\d+)([smhd]?)', text)
    if not match:
        raise Wrong(f'{text!r} is no time')
    return int(match[1]) * _UNITS[match[2]]


class Alert:
    """A saved search, after somebody has pressed Enable or not."""

    def __init__(self, stanza, enabled):
        self.keys = {**DEFAULTS, **stanza}
        if enabled:
            self.keys['disabled'] = '0'         # all that Enable in Splunk Web changes
        self.told = {}

    def _flag(self, key):
        value = self.keys[key]
        if value not in YES + NO:
            raise Wrong(f'{key} = {value}')
        return value in YES

    @property
    def scheduled(self):
        """True if splunkd runs it without being asked."""
        fields = self.keys['cron_schedule'].split()
        whole = len(fields) == _CRON[1] and all(re.fullmatch(_CRON[0], field) for field in fields)
        return self._flag('enableSched') and not self._flag('disabled') and whole

    def _triggered(self, rows):
        if self.keys['counttype'] == 'always':
            return True
        if self.keys['counttype'] != 'number of events' or self.keys['relation'] not in RELATIONS:
            raise Wrong(f"{self.keys['counttype']} {self.keys['relation']}")
        return RELATIONS[self.keys['relation']](len(rows), int(self.keys['quantity']))

    def fire(self, rows, now):
        """The alerts of a run that found these rows: the rows that each alert is about."""
        if not self.scheduled or not self._triggered(rows):
            return []
        groups = [rows] if self._flag('alert.digest_mode') else [[row] for row in rows]
        if not self._flag('alert.suppress'):
            return groups
        names = [name.strip() for name in self.keys['alert.suppress.fields'].split(',') if name.strip()]
        if not names and not self._flag('alert.digest_mode'):
            raise Wrong('an alert for each result needs alert.suppress.fields')
        period, fired = seconds(self.keys['alert.suppress.period']), []
        for group in groups:
            key = tuple(str(row.get(name)) for row in group for name in names)
            if now - self.told.get(key, -period) >= period:
                self.told[key] = now
                fired.append(group)
        return fired
