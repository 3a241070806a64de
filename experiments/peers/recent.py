"""Operators since about 2016 from their papers' formulas, for make_composed_fixtures.py.

An operator is `apply(x, w, outputs, stride)`, as in kernels.py: `w(name, *shape)` gives a parameter under the name that it
has in files. Gradients are autograd's, straight-through estimators' those of their papers.
"""

import math

import torch
import torch.nn.functional as F
from kernels import common_divisor, conv, norm

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
def large_kernel(window, small):
    def apply(x, w, o, s):
        groups = common_divisor(math.inf, x.shape[1], o)
        y = norm(conv(x, w, "large.conv", o, window, s, 1, groups), w, "large.bn")
        return y + norm(conv(x, w, "small.conv", o, small, s, 1, groups), w, "small.bn")

    return apply
