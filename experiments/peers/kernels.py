"""The kernels from their formulas, and small residual networks of them, in PyTorch: differentiable twice.

A kernel is `kernel(item)(x, w, outputs, stride)`: `item` as `--conv` has it, `w(name, *shape)` gives a parameter under the
name that it has in files. It stands where a network has a 3×3 convolution that keeps the size, but for the stride.

Derivatives are autograd's, those of second order too: what decides (a ReLU, a maximum, between which pixels a sample lies)
has none. Adders have AdderNet's gradients (Chen et al., 2020, equations 11 and 13), which autograd differentiates once
more.
"""

import math

import torch
import torch.nn.functional as F
from torchvision.ops import SqueezeExcitation


class Trace:
    """What passes through a network: the ReLUs' outputs, the layers' outputs and how many weights they have, the
    variances that normalise and of how many values they are."""

    def __init__(self, normalises=True):
        self.rectified, self.outputs, self.normalises = [], [], normalises
        self.variances, self.counts = [], []


TRACE = Trace()


def traced(trace):
    global TRACE
    TRACE = trace
    return trace


def relu(x):
    y = F.relu(x)
    TRACE.rectified.append(y.detach())
    return y


def norm(x, w, name):
    if not TRACE.normalises:
        return x
    values = x.detach().transpose(0, 1).flatten(1)
    TRACE.variances.append(values.var(1, unbiased=False))
    TRACE.counts.append(values.shape[1])
    return F.batch_norm(x, None, None, w(f"{name}.weight", x.shape[1]), w(f"{name}.bias", x.shape[1]), training=True)


