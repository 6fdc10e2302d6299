#!/usr/bin/env python3
"""Draws the icons of the app into static/: a shield that holds an alert, in the sizes that Splunk Web asks for.

    package/icons.py [FOLDER]

Standard library only: shapes are distances to their outline, which makes the smooth edges a matter of one subtraction.
"""
import math
import os
import struct
import sys
import zlib

BLUE, DEEP, WHITE, AMBER = (0, 120, 212), (0, 70, 140), (255, 255, 255), (255, 185, 0)
NAME, SMALL = (52, 140, 216), (128, 137, 148)      # readable on Splunk's dark bars and on white


class Picture:
    """Pixels with alpha, 0.0 to 1.0 a channel; nothing painted yet."""

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.pixels = [(0.0, 0.0, 0.0, 0.0)] * (width * height)

    def paint(self, distance, color, scale):
        """Fill where distance(x, y) < 0, in units of which `scale` make a pixel; color may be a function of y."""
        for row in range(self.height):
            for column in range(self.width):
                x, y = (column + 0.5) / scale, (row + 0.5) / scale
                cover = min(1.0, max(0.0, 0.5 - distance(x, y) * scale))
                if cover:
                    self._over(row * self.width + column, color(y) if callable(color) else color, cover)

    def _over(self, index, color, cover):
        red, green, blue, alpha = self.pixels[index]
        total = cover + alpha * (1 - cover)
        mixed = [(new / 255 * cover + old * alpha * (1 - cover)) / total
                 for new, old in zip(color, (red, green, blue))]
        self.pixels[index] = (*mixed, total)

    def png(self):
        """The picture as PNG, 8 bits RGBA; its bytes depend on nothing but the pixels."""
        rows = bytearray()
        for row in range(self.height):
            rows.append(0)                                          # filter: none
            for pixel in self.pixels[row * self.width:(row + 1) * self.width]:
                rows += bytes(round(value * 255) for value in pixel)
        head = struct.pack('>IIBBBBB', self.width, self.height, 8, 6, 0, 0, 0)
        return (b'\x89PNG\r\n\x1a\n' + _chunk(b'IHDR', head) + _chunk(b'IDAT', zlib.compress(bytes(rows), 9))
                + _chunk(b'IEND', b''))


def _chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def polygon(points):
    """Signed distance to a closed outline: negative inside."""
    sides = list(zip(points, points[1:] + points[:1]))

    def distance(x, y):
        inside, nearest = False, math.inf
        for (ax, ay), (bx, by) in sides:
            along = _along(x, y, ax, ay, bx, by)
            nearest = min(nearest, math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)))
            if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
                inside = not inside
        return -nearest if inside else nearest
    return distance


def shield(grow=0.0):
    """The outline of a shield in a square of 36 units, moved outwards by `grow`."""
    def curve(a, b, c, d, steps=16):
        for step in range(steps):
            t = step / steps
            yield tuple((1 - t) ** 3 * p + 3 * (1 - t) ** 2 * t * q + 3 * (1 - t) * t * t * r + t ** 3 * s
                        for p, q, r, s in zip(a, b, c, d))
    right = [*curve((18, 1.5), (22, 4.5), (26, 5.8), (32, 6.2)), *curve((32, 6.2), (32.6, 19), (29.5, 28), (18, 34.5))]
    left = [(36 - x, y) for x, y in reversed(right[1:])]
    outline = polygon(right + [(18, 34.5)] + left)
    return lambda x, y: outline(x, y) - grow


def circle(center_x, center_y, radius):
    return lambda x, y: math.hypot(x - center_x, y - center_y) - radius


def bar(top_width, bottom_width, top, bottom, center=18.0):
    """The upright part of the exclamation mark."""
    return polygon([(center - top_width / 2, top), (center + top_width / 2, top),
                    (center + bottom_width / 2, bottom), (center - bottom_width / 2, bottom)])


def arcs(x, y):
    """Two waves on each side of the mark: many sources, one stream."""
    best = math.inf
    for center, side in ((18.0, 1), (18.0, -1)):
        dx, dy = (x - center) * side, y - 17.2
        if dx > 0 and abs(math.atan2(dy, dx)) < 0.75:
            for radius in (7.0, 10.3):
                best = min(best, abs(math.hypot(dx, dy) - radius) - 0.75)
    return best


