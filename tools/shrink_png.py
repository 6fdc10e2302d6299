#!/usr/bin/env python3
"""Makes screenshots small: at most 64 colors, the rest of the bytes as a palette allows.

    shrink_png.py SOURCE_FOLDER TARGET_FOLDER

Reads 8-bit RGB or RGBA without interlacing, as Chromium writes it. The same pixels give the same bytes.
"""
import collections
import os
import struct
import sys
import zlib

COLORS = 64


def chunks(data):
    """(kind, content) of each chunk."""
    at = 8
    while at < len(data):
        length, kind = struct.unpack('>I4s', data[at:at + 8])
        yield kind, data[at + 8:at + 8 + length]
        at += 12 + length


def unfiltered(raw, height, stride, step):
    """The lines of an image, with the filters of PNG undone."""
    before, at = bytearray(stride), 0
    for _ in range(height):
        kind, line = raw[at], bytearray(raw[at + 1:at + 1 + stride])
        at += 1 + stride
        for i in range(stride):
            left = line[i - step] if i >= step else 0
            if kind == 1:
                line[i] = (line[i] + left) & 255
            elif kind == 2:
                line[i] = (line[i] + before[i]) & 255
            elif kind == 3:
                line[i] = (line[i] + (left + before[i]) // 2) & 255
            elif kind == 4:
                corner = before[i - step] if i >= step else 0
                guess = left + before[i] - corner
                near = min((left, before[i], corner), key=lambda one: abs(guess - one))
                line[i] = (line[i] + near) & 255
        yield bytes(line)
        before = line


def pixels(path):
    """Width, and one list of (red, green, blue) for each line."""
    with open(path, 'rb') as file:
        found = list(chunks(file.read()))
    width, height, depth, kind = struct.unpack('>IIBB', found[0][1][:10])
    step = {2: 3, 6: 4}[kind]
    if depth != 8:
        sys.exit(f'{path} has {depth} bits a color')
    raw = zlib.decompress(b''.join(content for name, content in found if name == b'IDAT'))
    return width, [[tuple(line[i:i + 3]) for i in range(0, len(line), step)]
                   for line in unfiltered(raw, height, width * step, step)]


def palette_of(lines):
    """The most frequent colors, and which of them each color becomes."""
    counts = collections.Counter(color for line in lines for color in line)
    chosen = sorted(counts, key=lambda color: (-counts[color], color))[:COLORS]
    nearest = {color: min(range(len(chosen)), key=lambda i: sum((a - b) ** 2 for a, b in zip(color, chosen[i])))
               for color in counts}
    return chosen, nearest


def written(width, lines):
    """The bytes of a PNG with a palette."""
    chosen, nearest = palette_of(lines)
    raw = b''.join(b'\0' + bytes(nearest[color] for color in line) for line in lines)
    parts = [(b'IHDR', struct.pack('>IIBBBBB', width, len(lines), 8, 3, 0, 0, 0)),
             (b'PLTE', b''.join(bytes(color) for color in chosen)), (b'IDAT', zlib.compress(raw, 9)), (b'IEND', b'')]
    return b'\x89PNG\r\n\x1a\n' + b''.join(struct.pack('>I', len(content)) + kind + content +
                                           struct.pack('>I', zlib.crc32(kind + content)) for kind, content in parts)


def main():
    source, target = sys.argv[1:]
    os.makedirs(target, exist_ok=True)
    for name in sorted(os.listdir(source)):
        if name.endswith('.png'):
            data = written(*pixels(os.path.join(source, name)))
            with open(os.path.join(target, name), 'wb') as file:
                file.write(data)
            print(name, len(data))


if __name__ == '__main__':
    main()