def conv(x, w, name, outputs, window=1, stride=1, dilation=1, groups=1, bias=False):
    """A convolution that keeps the size, but for the stride."""
    kh, kw = (window, window) if isinstance(window, int) else window
    dotted = name + "." if name else ""
    weight = w(f"{dotted}weight", outputs, x.shape[1] // groups, kh, kw)
    padding = (kh // 2 * dilation, kw // 2 * dilation)
    return F.conv2d(x, weight, w(f"{dotted}bias", outputs) if bias else None, stride, padding, dilation, groups)


def common_divisor(limit, *numbers):
    return max(n for n in range(1, min(limit, *numbers) + 1) if all(m % n == 0 for m in numbers))


def grouped(limit, window=3):
    def apply(x, w, o, s, dilation=1):
        groups = common_divisor(limit, x.shape[1], o)
        return conv(x, w, "", o, window, s, dilation, groups)

    return apply


# Adders and maxima


class Distances(torch.autograd.Function):
    """y[n, o, p] = −Σ |c[n, k, p] − w[o, k]|, with AdderNet's gradients."""

    @staticmethod
    def forward(context, columns, weight):
        context.save_for_backward(columns, weight)
        return -(columns[:, None] - weight[None, :, :, None]).abs().sum(2)

    @staticmethod
    def backward(context, gradient):
        columns, weight = context.saved_tensors
        difference = columns[:, None] - weight[None, :, :, None]
        gradient = gradient[:, :, None]
        return ((-difference).clamp(-1, 1) * gradient).sum(1), (difference * gradient).sum((0, 3))


def combined(columns, weight, combine, size):
    """Columns [N, C · taps, P] and a weight [O, C, kh, kw] to [N, O, *size]."""
    weight = weight.flatten(1)
    if combine == "adder":
        y = Distances.apply(columns, weight)
    elif combine == "max-plus":
        y = (columns[:, None] + weight[None, :, :, None]).max(2).values
    else:
        y = weight @ columns
    return y.reshape(len(columns), len(weight), *size)


def out(extent, stride):
    return (extent - 1) // stride + 1


def on_the_grid(combine, dilation=1):
    def apply(x, w, o, s):
        columns = F.unfold(x, 3, dilation, dilation, s)
        return combined(columns, w("weight", o, x.shape[1], 3, 3), combine, [out(n, s) for n in x.shape[2:]])

    return apply


# Learned positions


def sample(x, row, column):
    """Each channel of x [N, C, H, W] at positions [N or 1, C or 1, P], bilinearly; it exists while −1 < row < H."""
    count, channels, height, width = x.shape
    row, column = (p.expand(count, channels, -1) for p in (row, column))
    top, left, flat = row.detach().floor(), column.detach().floor(), x.flatten(2)
    exists = (row > -1) & (row < height) & (column > -1) & (column < width)
    result = 0
    for down in (0, 1):
        for right in (0, 1):
            r, c = top + down, left + right
            inside = exists & (r >= 0) & (r < height) & (c >= 0) & (c < width)
            index = (r.clamp(0, height - 1) * width + c.clamp(0, width - 1)).long()
            share = (row - top if down else 1 - (row - top)) * (column - left if right else 1 - (column - left))
            result = result + share * flat.gather(2, index) * inside
    return result


def grid(x, stride, dilation=1):
    """Where the nine taps of each output pixel lie: [9, rows, columns], two of them."""
    rows, columns = (torch.arange(0, n, stride, dtype=x.dtype) for n in x.shape[2:])
    taps = torch.arange(-1, 2, dtype=x.dtype) * dilation
    shape = (3, 3, len(rows), len(columns))
    row = (taps[:, None, None, None] + rows[None, None, :, None]).expand(shape)
    column = (taps[None, :, None, None] + columns[None, None, None, :]).expand(shape)
    return row.reshape(9, *shape[2:]), column.reshape(9, *shape[2:])


def sampled_columns(x, offset, mask, stride, dilation):
    """What the taps read: offset [N or 1, groups, 9, 2, rows, columns] → [N, C · 9, rows · columns]."""
    row, column = grid(x, stride, dilation)
    groups, parts = offset.shape[1], []
    for group, part in enumerate(x.chunk(groups, 1)):
        taps = []
        for tap in range(9):
            y, z = row[tap] + offset[:, group, tap, 0], column[tap] + offset[:, group, tap, 1]
            read = sample(part, y.flatten(1)[:, None], z.flatten(1)[:, None])
            taps.append(read if mask is None else read * mask[:, group, tap].flatten(1)[:, None])
        parts.append(torch.stack(taps, 2))
    return torch.cat(parts, 1).flatten(1, 2)


def deformable(version, combine="multiply", groups=1, mask="sigmoid", dilation=1):
    def apply(x, w, o, s):
        size = [out(n, s) for n in x.shape[2:]]
        found = conv(x, w, "offset", groups * 9 * (version + 1), 3, s, dilation, bias=True)
        offset = found[:, : groups * 18].reshape(len(x), groups, 9, 2, *size)
        scale = 2 if mask == "2sigmoid" else 1
        masks = scale * torch.sigmoid(found[:, groups * 18 :].reshape(len(x), groups, 9, *size)) if version == 2 else None
        columns = sampled_columns(x, offset, masks, s, dilation)
        return combined(columns, w("weight", o, x.shape[1], 3, 3), combine, size)

    return apply


def active(combine="multiply", dilation=1):
    def apply(x, w, o, s):
        offset = w("offset.taps", 18).reshape(1, 1, 9, 2, 1, 1)
        columns = sampled_columns(x, offset, None, s, dilation)
        return combined(columns, w("weight", o, x.shape[1], 3, 3), combine, [out(n, s) for n in x.shape[2:]])

    return apply


def active_shift(pointwise="auto"):
    def apply(x, w, o, s):
        mixes = pointwise == "always" or o != x.shape[1]
        distance = w("shift.offset.channels" if mixes else "offset.channels", x.shape[1], 2)
        rows, columns = (torch.arange(0, n, s, dtype=x.dtype) for n in x.shape[2:])
        places = torch.meshgrid(rows, columns, indexing="ij")
        row, column = (p.flatten() + distance[:, axis, None] for axis, p in enumerate(places))
        y = sample(x, row[None], column[None]).reshape(*x.shape[:2], len(rows), len(columns))
        return conv(y, w, "pointwise", o) if mixes else y

    return apply


def shifted(x, stride, dilation=1):
    channels, (height, width), d = x.shape[1], x.shape[2:], dilation
    y, whole, parts = F.pad(x, (d, d, d, d)), x.shape[1] // 9 * 9, []
    for c in range(channels):
        dy, dx = ((c // 3 % 3 - 1) * d, (c % 3 - 1) * d) if c < whole else (0, 0)
        parts.append(y[:, c, d + dy : d + dy + height : stride, d + dx : d + dx + width : stride])
    return torch.stack(parts, 1)


def shift(pointwise="auto", block="none", expansion=3, dilation=1):
    def apply(x, w, o, s):
        if block == "csc":
            y = relu(conv(x, w, "expand", expansion * o))
            return conv(shifted(y, s, dilation), w, "project", o)
        y = shifted(x, s, dilation)
        return conv(y, w, "", o) if pointwise == "always" or o != x.shape[1] else y

    return apply


# Stages and branches


def separable(order="depthwise", activation="none", dilation=1):
    def apply(x, w, o, s):
        between = relu if activation == "relu" else (lambda y: y)
        if order == "depthwise":
            y = conv(x, w, "depthwise", x.shape[1], 3, s, dilation, x.shape[1])
            return conv(between(y), w, "pointwise", o)
        return conv(between(conv(x, w, "pointwise", o)), w, "depthwise", o, 3, s, dilation, o)

    return apply


def asymmetric(x, w, o, s):
    return conv(relu(conv(x, w, "column", o, (3, 1), (s, 1))), w, "row", o, (1, 3), (1, s))


def asymmetric_block(x, w, o, s):
    y = relu(conv(x, w, "reduce", o // 4))
    y = relu(conv(y, w, "column", o // 4, (3, 1), (s, 1)))
    return conv(relu(conv(y, w, "row", o // 4, (1, 3), (1, s))), w, "expand", o)


def acnet(x, w, o, s):
    windows = {"square": 3, "column": (3, 1), "row": (1, 3)}
    return sum(norm(conv(x, w, f"{n}.conv", o, k, s), w, f"{n}.bn") for n, k in windows.items())


def cascaded(*rates):
    def apply(x, w, o, s):
        y = conv(x, w, "conv1", o, 3, s, rates[0])
        for number, rate in enumerate(rates[1:], 2):
            y = conv(relu(y), w, f"conv{number}", o, 3, 1, rate)
        return y

    return apply


def multi_scale(x, w, o, s):
    return torch.cat([conv(x, w, "conv1", o // 4, 1, s), conv(x, w, "conv3", o // 2, 3, s),
                      conv(x, w, "conv5", o // 4, 5, s)], 1)


def aspp(rates=(6, 12, 18), pooling=True, normalized=False):
    def apply(x, w, o, s):
        width = o // 4

        def branch(x, name, *arguments):
            y = conv(x, w, f"branches.{name}.conv", width, *arguments)
            return relu(norm(y, w, f"branches.{name}.bn") if normalized else y)

        parts = [branch(x, "point", 1, s)]
        parts += [branch(x, f"rate{number}", 3, s, rate) for number, rate in enumerate(rates, 1)]
        if pooling:
            pooled = branch(F.adaptive_avg_pool2d(x, 1), "pool")
            parts.append(F.interpolate(pooled, parts[0].shape[2:], mode="bilinear", align_corners=False))
        return conv(torch.cat(parts, 1), w, "project", o)

    return apply


# Attention


def non_local(form="embedded", sub=2):
    def apply(x, w, o, s):
        inner = x.shape[1] // 2

        def pool(t):
            window = min(sub, *t.shape[2:])
            return F.max_pool2d(t, window) if window > 1 else t

        v = pool(conv(x, w, "attention.g", inner))
        if form == "gaussian":
            q, k = x[:, :, ::s, ::s], pool(x)
        else:
            q, k = conv(x, w, "attention.theta", inner, 1, s), pool(conv(x, w, "attention.phi", inner))
        size, flat = q.shape[2:], (lambda t: t.flatten(2))
        q, k, v = flat(q).transpose(1, 2), flat(k), flat(v).transpose(1, 2)
        if form == "concatenation":
            weight = w("attention.concat.weight", 1, 2 * inner, 1, 1).reshape(-1)
            a = F.relu((q @ weight[:inner])[:, :, None] + (weight[inner:] @ k)[:, None, :]) / k.shape[2]
        elif form == "dot":
            a = q @ k / k.shape[2]
        else:
            a = torch.softmax(q @ k, -1)
        y = (a @ v).transpose(1, 2).reshape(x.shape[0], inner, *size)
        z = norm(conv(y, w, "w", o), w, "bn")
        return z + (x if s == 1 and o == x.shape[1] else conv(x, w, "shortcut", o, 1, s))

    return apply


def inside(w, name):
    return lambda parameter, *shape: w(f"{name}.{parameter}", *shape)


def squeeze_excite(around=None, reduction=16):
    def apply(x, w, o, s):
        u = (around or kernel("standard"))(x, inside(w, "kernel"), o, s)
        layer = SqueezeExcitation(o, max(1, o // reduction), activation=lambda: relu).double()
        names = ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]
        values = {n: w(f"attention.{n}", *dict(layer.named_parameters())[n].shape) for n in names}
        return torch.func.functional_call(layer, values, u)

    return apply


def cbam(around=None, reduction=16):
    def apply(x, w, o, s):
        u = (around or kernel("standard"))(x, inside(w, "kernel"), o, s)

        def mlp(t):
            return conv(relu(conv(t, w, "channel.mlp.fc1", max(1, o // reduction))), w, "channel.mlp.fc2", o)

        largest = u.flatten(2).max(2).values[:, :, None, None]
        v = u * torch.sigmoid(mlp(u.mean((2, 3), keepdim=True)) + mlp(largest))
        both = torch.cat([v.mean(1, keepdim=True), v.max(1, keepdim=True).values], 1)
        return v * torch.sigmoid(conv(both, w, "spatial.conv", 1, 7))

    return apply


def convolution(window=3, dilation=1):
    return lambda x, w, o, s: conv(x, w, "", o, window, s, dilation)


def numbers(text):
    return tuple(int(n) for n in text.split("-"))


def kernel(item):
    """The kernel of an item, `name:option=value:…:around=item`."""
    head, _, rest = item.partition(":around=")
    around = kernel(rest) if rest else None
    name, *given = head.split(":")
    given = dict(option.split("=") for option in given)
    number = {key: int(value) for key, value in given.items() if value.isdigit()}
    words = {key: number.get(key, value) for key, value in given.items()}
    make = {
        "standard": lambda: convolution(**words), "fft": lambda: convolution(**words),
        "1x1": lambda: convolution(1), "dilated": lambda: convolution(dilation=number.get("dilation", 2)),
        "grouped": lambda: grouped(number.get("groups", 32)), "depthwise": lambda: grouped(math.inf, number.get("window", 3)),
        "depthwise-separable": lambda: separable(**words),
        "asymmetric": lambda: {"pair": asymmetric, "block": asymmetric_block, "acnet": acnet}[given.get("form", "pair")],
        "small-stack": lambda: cascaded(*[1] * (number.get("reach", 5) // 2)),
        "cascaded": lambda: cascaded(*numbers(given.get("rates", "1-2-5"))),
        "multi-scale": lambda: multi_scale,
        "aspp": lambda: aspp(numbers(given.get("rates", "6-12-18")), given.get("pooling") != "off", "normalization" in given),
        "deformable": lambda: deformable(1, **words), "deformable-v2": lambda: deformable(2, **words),
        "active": lambda: active(**words), "active-shift": lambda: active_shift(**words),
        "shift": lambda: shift(**words), "adder": lambda: on_the_grid("adder", **number),
        "max-plus": lambda: on_the_grid("max-plus", **number),
        "non-local": lambda: non_local(given.get("form", "embedded"), number.get("subsample", 2)),
        "squeeze-excite": lambda: squeeze_excite(around, **number), "cbam": lambda: cbam(around, **number),
    }
    return make[name]()


# Networks


def layer(output, weights):
    """Notes the output of a layer, and how many weights it has."""
    TRACE.outputs.append((output, weights))
    return output


class Network:
    """resnet20 … resnet110, bottleneck20 … bottleneck164 (He et al., 2015, section 4.2), with a kernel for each k×k."""

    def __init__(self, model, item, w, plain=False):
        self.basic = model.startswith("resnet")
        self.count = (int(model.strip("abcdefghijklmnopqrstuvwxyz")) - 2) // (6 if self.basic else 9)
        self.kernel, self.w, self.plain = kernel(item), w, plain

    def place(self, x, name, outputs, stride):
        used = {}

        def w(parameter, *shape):
            value = self.w(f"{name}.{parameter}", *shape)
            used[parameter] = value.numel() if value.dim() > 1 else 0
            return value

        return layer(self.kernel(x, w, outputs, stride), sum(used.values()))

    def convolution(self, x, name, outputs, window=1, stride=1):
        y = conv(x, self.w, name, outputs, window, stride)
        return layer(y, window**2 * x.shape[1] * outputs)

    def block(self, x, name, width, stride):
        outputs, w = width if self.basic else 4 * width, self.w
        if self.basic:
            y = relu(norm(self.place(x, f"{name}.conv1", width, stride), w, f"{name}.bn1"))
            y = norm(self.place(y, f"{name}.conv2", width, 1), w, f"{name}.bn2")
        else:
            y = relu(norm(self.convolution(x, f"{name}.conv1", width), w, f"{name}.bn1"))
            y = relu(norm(self.place(y, f"{name}.conv2", width, stride), w, f"{name}.bn2"))
            y = norm(self.convolution(y, f"{name}.conv3", outputs), w, f"{name}.bn3")
        if self.plain:
            return relu(y)
        if stride > 1 or x.shape[1] != outputs:
            if self.basic:
                half = (outputs - x.shape[1]) // 2
                x = F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, half, outputs - x.shape[1] - half))
            else:
                x = self.convolution(x, f"{name}.downsample.0", outputs, 1, stride)
                x = norm(x, w, f"{name}.downsample.1")
        return relu(y + x)

    def features(self, x):
        x = relu(norm(self.convolution(x, "conv1", 16, 3), self.w, "bn1"))
        for stage, width in enumerate((16, 32, 64), 1):
            for number in range(self.count):
                x = self.block(x, f"layer{stage}.{number}", width, 2 if stage > 1 and number == 0 else 1)
        return x

    def __call__(self, x):
        x = self.features(x).mean((2, 3))
        return layer(F.linear(x, self.w("fc.weight", 10, x.shape[1]), self.w("fc.bias", 10)), 10 * x.shape[1])


class Parameters:
    """Parameters by name: those of a file, or numbers that depend on the name and a seed (networks.fill)."""

    def __init__(self, values=None, seed=0):
        self.values, self.seed, self.isGiven = values or {}, seed, values is not None

    def __call__(self, name, *shape):
        if name not in self.values:
            if self.isGiven:
                raise KeyError(name)
            from networks import filling

            self.values[name] = filling(name, shape, self.seed).double().requires_grad_()
        if tuple(self.values[name].shape) != tuple(shape):
            raise ValueError(f"{name} is {tuple(self.values[name].shape)}, not {shape}")
        return self.values[name]

    @classmethod
    def file(cls, path):
        from safetensors.torch import load_file

        return cls({name: v.double().requires_grad_() for name, v in load_file(path).items() if "running" not in name})

    @property
    def weights(self):
        """Names and values of those with two axes or more, in the order of names."""
        return {name: value for name, value in sorted(self.values.items()) if value.dim() > 1}
