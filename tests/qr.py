"""Reads a drawn QR code back, from its SVG path to its text, as a bank's app does from a screen."""

import re
from collections.abc import Iterator

from segno import consts

MASKS = (
    lambda i, j: (i + j) % 2,
    lambda i, j: i % 2,
    lambda i, j: j % 3,
    lambda i, j: (i + j) % 3,
    lambda i, j: (i // 2 + j // 3) % 2,
    lambda i, j: i * j % 2 + i * j % 3,
    lambda i, j: (i * j % 2 + i * j % 3) % 2,
    lambda i, j: ((i + j) % 2 + i * j % 3) % 2,
)

LEVELS = {
    "L": consts.ERROR_LEVEL_L,
    "M": consts.ERROR_LEVEL_M,
    "Q": consts.ERROR_LEVEL_Q,
    "H": consts.ERROR_LEVEL_H,
}


def modules(svg: str, border: int = 4) -> list[list[int]]:
    """The dark (1) and light (0) modules of segno's stroked path."""
    size = int(re.search(r'viewBox="0 0 (\d+) \1"', svg)[1])
    grid = [[0] * size for _ in range(size)]
    x, y = 0.0, 0.0
    path = re.search(r'<path stroke="[^"]+" d="([^"]+)"', svg)[1]
    for deed, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?:[ ,]?(-?[\d.]+))?", path):
        if deed == "M":
            x, y = float(first), float(second)
        elif deed == "m":
            x, y = x + float(first), y + float(second)
        else:
            for step in range(int(first)):
                grid[int(y)][int(x) + step] = 1
            x += float(first)
    return [row[border:-border] for row in grid[border:-border]]


def text(svg: str) -> str:
    """The text of a drawn byte-mode code."""
    return read(modules(svg))


def level(grid: list[list[int]]) -> str:
    """The level of error correction: L, M, Q or H."""
    return "MLHQ"[(grid[8][0] * 2 + grid[8][1]) ^ 0b10]


def read(grid: list[list[int]]) -> str:
    """The text of a byte-mode code given as its modules."""
    size = len(grid)
    version = (size - 17) // 4
    mask = (grid[8][2] * 4 + grid[8][3] * 2 + grid[8][4]) ^ 0b101
    bits = [grid[i][j] ^ (MASKS[mask](i, j) == 0) for i, j in _walk(size, _reserved(size, version))]
    words = [int("".join(map(str, bits[k : k + 8])), 2) for k in range(0, len(bits) - 7, 8)]
    data = _in_order(words, version, LEVELS[level(grid)])
    stream = "".join(f"{word:08b}" for word in data)
    assert stream[:4] == "0100", "byte mode"
    width = 8 if version < 10 else 16
    length = int(stream[4 : 4 + width], 2)
    body = stream[4 + width : 4 + width + 8 * length]
    return bytes(int(body[k : k + 8], 2) for k in range(0, len(body), 8)).decode()


def _reserved(size: int, version: int) -> set[tuple[int, int]]:
    taken = {(i, j) for i in range(9) for j in range(9)}
    taken |= {(i, j) for i in range(9) for j in range(size - 8, size)}
    taken |= {(i, j) for i in range(size - 8, size) for j in range(9)}
    taken |= {(6, k) for k in range(size)} | {(k, 6) for k in range(size)}
    places = consts.ALIGNMENT_POS[version - 2] if version > 1 else ()
    for i in places:
        for j in places:
            if (i, j) not in {(6, 6), (6, size - 7), (size - 7, 6)}:
                taken |= {(i + a, j + b) for a in range(-2, 3) for b in range(-2, 3)}
    if version >= 7:
        taken |= {(i, j) for i in range(6) for j in range(size - 11, size - 8)}
        taken |= {(i, j) for i in range(size - 11, size - 8) for j in range(6)}
    return taken


def _walk(size: int, reserved: set[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    upwards = True
    for right in (*range(size - 1, 6, -2), *range(5, 0, -2)):
        for i in range(size - 1, -1, -1) if upwards else range(size):
            for j in (right, right - 1):
                if (i, j) not in reserved:
                    yield i, j
        upwards = not upwards


def _in_order(words: list[int], version: int, correction: int) -> list[int]:
    sizes = [
        group.num_data
        for group in consts.ECC[version][correction]
        for _block in range(group.num_blocks)
    ]
    blocks: list[list[int]] = [[] for _ in sizes]
    source = iter(words)
    for place in range(max(sizes)):
        for block, length in zip(blocks, sizes, strict=True):
            if place < length:
                block.append(next(source))
    return [word for block in blocks for word in block]
