# SPDX-License-Identifier: GPL-3.0-or-later
"""The surface of a drawn head, and the outline of its eyes on it."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator

from .drawn_style import Reals, Style

SIDES_Z = -1.0  # where the head is widest


def smooth(low: float, high: float, x: Reals) -> Reals:
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


class Surface:
    """The bare skin of a style: domain points to canonical space."""

    def __init__(self, style: Style) -> None:
        self.style = style
        order = np.argsort(style.rows[:, 0])
        self.rows = PchipInterpolator(style.rows[order, 0], style.rows[order, 1:], extrapolate=True)
        self.low, self.high = float(style.rows[:, 0].min()), float(style.rows[:, 0].max())
        self.around = np.pi * float(style.rows[5, 3])  # a of the middle of the back

    def place(self, points: Reals) -> Reals:
        """Canonical positions (N,3) of domain points (N,2)."""
        angle = points[:, 0] / self.around * np.pi
        front_y, front_z, wide, back_y, back_z = self.rows(
            np.clip(points[:, 1], self.low, self.high)
        ).T
        sine, cosine = np.sin(angle), np.cos(angle)
        n = np.where(cosine > 0, self.style.boxy, 2.0)
        radius = (np.abs(sine) ** n + np.abs(cosine) ** n + 1e-12) ** (-1 / n)
        x = wide * radius * sine
        z = SIDES_Z + np.where(cosine > 0, front_z - SIDES_Z, SIDES_Z - back_z) * radius * cosine
        y = back_y + (front_y - back_y) * smooth(-0.9, 1.0, cosine)
        return np.stack([x, y, z + self.relief(x, y) * smooth(0.0, 0.45, cosine)], axis=1)

    def relief(self, x: Reals, y: Reals) -> Reals:
        """How far the face stands out of the bare profile at x and y."""
        s = self.style

        def bump(value: Reals, centre: float, width: float) -> Reals:
            return np.asarray(np.exp(-(((value - centre) / width) ** 2)))

        nose_y, tall, wide, long = s.nose
        above = np.where(y > nose_y, long, 0.09)
        nose = tall * np.exp(-(((y - nose_y) / above) ** 2)) * bump(x, 0, wide)
        socket = (
            -s.socket * bump(np.abs(x), s.eye[0], s.eye_half * 1.2) * bump(y, 0.02, s.eye_up + 0.1)
        )
        lips = (
            s.lips
            * bump(x, 0, s.mouth_half * 1.1)
            * (bump(y, s.mouth_y + 0.035, 0.04) + bump(y, s.mouth_y - 0.035, 0.04))
        )
        cheek = s.cheek * bump(np.abs(x), 0.55, 0.28) * bump(y, -0.45, 0.25)
        top, out, aside, high = s.snout
        snout = (
            out * np.exp(-((np.abs(x) / aside) ** 2.8)) * np.exp(-(np.abs((y - top) / high) ** 3.0))
        )
        return np.asarray(nose + socket + lips + cheek + snout)

    def locate(self, points: Reals) -> Reals:
        """Domain points (N,2) whose canonical x and y are given (N,2), on the front; Newton's
        method.
        """
        found = points.astype(np.float64).copy()
        step = 1e-4
        for _ in range(8):
            here = self.place(found)[:, :2]
            right = (self.place(found + [step, 0])[:, :2] - here) / step
            up = (self.place(found + [0, step])[:, :2] - here) / step
            miss = points - here
            det = right[:, 0] * up[:, 1] - up[:, 0] * right[:, 1]
            det = np.where(np.abs(det) < 0.05, np.where(det < 0, -0.05, 0.05), det)
            move = (
                np.stack(
                    [
                        miss[:, 0] * up[:, 1] - up[:, 0] * miss[:, 1],
                        right[:, 0] * miss[:, 1] - miss[:, 0] * right[:, 1],
                    ],
                    axis=1,
                )
                / det[:, None]
            )
            found += np.clip(move, -0.2, 0.2)
        found[:, 0] = np.clip(
            found[:, 0], 0 if (points[:, 0] >= 0).all() else -self.around / 2, self.around / 2
        )
        return found


def eye_outline(style: Style, turn: Reals, grown: float = 0.0) -> Reals:
    """Points (N,2), x and y, of the left eye's edge at angles; grown: 0 the edge, 1 the border of
    the rings around it.
    """
    cosine, sine = np.cos(turn), np.sin(turn)
    power = np.where(sine >= 0, *style.eye_power)
    high = np.where(sine >= 0, style.eye_up, style.eye_down)
    y = np.sign(sine) * high * np.abs(sine) ** power + style.eye_tilt * cosine * style.eye_half
    border_x = style.eye_half + np.where(
        cosine > 0, 0.16, min(0.14, style.eye[0] - style.eye_half - 0.03)
    )
    border_y = high + np.where(sine >= 0, 0.22, 0.16)
    x = cosine * (style.eye_half * (1 - grown) + border_x * grown)
    y = y * (1 - grown) + sine * border_y * grown
    return np.stack([style.eye[0] + x, style.eye[1] + y], axis=1)