def blend(y):
    part = min(1.0, max(0.0, (y - 3) / 30))
    return tuple(low + (high - low) * part for low, high in zip(BLUE, DEEP))


def draw_mark(picture, scale, alternative=False):
    """The shield, at the left edge of the picture. The alternative is for dark bars: a white rim around it."""
    if alternative:
        picture.paint(shield(1.2), WHITE, scale)
    picture.paint(shield(-0.6 if alternative else 0.0), blend, scale)
    picture.paint(arcs, WHITE, scale)
    picture.paint(bar(4.6, 2.6, 9.5, 20.4), AMBER, scale)
    picture.paint(circle(18, 24.6, 2.1), AMBER, scale)


def arc(x, y, width, height, start, end, steps=18):
    """Points on an ellipse; degrees, clockwise from the right as y grows downwards."""
    turns = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return [(x + width * math.cos(turn), y + height * math.sin(turn)) for turn in turns]


# The strokes of a letter: small letters are 0 to 10 high, tall ones begin at -5; then how far the next letter is.
BOWL = arc(4, 5, 4, 5, 0, 360)
LETTERS = {
    'D': ([[(0, 10), (0, -5), (3, -5), *arc(3, 2.5, 6.5, 7.5, -90, 90), (0, 10)]], 13),
    'a': ([BOWL, [(8, 0), (8, 10)]], 12),
    'd': ([BOWL, [(8, -5), (8, 10)]], 12),
    'e': ([[(0.2, 4.8), (8, 4.8), *arc(4, 5, 4, 5, 0, -325, 30)]], 11.5),
    'f': ([[*arc(4.5, -2, 2.8, 3, -60, -180), (1.7, 10)], [(-0.6, 0), (4.6, 0)]], 7.5),
    'l': ([[(0, -5), (0, 10)]], 4),
    'n': ([[(0, 0), (0, 10)], [(0, 5), *arc(3.6, 4, 3.6, 4, -180, 0), (7.2, 10)]], 11.2),
    'r': ([[(0, 0), (0, 10)], [(0, 5), *arc(3.8, 4.4, 3.8, 4.4, -180, -70)]], 8),
    's': ([[*arc(3.3, 2.6, 3, 2.6, -20, -250), *arc(3.3, 7.4, 3.2, 2.6, -80, 160)]], 9.5),
    't': ([[(1.8, -3.5), *arc(4.6, 7.2, 2.8, 2.8, 180, 80)], [(-0.6, 0), (4.6, 0)]], 8),
}


def letters(text, left, top, scale, thickness):
    """The strokes of a word as one shape, `thickness` wide."""
    lines = []
    for letter in text:
        strokes, advance = LETTERS[letter]
        for stroke in strokes:
            points = [(left + x * scale, top + y * scale) for x, y in stroke]
            lines += list(zip(points, points[1:]))
        left += advance * scale

    def distance(x, y):
        return min(math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)) for (ax, ay), (bx, by) in lines
                   for along in (_along(x, y, ax, ay, bx, by),)) - thickness / 2
    return distance


def _along(x, y, ax, ay, bx, by):
    """Where on the line from a to b the nearest point lies: 0 is a, 1 is b."""
    length = (bx - ax) ** 2 + (by - ay) ** 2
    return min(1.0, max(0.0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length)) if length else 0.0


def draw_logo(picture, scale):
    """160 by 40 units: the shield and the name beside it."""
    draw_mark(picture, scale * 40 / 36)
    picture.paint(letters('Defender', 48, 10.5, 1.02, 2.4), NAME, scale)
    picture.paint(letters('alerts', 48, 27.5, 0.66, 1.5), SMALL, scale)


def pictures():
    """File name -> picture."""
    found = {}
    for doubled in (False, True):
        size, tail = (72, '_2x.png') if doubled else (36, '.png')
        for name, alternative in (('appIcon', False), ('appIconAlt', True)):
            icon = found[name + tail] = Picture(size, size)
            draw_mark(icon, size / 36, alternative)
        logo = found['appLogo' + tail] = Picture(size * 40 // 9, size * 10 // 9)
        draw_logo(logo, size / 36)
    return found


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), '../static')
    os.makedirs(folder, exist_ok=True)
    for name, picture in pictures().items():
        with open(os.path.join(folder, name), 'wb') as file:
            file.write(picture.png())


if __name__ == '__main__':
    main()
