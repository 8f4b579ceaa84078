# SPDX-License-Identifier: GPL-3.0-or-later
"""The bare outside of the sample head: rings around a profile, and the relief of brow, nose,
cheeks, lips and chin.

Axes as in Blender: +X the character's left, +Z up, the face looks along -Y; metres. The tip of the
chin is at z = 0, y = 0 runs through the ears. A point of the surface is named by `angle` (0 at the
front, positive to the character's left, radians) and `row` (0 at the crown, 1 at the end of the
neck). On the front it is also named by x and z. The numbers are this project's own modelling.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class HeadSpec:
    """Proportions of a head. Lengths in metres, levels as parts of the height above the chin,
    factors around 1, angles in degrees.
    """

    width: float = 0.150
    height: float = 0.228
    depth: float = 0.190
    eye_level: float = 0.485
    eye_spacing: float = 0.066
    eye_width: float = 0.0345
    eye_height: float = 0.0155
    eye_tilt: float = 4.0
    brow_height: float = 0.0225
    nose_size: float = 1.0
    nose_width: float = 1.0
    mouth_level: float = 0.195
    mouth_width: float = 0.046
    lip_fullness: float = 1.0
    chin: float = 1.0
    jaw: float = 1.0
    cheek: float = 1.0
    ear_size: float = 1.0
    neck_width: float = 0.096
    stylisation: float = 0.0
    lashes: bool = True
    brows: bool = True
    hair: bool = True
    density: float = 1.0


def styled(spec: HeadSpec) -> HeadSpec:
    """The spec with its `stylisation` (0 as it is, 1 like a cartoon) worked into the proportions;
    the result's own is 0.
    """
    s = float(np.clip(spec.stylisation, 0.0, 1.0))
    spacing = spec.eye_spacing * (1 + 0.12 * s)
    return replace(
        spec,
        stylisation=0.0,
        depth=spec.depth * (1 - 0.04 * s),
        eye_level=spec.eye_level - 0.06 * s,
        eye_spacing=spacing,
        eye_width=min(spec.eye_width * (1 + 0.32 * s), 0.70 * spacing),
        eye_height=spec.eye_height * (1 + 1.1 * s),
        brow_height=spec.brow_height + 0.010 * s,
        nose_size=spec.nose_size * (1 - 0.6 * s),
        nose_width=spec.nose_width * (1 - 0.3 * s),
        mouth_level=spec.mouth_level - 0.02 * s,
        mouth_width=spec.mouth_width * (1 - 0.25 * s),
        lip_fullness=spec.lip_fullness * (1 - 0.5 * s),
        chin=spec.chin * (1 - 0.2 * s),
        jaw=spec.jaw * (1 - 0.12 * s),
        ear_size=spec.ear_size * (1 - 0.1 * s),
        neck_width=spec.neck_width * (1 - 0.25 * s),
    )


# Rings from the hairline down: height of the front / head height, half width / (head width / 2),
# front y / depth, back y / depth, rise of the back against the front / head height, exponent of the
# front's outline (2 is an ellipse, more is boxier).
RINGS = np.array(
    [
        [0.70, 1.000, -0.452, 0.540, 0.000, 2.35],
        [0.60, 0.985, -0.468, 0.545, 0.005, 2.35],
        [0.50, 0.950, -0.450, 0.530, 0.020, 2.30],
        [0.40, 0.915, -0.452, 0.500, 0.060, 2.20],
        [0.28, 0.845, -0.458, 0.450, 0.120, 2.05],
        [0.19, 0.770, -0.452, 0.400, 0.170, 1.95],
        [0.10, 0.690, -0.436, 0.365, 0.205, 1.85],
        [0.03, 0.625, -0.430, 0.340, 0.225, 1.75],
        [0.00, 0.595, -0.395, 0.325, 0.230, 1.75],
        [-0.025, 0.580, -0.300, 0.315, 0.228, 1.85],
        [-0.05, 0.580, -0.185, 0.305, 0.220, 2.00],
        [-0.12, 0.600, -0.125, 0.300, 0.190, 2.00],
        [-0.28, 0.640, -0.125, 0.310, 0.110, 2.00],
        [-0.42, 0.760, -0.165, 0.350, 0.040, 2.00],
    ]
)
CROWN_Y, CROWN_ANGLES = 0.055, np.radians([90.0, 78.0, 64.0, 50.0, 36.0, 22.0, 10.0])


def smoothstep(low: float, high: float, x: Reals) -> Reals:
    """0 below low, 1 above high, a smooth cubic between."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3 - 2 * t)


