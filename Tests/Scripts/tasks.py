"""The tasks' images computed a second time, in plain Python with its IEEE 754 doubles, and their checksums.

    python3 Tests/Scripts/tasks.py > Tests/LearningTests/Fixtures/tasks.json

For each task here: the FNV-1a hash (64 bits) of the levels 0 … 255 of the first 8 test images at 32×32 with the defaults,
seed 0; of a regression also the values that are asked for.
"""
import json
import math

MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def fnv(data, h=0xCBF29CE484222325):
    for byte in data:
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


class Random:
    """SplitMix64."""

    def __init__(self, seed):
        self.state = mix((seed + GAMMA) & MASK)

    def split(self, label):
        return Random(self.state ^ mix(fnv(label.encode())))

    def next(self):
        self.state = (self.state + GAMMA) & MASK
        return mix(self.state)

    def pick(self, bound):
        return self.next() * bound >> 64

    def uniform(self):
        return (self.next() >> 11) * 2.0**-53

    def between(self, low, high):
        return low + (high - low) * self.uniform()


def direction(turns):
    quarters = float(math.floor(abs(turns * 4) + 0.5)) * (1 if turns >= 0 else -1)
    x = (turns - quarters / 4) * 2 * math.pi
    square = x * x
    sine = cosine = 0.0
    for n in range(19, 2, -2):
        sine = (1 + sine) * -square / (n * (n - 1.0))
    for n in range(18, 1, -2):
        cosine = (1 + cosine) * -square / (n * (n - 1.0))
    sine, cosine = x * (1 + sine), 1 + cosine
    return [(cosine, sine), (-sine, cosine), (-cosine, -sine), (sine, -cosine)][int(quarters) & 3]


def noise(canvas, deviation, random):
    scale = int(deviation * 255 * 65536 / math.sqrt(8 * 65535.0 / 12) + 0.5)
    for index in range(len(canvas)):
        total = sum(random.next().to_bytes(8, "little")) - 1020
        canvas[index] += (total * scale + 32768) >> 16


def draw(canvas, size, level, x, y, reach, inside):
    for row in range(max(0, int(y - reach - 1)), min(size - 1, int(y + reach + 1)) + 1):
        for column in range(max(0, int(x - reach - 1)), min(size - 1, int(x + reach + 1)) + 1):
            dx, dy = column - x, row - y
            count = sum(inside(dx + a, dy + b) for a in (-0.25, 0.25) for b in (-0.25, 0.25))
            if count:
                old = canvas[row * size + column]
                canvas[row * size + column] = (old * (4 - count) + level * count + 2) >> 2


def textures(label, size, random):
    canvas = [0] * (size * size)
    down, right = [(0, -1), (-1, 0), (-1, -1), (-1, 1)][label % 4]
    light = 26214 if label < 4 else 39322
    for row in range(size):
        for column in range(size):
            bits, y, x = random.next(), row + down, column + right
            if bits & 0xFFFF < int(COPY * 65536 + 0.5) and y >= 0 and 0 <= x < size:
                canvas[row * size + column] = canvas[y * size + x]
            else:
                canvas[row * size + column] = 179 if bits >> 16 & 0xFFFF < light else 77
    noise(canvas, TEXTURE_NOISE, random)
    return canvas, []


