"""Operators since about 2016 from their papers' formulas, for make_composed_fixtures.py.

An operator is `apply(x, w, outputs, stride)`, as in kernels.py: `w(name, *shape)` gives a parameter under the name that it
has in files. Gradients are autograd's, straight-through estimators' those of their papers.
"""

import math

import torch
import torch.nn.functional as F
from kernels import common_divisor, conv, norm, on_the_grid
from torchvision.ops import deform_conv2d

CASES = []


def case(item, inputs, outputs, stride, **options):
    def add(make):
        CASES.append((item, make(**options), inputs, outputs, stride))
        return make

    return add


# Learned weights that are changed before they are used


@case("central-difference", 5, 7, 2)
@case("central-difference:theta=0.25:dilation=2", 4, 4, 1, theta=0.25, dilation=2)
def central_difference(theta=0.7, dilation=1):
    def apply(x, w, o, s):
        weight = w("weight", o, x.shape[1], 3, 3)
        plain = F.conv2d(x, weight, None, s, dilation, dilation)
        return plain - theta * F.conv2d(x, weight.sum((2, 3), keepdim=True), None, s)

    return apply


@case("standardized", 5, 7, 2)
def standardized():
    def apply(x, w, o, s):
        weight = w("weight", o, x.shape[1], 3, 3)
        mean = weight.mean((1, 2, 3), keepdim=True)
        variance = weight.var((1, 2, 3), unbiased=False, keepdim=True)
        return F.conv2d(x, (weight - mean) / torch.sqrt(variance + 1e-6), None, s, 1)

    return apply


class Binary(torch.autograd.Function):
    """Rastegari et al., 2016, section 3.1: α sign(W), and its gradient."""

    @staticmethod
    def forward(context, weight):
        context.save_for_backward(weight)
        return weight.abs().mean((1, 2, 3), keepdim=True) * weight.sign()

    @staticmethod
    def backward(context, gradient):
        (weight,) = context.saved_tensors
        alpha = weight.abs().mean((1, 2, 3), keepdim=True)
        return gradient * (1 / weight[0].numel() + alpha * (weight.abs() <= 1))


class Rounded(torch.autograd.Function):
    """A function of weights whose gradient is passed on as it is."""

    @staticmethod
    def forward(context, weight, function):
        return function(weight)

    @staticmethod
    def backward(context, gradient):
        return gradient, None


def ternary(weight):
    size = weight.abs()
    large = size > 0.7 * size.mean((1, 2, 3), keepdim=True)
    alpha = (size * large).sum((1, 2, 3), keepdim=True) / large.sum((1, 2, 3), keepdim=True)
    return alpha * weight.sign() * large


def power_of_two(weight):
    return weight.sign() * 2 ** torch.round(torch.log2(weight.abs()))


@case("binary", 5, 7, 2, change=Binary.apply)
@case("ternary", 5, 7, 2, change=lambda weight: Rounded.apply(weight, ternary))
@case("power-of-two", 5, 7, 2, change=lambda weight: Rounded.apply(weight, power_of_two))
def changed(change):
    return lambda x, w, o, s: F.conv2d(x, change(w("weight", o, x.shape[1], 3, 3)), None, s, 1)


@case("repvgg", 5, 7, 2)
@case("repvgg:dilation=2", 6, 6, 1, dilation=2)
def repvgg(dilation=1):
    def apply(x, w, o, s):
        y = norm(conv(x, w, "dense.conv", o, 3, s, dilation), w, "dense.bn")
        y = y + norm(conv(x, w, "point.conv", o, 1, s), w, "point.bn")
        return y + norm(x, w, "identity") if s == 1 and o == x.shape[1] else y

    return apply


@case("large-kernel:window=9:small=3", 6, 6, 1, window=9, small=3)
@case("large-kernel:window=7", 6, 4, 2, window=7, small=5)
def large_kernel(window=13, small=5):
    def apply(x, w, o, s):
        groups = common_divisor(math.inf, x.shape[1], o)
        y = norm(conv(x, w, "large.conv", o, window, s, 1, groups), w, "large.bn")
        return y + norm(conv(x, w, "small.conv", o, small, s, 1, groups), w, "small.bn")

    return apply