def bump(x: Reals, centre: float, width: float) -> Reals:
    """A Gaussian of height 1."""
    return np.asarray(np.exp(-(((x - centre) / width) ** 2)))


def smooth_curve(x: Reals, knots: Reals, values: Reals) -> Reals:
    """Monotone piecewise cubic through values (K,) or (K,C) at increasing knots (K,): Fritsch and
    Carlson, SIAM J. Numer. Anal. 17 (1980).
    """
    values = values if values.ndim == 2 else values[:, None]
    h = np.diff(knots)[:, None]
    slope = np.diff(values, axis=0) / h
    tangent = np.zeros_like(values)
    a, b, ha, hb = slope[:-1], slope[1:], h[:-1], h[1:]
    same = a * b > 0
    w1, w2 = 2 * hb + ha, hb + 2 * ha
    with np.errstate(divide="ignore", invalid="ignore"):
        tangent[1:-1] = np.where(same, (w1 + w2) / (w1 / a + w2 / b), 0.0)
    tangent[0], tangent[-1] = slope[0], slope[-1]
    i = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, len(knots) - 2)
    t = ((x - knots[i]) / h[i, 0])[..., None]
    t2, t3 = t * t, t * t * t
    out = (
        (2 * t3 - 3 * t2 + 1) * values[i]
        + (t3 - 2 * t2 + t) * h[i] * tangent[i]
        + (3 * t2 - 2 * t3) * values[i + 1]
        + (t3 - t2) * h[i] * tangent[i + 1]
    )
    return np.asarray(out[..., 0] if out.shape[-1] == 1 else out)