def scales(label, size, random):
    sizes = range(3, int(0.875 * size) + 1)
    shares, total = [], 0.0
    for extent in sizes:
        total += 1 / extent
        shares.append(total)
    chance = random.uniform()
    extent = next(e for e, share in zip(sizes, shares) if chance < share / total)
    top, left = random.pick(size - extent + 1), random.pick(size - extent + 1)
    dark = 38 + random.pick(39)
    light = dark + 102 + random.pick(52)
    cells = "010111010 101010101 111010010 010010111 100100111 111100100 110010011 011010110".split()[label]
    canvas = [dark] * (size * size)
    for row in range(extent):
        for column in range(extent):
            if cells[row * 3 // extent * 3 + column * 3 // extent] == "1":
                canvas[(top + row) * size + left + column] = light
    noise(canvas, SCALES_NOISE, random)
    return canvas, []


def same_different(label, size, random):
    figures = (
        "0000000000111110000000000 0010000100001000010000100 1000001000001000001000001"
        " 0000100010001000100010000"
    ).split()
    first = random.pick(4)
    second = first if label == 0 else (first + 1 + random.pick(3)) % 4
    upright = random.pick(2) == 1
    canvas = [128] * (size * size)
    noise(canvas, SAME_NOISE, random)
    distance, jitter = int(DISTANCE * size + 0.5), size // 12
    near = min(max((size - distance) // 2 + random.pick(2 * jitter + 1) - jitter, 2), size - 3 - distance)
    for figure, along in ((first, near), (second, near + distance)):
        across = 2 + random.pick(size - 4)
        y, x = (along, across) if upright else (across, along)
        for row in range(5):
            for column in range(5):
                if figures[figure][row * 5 + column] == "1":
                    canvas[(y + row - 2) * size + x + column - 2] = 255
    return canvas, []


def gratings(label, size, random):
    orientation, step = divmod(label, 2)
    cosine, sine = direction(orientation / 16)
    frequency = 0.1 * 1.5**step
    wave = (frequency * cosine, frequency * sine)
    phase = random.uniform()
    turn = direction(wave[0])
    canvas = []
    for row in range(size):
        c, s = direction(phase + wave[1] * row)
        for _ in range(size):
            canvas.append(int(128 + CONTRAST * 255 * s))
            c, s = c * turn[0] - s * turn[1], s * turn[0] + c * turn[1]
    noise(canvas, GRATINGS_NOISE, random)
    return canvas, []


def counting(label, size, random):
    canvas, grid, cells = [26] * (size * size), 3, list(range(9))
    cell = size / grid
    for disc in range(label + 1):
        other = disc + random.pick(9 - disc)
        cells[disc], cells[other] = cells[other], cells[disc]
        row, column = divmod(cells[disc], grid)
        radius = random.between(1.2, (cell - 2.5) / 2)
        room = cell / 2 - 1.25 - radius
        x = (column + 0.5) * cell - 0.5 + random.between(-room, room)
        y = (row + 0.5) * cell - 0.5 + random.between(-room, room)
        level, square = 128 + random.pick(128), radius * radius
        draw(canvas, size, level, x, y, radius, lambda a, b: a * a + b * b < square)
    noise(canvas, COUNTING_NOISE, random)
    return canvas, []


def position(label, size, random):
    canvas, radius, middle = [51] * (size * size), size / 10, (size - 1) / 2
    room, square = middle - radius, radius * radius
    hole = square * 0.3
    x, y = random.between(-room, room), random.between(-room, room)
    for _ in range(RINGS):
        a, b = random.between(-room, room), random.between(-room, room)
        if (a - x) * (a - x) + (b - y) * (b - y) > 5 * square:
            draw(canvas, size, 204, middle + a, middle + b, radius, lambda p, q: hole < p * p + q * q < square)
    draw(canvas, size, 204, middle + x, middle + y, radius, lambda p, q: p * p + q * q < square)
    noise(canvas, POSITION_NOISE, random)
    return canvas, [x / (size / 2), y / (size / 2)]


# The defaults of the options.
COPY, TEXTURE_NOISE, SCALES_NOISE, SAME_NOISE, DISTANCE = 0.3, 0.1, 0.15, 0.1, 0.7
CONTRAST, GRATINGS_NOISE, COUNTING_NOISE, RINGS, POSITION_NOISE = 0.12, 0.3, 0.15, 3, 0.1
TASKS = {
    "textures": (textures, 8), "scales": (scales, 8), "same-different": (same_different, 2),
    "gratings": (gratings, 16), "counting": (counting, 8), "position": (position, 1),
}
result = {}
for name, (make, classes) in TASKS.items():
    start, levels, asked = Random(0).split(name).split("test").state, bytearray(), []
    for index in range(8):
        canvas, values = make(index % classes, 32, Random((start + index) & MASK))
        levels += bytes(min(max(level, 0), 255) for level in canvas)
        asked += values
    result[name] = {"hash": format(fnv(levels), "016x"), "first": list(levels[:8]), "values": asked}
print(json.dumps(result, indent=1))