@case("large-kernel:window=7:small=3:form=stripes", 4, 4, 1)
def stripes():
    def apply(x, w, o, s):
        windows = {"tall": (7, 3), "wide": (3, 7), "small": (3, 3)}
        return sum(norm(conv(x, w, f"{n}.conv", o, k, s, 1, o), w, f"{n}.bn") for n, k in windows.items())

    return apply


# Branches, stages and attention


@case("partial", 9, 9, 2)
@case("partial:ratio=3:pointwise=always", 9, 6, 1, ratio=3, pointwise=True)
def partial(ratio=4, pointwise=False):
    def apply(x, w, o, s):
        part = x.shape[1] // ratio
        y = torch.cat([conv(x[:, :part], w, "conv", part, 3, s), x[:, part:, ::s, ::s]], 1)
        return conv(y, w, "pointwise", o) if pointwise else y

    return apply


@case("mixed-depthwise", 8, 8, 1)
@case("mixed-depthwise:windows=3-5", 5, 7, 2, windows=(3, 5), pointwise=True)
def mixed_depthwise(windows=(3, 5, 7), pointwise=False):
    def apply(x, w, o, s):
        count = len(windows)
        shares = [x.shape[1] // count + (n < x.shape[1] % count) for n in range(count)]
        parts = [conv(part, w, f"window{n}", part.shape[1], window, s, 1, part.shape[1])
                 for n, (window, part) in enumerate(zip(windows, x.split(shares, 1)), 1)]
        y = torch.cat(parts, 1)
        return conv(y, w, "pointwise", o) if pointwise else y

    return apply


@case("pyramidal:windows=3-5-7:groups=1-2-3", 6, 12, 2, windows=(3, 5, 7), groups=(1, 2, 2))  # 3 does not divide four outputs
def pyramidal(windows=(3, 5, 7, 9), groups=(1, 4, 8, 16)):
    def apply(x, w, o, s):
        part, levels = o // len(windows), zip(windows, groups)
        return torch.cat([conv(x, w, f"level{n}", part, k, s, 1, g) for n, (k, g) in enumerate(levels, 1)], 1)

    return apply


@case("octave", 6, 8, 1)
@case("octave:alpha=0.25:dilation=2", 9, 8, 2, alpha=0.25, dilation=2)
def octave(alpha=0.5, dilation=1):
    def apply(x, w, o, s):
        channels, low = x.shape[1], int(alpha * o)
        slow = int(alpha * channels)
        fast, slow = x.split([channels - slow, slow], 1)
        y = conv(fast, w, "high.high", o - low, 3, s, dilation)

        def small(x, name, outputs):
            z = conv(F.avg_pool2d(x, 2, 2, ceil_mode=True), w, name, outputs, 3, s, dilation)
            z = z.repeat_interleave(2, 2).repeat_interleave(2, 3)
            return z[:, :, : y.shape[2], : y.shape[3]]

        return torch.cat([y + small(slow, "high.low", o - low), small(x, "low", low)], 1)

    return apply


@case("wavelet", 4, 4, 1)
@case("wavelet:levels=2:window=5", 3, 5, 2, levels=2, window=5)
def wavelet(levels=1, window=3):
    low, high = torch.tensor([[1, 1], [1, -1]], dtype=torch.float64) / math.sqrt(2)
    # Rows first: the second band is the difference of rows.
    bank = torch.stack([torch.outer(rows, columns) for columns in (low, high) for rows in (low, high)])[:, None]

    def transform(x):
        channels, (height, width) = x.shape[1], x.shape[2:]
        x = F.pad(x, (0, width % 2, 0, height % 2))
        bands = F.conv2d(x, bank.to(x).repeat(channels, 1, 1, 1), stride=2, groups=channels)
        return bands.unflatten(1, (channels, 4)).transpose(1, 2).flatten(1, 2)

    def inverse(bands, height, width):
        channels = bands.shape[1] // 4
        bands = bands.unflatten(1, (4, channels)).transpose(1, 2).flatten(1, 2)
        x = F.conv_transpose2d(bands, bank.to(bands).repeat(channels, 1, 1, 1), stride=2, groups=channels)
        return x[:, :, :height, :width]

    def scaled(x, w, name, stride=1):
        channels = x.shape[1]
        y = conv(x, w, name, channels, window, stride, 1, channels)
        return y * w(f"{name}.scale", channels)[:, None, None]

    def apply(x, w, o, s):
        channels = x.shape[1]

        def level(x, number):
            t = transform(x)
            y = scaled(t, w, f"wavelet.level{number}")
            if number < levels:
                y = torch.cat([y[:, :channels] + level(t[:, :channels], number + 1), y[:, channels:]], 1)
            return inverse(y, *x.shape[2:])

        y = scaled(x, w, "base", s) + level(x, 1)[:, :, ::s, ::s]
        return y if o == channels else conv(y, w, "pointwise", o)

    return apply


@case("ghost", 5, 8, 2)
@case("ghost:ratio=4:small=5", 5, 8, 1, ratio=4, small=5)
def ghost(ratio=2, small=3):
    def apply(x, w, o, s):
        u = conv(x, w, "primary", o // ratio, 3, s)
        return torch.cat([u, conv(u, w, "cheap", o - o // ratio, small, 1, 1, o // ratio)], 1)

    return apply


@case("blueprint", 7, 6, 2)
def blueprint_subspace():
    def apply(x, w, o, s):
        y = conv(conv(x, w, "pointwise1", math.ceil(x.shape[1] / 4)), w, "pointwise2", o)
        return conv(y, w, "depthwise", o, 3, s, 1, o)

    return apply


@case("blueprint:share=0", 7, 6, 1)
def blueprint_unconstrained():
    return lambda x, w, o, s: conv(conv(x, w, "pointwise", o), w, "depthwise", o, 3, s, 1, o)


@case("star", 5, 6, 2, activation=F.relu6)
@case("star:activation=none", 5, 6, 1)
def star(activation=lambda y: y):
    def apply(x, w, o, s):
        return activation(conv(x, w, "f1", o, 3, s, bias=True)) * conv(x, w, "f2", o, 3, s, bias=True)

    return apply


@case("eca", 5, 16, 2, window=3)
@case("eca:window=5", 5, 8, 1, window=5)
def eca(window=3):
    def apply(x, w, o, s):
        u = conv(x, w, "kernel", o, 3, s)
        weight = w("attention.conv.weight", 1, 1, 1, window)
        means = F.conv1d(u.mean((2, 3))[:, None], weight[:, :, 0], None, 1, window // 2)
        return u * torch.sigmoid(means[:, 0])[:, :, None, None]

    return apply


@case("coordinate-attention", 5, 12, 2)
def coordinate_attention():
    def apply(x, w, o, s):
        u = conv(x, w, "kernel", o, 3, s)
        means = torch.cat([u.mean(3, keepdim=True), u.mean(2, keepdim=True).transpose(2, 3)], 2)
        z = F.hardswish(norm(conv(means, w, "attention.reduce", 8), w, "attention.bn"))
        rows, columns = z.split(u.shape[2:], 2)
        a = torch.sigmoid(conv(rows, w, "attention.rows", o, bias=True))
        b = torch.sigmoid(conv(columns.transpose(2, 3), w, "attention.columns", o, bias=True))
        return u * a * b

    return apply


# Other arithmetic


@case("kan", 4, 5, 2)
@case("kan:grid=3:range=1:dilation=2", 3, 4, 1, grid=3, reach=1, dilation=2)
def kan(grid=5, reach=2, dilation=1):
    step = 2 * reach / grid
    knots = [(number - 3) * step - reach for number in range(grid + 7)]

    def splines(x):
        """Cox and de Boor's recursion over the degrees."""
        found = [((x >= a) & (x < b)).to(x.dtype) for a, b in zip(knots, knots[1:])]
        for degree in (1, 2, 3):
            found = [
                (x - knots[n]) / (knots[n + degree] - knots[n]) * found[n]
                + (knots[n + degree + 1] - x) / (knots[n + degree + 1] - knots[n + 1]) * found[n + 1]
                for n in range(len(found) - 1)
            ]
        return found

    def apply(x, w, o, s):
        functions = torch.stack([F.silu(x), *splines(x)], 2).flatten(1, 2)
        return conv(functions, w, "", o, 3, s, dilation)

    return apply


@case("adder-l2", 5, 7, 2)
def adder_l2():
    def apply(x, w, o, s):
        columns = F.unfold(x, 3, 1, 1, s)
        weight = w("weight", o, x.shape[1], 3, 3).flatten(1)
        y = -((columns[:, None] - weight[None, :, :, None]) ** 2).sum(2)
        return y.reshape(len(x), o, (x.shape[2] - 1) // s + 1, -1)

    return apply


@case("morphological", 5, 7, 2)
@case("morphological:form=erosion", 5, 5, 1, dilation=False)
def morphological(dilation=True):
    def apply(x, w, o, s):
        channels = x.shape[1]
        columns = F.unfold(x, 3, 1, 1, s).unflatten(1, (channels, 9))
        parts = []
        if dilation:
            parts.append((columns + w("dilation.weight", channels, 1, 3, 3).reshape(channels, 9, 1)).amax(2))
        parts.append((columns - w("erosion.weight", channels, 1, 3, 3).reshape(channels, 9, 1)).amin(2))
        y = torch.cat(parts, 1).unflatten(2, ((x.shape[2] - 1) // s + 1, -1))
        return conv(y, w, "project", o)

    return apply


# Weights from the input


@case("involution:shared=4", 8, 8, 1, shared=4)
@case("involution:shared=3:reduction=2:window=5", 6, 4, 2, shared=3, reduction=2, window=5)
def involution(shared=16, reduction=4, window=3):
    def apply(x, w, o, s):
        channels, groups = x.shape[1], x.shape[1] // shared
        y = F.relu(norm(conv(x, w, "weights.reduce", channels // reduction, 1, s), w, "weights.bn"))
        weights = conv(y, w, "weights.span", groups * window**2, bias=True)
        size = weights.shape[2:]
        columns = F.unfold(x, window, 1, window // 2, s).unflatten(1, (groups, shared, window**2))
        y = (columns * weights.flatten(2).unflatten(1, (groups, 1, window**2))).sum(3)
        y = y.flatten(1, 2).unflatten(2, size)
        return y if o == channels else conv(y, w, "pointwise", o)

    return apply


def mixed(x, w, o, s, shares):
    """Each image's own filter: a grouped convolution of all images side by side."""
    count = shares.shape[1]
    weight = w("weight", count * o, x.shape[1], 3, 3).unflatten(0, (count, o))
    filters = torch.einsum("nk,koiyx->noiyx", shares, weight).flatten(0, 1)
    y = F.conv2d(x.flatten(0, 1)[None], filters, None, s, 1, 1, len(x))
    return y.unflatten(1, (len(x), o))[0]


@case("condconv:filters=3", 5, 6, 2, filters=3)
def condconv(filters=8):
    def apply(x, w, o, s):
        means = x.mean((2, 3), keepdim=True)
        return mixed(x, w, o, s, torch.sigmoid(conv(means, w, "attention.fc", filters, bias=True)).flatten(1))

    return apply


@case("dynamic:temperature=2", 8, 5, 1, temperature=2)
def dynamic(temperature=30):
    def apply(x, w, o, s):
        narrow = F.relu(conv(x.mean((2, 3), keepdim=True), w, "attention.fc1", x.shape[1] // 4))
        scores = conv(narrow, w, "attention.fc2", 4, bias=True).flatten(1)
        return mixed(x, w, o, s, torch.softmax(scores / temperature, 1))

    return apply


@case("odconv:filters=3", 6, 4, 2, filters=3)
@case("odconv:filters=1", 5, 6, 1, filters=1)
def odconv(filters=4):
    def apply(x, w, o, s):
        inputs = x.shape[1]
        z = F.relu(conv(x.mean((2, 3), keepdim=True), w, "attention.fc", 16))

        def head(name, outputs):
            return conv(z, w, f"attention.{name}", outputs, bias=True).flatten(1)

        k = torch.softmax(head("filters", filters), 1) if filters > 1 else torch.ones(len(x), 1, dtype=x.dtype)
        taps, channels, outputs = (torch.sigmoid(head(*h)) for h in (("taps", 9), ("inputs", inputs), ("outputs", o)))
        weight = w("weight", filters * o, inputs, 3, 3).unflatten(0, (filters, o))
        made = torch.einsum("nk,koiyx,nyx,ni,no->noiyx", k, weight, taps.unflatten(1, (3, 3)), channels, outputs)
        return torch.cat([F.conv2d(image[None], own, None, s, 1) for image, own in zip(x, made)])

    return apply


# Learned positions


@case("snake:length=5", 4, 5, 2, length=5, axes=("row", "column"))
@case("snake:length=7:axes=column:dilation=2", 3, 4, 1, length=7, axes=("column",), dilation=2)
def snake(length=9, axes=("row", "column"), dilation=1):
    middle = length // 2

    def line(x, w, name, o, s):
        steps = torch.tanh(conv(x, w, f"{name}.offset", length - 1, 3, s, dilation, bias=True))
        left, right = steps[:, :middle], steps[:, middle:]
        # From the middle on: the sum of all steps up to a tap's own.
        across = torch.cat([left.flip(1).cumsum(1).flip(1), torch.zeros_like(steps[:, :1]), right.cumsum(1)], 1)
        along, is_row = torch.zeros_like(across), name == "row"
        offset = torch.stack([across, along] if is_row else [along, across], 2).flatten(1, 2)
        window, padding = ((1, length), (0, middle * dilation)) if is_row else ((length, 1), (middle * dilation, 0))
        weight = w(f"{name}.weight", o, x.shape[1], *window)
        return deform_conv2d(x, offset, weight, None, s, padding, dilation)

    return lambda x, w, o, s: sum(line(x, w, name, o, s) for name in axes)


@case("dcnv3:shared=3", 6, 7, 2, shared=3, softmax=True)
@case("dcnv4:shared=4:dilation=2", 8, 6, 1, shared=4, softmax=False, dilation=2)
def dcn(shared=16, softmax=True, dilation=1):
    def apply(x, w, o, s):
        channels, groups, z = x.shape[1], x.shape[1] // shared, x
        if softmax:
            z = conv(x, w, "features.conv", channels, 3, 1, dilation, channels, True).permute(0, 2, 3, 1)
            scale, shift = w("features.norm.weight", channels), w("features.norm.bias", channels)
            z = F.gelu(F.layer_norm(z, (channels,), scale, shift, 1e-6)).permute(0, 3, 1, 2)
        value = conv(x, w, "value", channels, bias=True)
        offset, mask = conv(z, w, "offset", groups * 18, 1, s, bias=True), conv(z, w, "mask", groups * 9, 1, s, bias=True)
        if softmax:
            mask = mask.unflatten(1, (groups, 9)).softmax(2).flatten(1, 2)
        ones = torch.ones(channels, 1, 3, 3, dtype=x.dtype)
        y = deform_conv2d(value, offset, ones, None, s, dilation, dilation, mask)
        return conv(y, w, "output", o, bias=True)

    return apply


# Other arithmetic, on the grid


@case("max-plus", 5, 7, 2)
@case("max-plus:dilation=2", 4, 4, 1, dilation=2)
def max_plus(dilation=1):
    return on_the_grid("max-plus", dilation)


# Binary inputs


class Sign(torch.autograd.Function):
    """Rastegari et al., 2016: the sign, whose gradient passes between −1 and 1."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return x.sign()

    @staticmethod
    def backward(context, gradient):
        (x,) = context.saved_tensors
        return gradient * (x.abs() < 1)


@case("binary:inputs=binary", 5, 7, 2)
def xnor():
    return lambda x, w, o, s: F.conv2d(Sign.apply(x), Binary.apply(w("weight", o, x.shape[1], 3, 3)), None, s, 1)