class Surface:
    """The bare head of a spec whose stylisation is worked in already."""

    def __init__(self, spec: HeadSpec) -> None:
        self.spec = spec
        half, height, depth = spec.width / 2, spec.height, spec.depth
        body = RINGS.copy()
        lower = smoothstep(0.45, 0.05, body[:, 0])
        body[:, 1] *= 1 + (spec.jaw - 1) * lower
        body[:, 5] = 2 + (body[:, 5] - 2) * (1 + (spec.jaw - 1) * lower)
        neck = smoothstep(0.02, -0.05, body[:, 0])
        body[:, 1] += neck * (spec.neck_width / spec.width / 0.64 * body[:, 1] - body[:, 1])
        body[:, 2] -= 0.025 * (spec.chin - 1) * bump(body[:, 0], 0.02, 0.05)
        c, s = np.cos(CROWN_ANGLES), np.sin(CROWN_ANGLES)
        crown = np.column_stack(
            [
                0.70 + 0.30 * s,
                c,
                CROWN_Y + (body[0, 2] - CROWN_Y) * c,
                CROWN_Y + (body[0, 3] - CROWN_Y) * c,
                np.zeros_like(c),
                2 + 0.35 * c,
            ]
        )
        rings = np.vstack([crown, body]) * np.array([height, half, depth, depth, height, 1.0])
        step = np.hypot(np.diff(rings[:, 0]), np.diff(rings[:, 2])) + 0.25 * np.abs(
            np.diff(rings[:, 1])
        )
        knots = np.concatenate([[0.0], np.cumsum(step)])
        self.rows = np.linspace(0.0, 1.0, 2001)
        self.table: Reals = smooth_curve(self.rows, knots / knots[-1], rings)
        self.eye_x, self.eye_z = spec.eye_spacing / 2, spec.eye_level * height
        self.mouth_z = spec.mouth_level * height
        self.nose_z = self.mouth_z + 0.46 * (self.eye_z - self.mouth_z) * 0.86

    def _ring(self, row: Reals) -> list[Reals]:
        return [np.interp(row, self.rows, self.table[:, i]) for i in range(self.table.shape[1])]

    def row_at(self, z: float) -> float:
        """The row whose front is at height z."""
        return float(np.interp(-z, -self.table[:, 0], self.rows))

    def angle_at(self, x: float, z: float) -> float:
        """The angle at which the row with front height z has this x."""
        half = float(np.interp(self.row_at(z), self.rows, self.table[:, 1]))
        return float(np.arcsin(np.clip(x / half, -1.0, 1.0)))

    def bare(self, angle: Reals, row: Reals) -> Reals:
        """Points (...,3) of the rings alone, without relief."""
        front, half, near, far, rise, power = self._ring(row)
        sin, cos = np.sin(angle), np.cos(angle)
        boxed = (1 - np.minimum(np.abs(sin), 1.0) ** power) ** (1 / power)
        middle = np.minimum(0.03 * self.spec.depth, far)
        y = np.where(cos > 0, middle + (near - middle) * boxed, middle - (far - middle) * cos)
        return np.stack([half * sin, y, front + rise * (1 - cos) / 2], axis=-1)

    def points(self, angle: Reals, row: Reals) -> Reals:
        """Points (...,3) of the surface with its relief."""
        p = self.bare(angle, row)
        front = np.interp(row, self.rows, self.table[:, 0])
        weight = smoothstep(0.0, 0.35, np.cos(angle)) * smoothstep(
            -0.045 * self.spec.height, 0.01 * self.spec.height, front
        )
        p[..., 1] -= weight * self.relief(p[..., 0], p[..., 2])
        return p

    def locate(self, x: Reals, z: Reals) -> tuple[Reals, Reals]:
        """(angle, row) of the front's points at x and z; fixed-point steps, since rows rise only
        gently towards the side.
        """
        front, angle = z.copy(), np.zeros_like(z)
        for _ in range(30):
            row = np.interp(-front, -self.table[:, 0], self.rows)
            angle = np.arcsin(np.clip(x / np.interp(row, self.rows, self.table[:, 1]), -1.0, 1.0))
            front = z - np.interp(row, self.rows, self.table[:, 4]) * (1 - np.cos(angle)) / 2
        return angle, np.interp(-front, -self.table[:, 0], self.rows)

    def front_y(self, x: Reals, z: Reals) -> Reals:
        """y of the face at x and z."""
        return self.points(*self.locate(x, z))[..., 1]

    def front(self, x: Reals, z: Reals, lift: float = 0.0) -> Reals:
        """Points (...,3) of the face at x and z, moved out by `lift` metres along the normal."""
        d = 0.001
        y = self.front_y(x, z)
        slope_x = (self.front_y(x + d, z) - self.front_y(x - d, z)) / (2 * d)
        slope_z = (self.front_y(x, z + d) - self.front_y(x, z - d)) / (2 * d)
        normal = np.stack([slope_x, -np.ones_like(y), slope_z], axis=-1)
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        return np.asarray(np.stack([x, y, z], axis=-1) + lift * normal)

    def slit_z(self, x: Reals) -> Reals:
        """Height of the line where the lips meet: a flat bow with the corners a little up."""
        q = np.clip(np.abs(x) / (self.spec.mouth_width / 2), 0.0, 1.5)
        return self.mouth_z + self.spec.mouth_width * (
            0.022 * q**2 + 0.016 * bump(q, 0.0, 0.28) - 0.016
        )

    def relief(self, x: Reals, z: Reals) -> Reals:
        """How far the face stands out of the bare rings at x and z, along -y."""
        return self._nose(x, z) + self._lips(x, z) + self._bones(x, z)

    def _nose(self, x: Reals, z: Reals) -> Reals:
        s, tip, eye = self.spec.nose_size, self.nose_z, self.eye_z
        wide = self.spec.nose_width
        heights = np.array(
            [
                tip - 0.0155,
                tip - 0.0105,
                tip - 0.0065,
                tip - 0.002,
                tip + 0.003,
                tip + 0.010,
                eye - 0.004,
                eye + 0.006,
                eye + 0.022,
            ]
        )
        heights = np.maximum.accumulate(heights + np.arange(9) * 1e-6)
        rise = np.array([0.0, 0.002, 0.0095, 0.0190, 0.0200, 0.0158, 0.0060, 0.0035, 0.0]) * s
        widths = (
            np.array([0.010, 0.010, 0.0105, 0.0098, 0.0092, 0.0082, 0.0078, 0.0100, 0.016]) * wide
        )
        nose = smooth_curve(z, heights, rise) * (z > heights[0]) * (z < heights[-1])
        width = np.maximum(smooth_curve(z, heights, widths), 0.001)
        q = np.abs(x) / width
        body = nose * np.exp(-(q**2.2))
        wing = (
            0.0078
            * s
            * (bump(x, 0.0115 * wide, 0.0052 * wide) + bump(x, -0.0115 * wide, 0.0052 * wide))
            * bump(z, tip - 0.0035, 0.0062)
        )
        return np.asarray(body + wing)

    def _lips(self, x: Reals, z: Reals) -> Reals:
        half, full = self.spec.mouth_width / 2, self.spec.lip_fullness
        size = half / 0.023
        d = (z - self.slit_z(x)) / size
        along = np.clip(1 - (x / (1.06 * half)) ** 2, 0.0, 1.0)
        upper = 0.0040 * full * bump(d, 0.0036, 0.0034) * along**0.7
        lower = 0.0052 * full * bump(d, -0.0048, 0.0042) * along**0.9
        groove = -0.0026 * bump(d, 0.0, 0.0015) * along**0.5
        corner = -0.0022 * (bump(x, half, 0.0050) + bump(x, -half, 0.0050)) * bump(d, 0.0, 0.005)
        mound = 0.0042 * bump(x, 0.0, 0.030 * size) * bump(z, self.mouth_z + 0.001, 0.017)
        philtrum = -0.0012 * bump(x, 0.0, 0.0030) * bump(d, 0.011, 0.0045)
        return np.asarray((upper + lower + groove + corner) * size + mound + philtrum)

    def _bones(self, x: Reals, z: Reals) -> Reals:
        spec, ex, ez = self.spec, self.eye_x, self.eye_z
        a = np.abs(x)
        big = spec.eye_width / 0.0345
        socket = -0.0075 * bump(a, ex - 0.002, 0.021 * big) * bump(z, ez + 0.002, 0.0135 * big)
        inner = -0.0045 * bump(a, 0.0150, 0.0070) * bump(z, ez + 0.003, 0.013)
        ridge = 0.0030 * bump(a, ex - 0.004, 0.024) * bump(z, ez + 1.05 * spec.brow_height, 0.010)
        cheek = (
            0.0060
            * spec.cheek
            * bump(a, 0.042 * spec.width / 0.15, 0.019)
            * bump(z, self.nose_z + 0.004, 0.019)
        )
        hollow = -0.0030 * spec.cheek * bump(a, 0.046, 0.014) * bump(z, self.mouth_z + 0.004, 0.016)
        chin = (
            0.0058 * spec.chin * bump(a, 0.0, 0.0155) * bump(z, 0.012 * spec.height / 0.228, 0.0105)
        )
        fold = -0.0024 * bump(a, 0.0, 0.016) * bump(z, 0.5 * self.mouth_z + 0.0035, 0.006)
        nasolabial = -0.0014 * bump(a, 0.024, 0.006) * bump(z, self.nose_z - 0.010, 0.012)
        return np.asarray(socket + inner + ridge + cheek + hollow + chin + fold + nasolabial)
