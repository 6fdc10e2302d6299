"""Microsoft's 100 ns time stamps as whole numbers, counted from 1970 (UTC).

Times arrive with 0 to 7 fraction digits, so neither text nor floating point can order them.
"""
import datetime
import re

PER_SECOND = 10_000_000
_EPOCH = datetime.datetime(1970, 1, 1)
_ISO = re.compile(r'(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,7}))?(Z|[+-]\d\d:\d\d)?\Z')
_SECONDS = re.compile(r'(-?)(\d+)(?:\.(\d{1,7}))?0*\Z')


def parse(text, zone_needed=True):
    """Ticks of an ISO 8601 time. Raises ValueError for all else, a missing zone included unless that is allowed."""
    match = _ISO.match(text)
    if not match or (zone_needed and not match.group(8)):
        raise ValueError(f'not a time: {text!r}')
    whole = datetime.datetime(*(int(match.group(n)) for n in range(1, 7))) - _EPOCH
    seconds = whole.days * 86400 + whole.seconds
    zone = match.group(8) or 'Z'
    if zone != 'Z':
        minutes = int(zone[1:3]) * 60 + int(zone[4:6])
        seconds -= minutes * 60 if zone[0] == '+' else -minutes * 60
    return seconds * PER_SECOND + int((match.group(7) or '').ljust(7, '0'))


def iso(ticks, digits=None):
    """ISO text with at least `digits` fraction digits; None drops trailing zeros as Defender does."""
    seconds, fraction = divmod(ticks, PER_SECOND)
    text = (_EPOCH + datetime.timedelta(seconds=seconds)).strftime('%Y-%m-%dT%H:%M:%S')
    tail = f'{fraction:07d}'.rstrip('0').ljust(digits or 0, '0')
    return f'{text}.{tail}Z' if tail else f'{text}Z'


def of_epoch(text):
    """Ticks of the text of a `<time>` element: epoch seconds, up to seven digits that count."""
    match = _SECONDS.match(text)
    if not match:
        raise ValueError(f'not epoch seconds: {text!r}')
    value = int(match.group(2)) * PER_SECOND + int((match.group(3) or '').ljust(7, '0'))
    return -value if match.group(1) else value


def from_seconds(seconds):
    """Ticks of a clock reading."""
    return int(seconds * 1_000_000) * 10
