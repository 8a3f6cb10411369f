# SPDX-License-Identifier: Apache-2.0
"""Means and ratios with intervals that hold what they promise for as few as four repetitions.

Times and rates are positive and skewed to the right, so below `FEW` repetitions the interval is Student's t
on logarithms; its centre is the geometric mean, for which a time and the rate that belongs to it tell the
same story. From `FEW` repetitions on, and for values that are not positive, it is Student's t on the values
themselves. Bootstrap intervals are not used: at four repetitions a 95 % one covers 78 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import nctdtr, stdtrit

FEW = 20
CONFIDENCE = 0.95
DIFFERENCE = 0.05
POWER = 0.8
MANY = 10_000

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval, in the unit of the values.

    `centre` is what the interval is about: the geometric mean for "log-t", else the arithmetic one; `low`
    and `high` are None for a single value; `spread` is the standard deviation over the mean.
    """

    n: int
    centre: float
    low: float | None
    high: float | None
    arithmetic: float
    spread: float | None
    method: str


@dataclass(frozen=True)
class Ratio:
    """A quotient of two means with its interval; None where there is too little to tell."""

    value: float
    low: float | None
    high: float | None
    method: str


def estimate(values: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """Return the mean of independent repetitions with its interval; raises ValueError if there are none."""
    data = _array(values)
    n, arithmetic = len(data), float(data.mean())
    if n == 1:
        return Estimate(1, arithmetic, None, None, arithmetic, None, "none")
    deviation = float(data.std(ddof=1))
    spread = deviation / abs(arithmetic) if arithmetic else None
    t = _t(n - 1, confidence)
    if _use_logs(data):
        logs = np.log(data)
        centre, half = float(logs.mean()), t * float(logs.std(ddof=1)) / math.sqrt(n)
        low, high = math.exp(centre - half), math.exp(centre + half)
        return Estimate(n, math.exp(centre), low, high, arithmetic, spread, "log-t")
    half = t * deviation / math.sqrt(n)
    return Estimate(n, arithmetic, arithmetic - half, arithmetic + half, arithmetic, spread, "t")


def ratio(
    numerator: Sequence[float], denominator: Sequence[float], confidence: float = CONFIDENCE
) -> Ratio | None:
    """Return the mean of one sample over that of another, independent one.

    Welch's t on logarithms where either sample is small and both are positive, Fieller's theorem
    otherwise. None if the denominator's mean is zero.
    """
    a, b = _array(numerator), _array(denominator)
    if (_use_logs(a) or _use_logs(b)) and a.min() > 0 and b.min() > 0:
        return _welch(np.log(a), np.log(b), confidence)
    if b.mean() == 0:
        return None
    return _fieller(a, b, confidence)


def repetitions_needed(
    *samples: Sequence[float], difference: float = DIFFERENCE, power: float = POWER
) -> int | None:
    """Return how many repetitions a configuration show a relative difference of two means.

    The scatter is pooled from the samples (logarithms, so all values must be positive); the test is a
    two-sided t test at 5 % that finds the difference with the given power. None if no sample has two
    values, if one is not positive, or if more than `MANY` are needed.
    """
    pools = [np.log(_array(s)) for s in samples if len(s) >= 2 and min(s) > 0]
    if not pools or len(pools) < sum(len(s) >= 2 for s in samples):
        return None
    freedom = sum(len(p) - 1 for p in pools)
    variance = sum(float(p.var(ddof=1)) * (len(p) - 1) for p in pools) / freedom
    if variance == 0:
        return 2
    effect = math.log1p(difference) / math.sqrt(variance)
    low, high = 1, 2
    while _power(high, effect) < power:
        low, high = high, high * 2
        if low > MANY:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(middle, effect) >= power else (middle, high)
    return high


def _array(values: Sequence[float]) -> Values:
    data = np.asarray(values, dtype=np.float64)
    if data.size == 0:
        raise ValueError("no values to summarise")
    if not np.isfinite(data).all():
        raise ValueError("a value is not finite")
    return data


def _use_logs(data: Values) -> bool:
    return len(data) < FEW and float(data.min()) > 0


def _t(freedom: float, confidence: float) -> float:
    return float(stdtrit(freedom, 0.5 + confidence / 2))


def _power(n: int, effect: float) -> float:
    freedom, shift = 2 * n - 2, effect * math.sqrt(n / 2)
    t = _t(freedom, CONFIDENCE)
    # the chance of a significant result on the wrong side is below 1e-4 wherever power matters
    return 1 - float(nctdtr(freedom, shift, t))


def _welch_freedom(va: float, na: int, vb: float, nb: int) -> float:
    """Welch-Satterthwaite degrees of freedom of two variances of means."""
    return (va + vb) ** 2 / (va**2 / (na - 1) + vb**2 / (nb - 1))


def _welch(a: Values, b: Values, confidence: float) -> Ratio:
    value = math.exp(float(a.mean() - b.mean()))
    if len(a) < 2 or len(b) < 2:
        return Ratio(value, None, None, "none")
    va, vb = float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b)
    if va + vb == 0:
        return Ratio(value, value, value, "welch-log")
    half = _t(_welch_freedom(va, len(a), vb, len(b)), confidence) * math.sqrt(va + vb)
    return Ratio(value, value * math.exp(-half), value * math.exp(half), "welch-log")


def _fieller(a: Values, b: Values, confidence: float) -> Ratio:
    top, bottom = float(a.mean()), float(b.mean())
    value = top / bottom
    if len(a) < 2 or len(b) < 2:
        return Ratio(value, None, None, "none")
    va, vb = float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b)
    if va + vb == 0:
        return Ratio(value, value, value, "fieller")
    t = _t(_welch_freedom(va, len(a), value**2 * vb, len(b)), confidence)
    g = t**2 * vb / bottom**2
    if g >= 1:
        # the denominator may be zero: the confidence set is not an interval
        return Ratio(value, None, None, "fieller: unbounded")
    half = t / abs(bottom) * math.sqrt((1 - g) * va + value**2 * vb)
    return Ratio(value, (value - half) / (1 - g), (value + half) / (1 - g), "fieller")
