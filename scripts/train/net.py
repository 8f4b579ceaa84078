# SPDX-License-Identifier: GPL-3.0-or-later
"""The two networks. Encoder: points on a head -> landmarks and confidence. Decoder: one vertex seen
from the landmarks -> its basis.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from backend.face.geometry.landmarks import NAMES, SIDES

from .decoder_samples import SMALL

AT = {name: i for i, name in enumerate(NAMES)}
LIDS = ("eyeBlink", "eyeSquint", "eyeWide")  # learnt in units of the eye's height
CLOSING = (*LIDS, "eyeLookUp", "eyeLookDown")  # learnt as shares of the way to the other lid, too
FARTHEST = 3.0  # eye heights, or half widths of the mouth: longer distances say no more


CARTOON = (  # with few shapes, so that nobody is given their style: they are learnt in strangers'
    "jeeliz_boy",
    "jeeliz_kangaroo",
    "jeeliz_lama",
    "jeeliz_turtle",
    "pm_bizdude",
    "pm_crimsom",
)
# whose a head may be, and whose style it may have; a pair knows those that were there when it was
# trained, so new ones come last
RIGS = (
    "ict",
    "makehuman",
    "vitruvian",
    "gene",
    "uka",
    "godette",
    "modelled",
    "stylised",
    *CARTOON,
)


UNSURE = "stylised"  # whose style heads of nobody known get, and begin with


class Residual(nn.Module):
    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm, self.drop = nn.LayerNorm(width), nn.Dropout(dropout)
        self.into, self.out = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.out(self.drop(nn.functional.silu(self.into(self.norm(x)))))


class Attend(nn.Module):
    """Queries (B,Q,W) look at values (B,P,W); plain matrix products so that the exported graph
    stays small.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_q, self.norm_v = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.after = Residual(width)

    def split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)

    def forward(self, x: Tensor, values: Tensor) -> Tensor:
        v = self.norm_v(values)
        q, k, w = (
            self.split(self.query(self.norm_q(x))),
            self.split(self.key(v)),
            self.split(self.value(v)),
        )
        seen = torch.softmax(q @ k.transpose(2, 3) * (q.shape[-1] ** -0.5), dim=-1) @ w
        return self.after(x + self.out(seen.transpose(1, 2).flatten(2)))


class Encoder(nn.Module):
    """points (B,P,7), position and normal in the crop's frame and the size of the loose part ->
    latent (B,3L+R), the landmarks and how much the head looks like each training rig's (R shares,
    sum 1), and confidence (B,1) in 0..1.

    Every point votes where each landmark lies; a softmax over the points weighs the votes.
    """

    def __init__(self, width: int = 128, latents: int = 32, rounds: int = 3) -> None:
        super().__init__()
        self.register_buffer("octaves", 2.0 ** torch.arange(0, 4) * 1.5, persistent=False)
        self.embed = nn.Sequential(
            nn.Linear(7 + 24, width), nn.SiLU(), nn.Linear(width, width), Residual(width)
        )
        self.latents = nn.Parameter(torch.randn(latents, width) * 0.5)
        self.gather = nn.ModuleList(Attend(width, 4) for _ in range(rounds))
        self.think = nn.ModuleList(Attend(width, 4) for _ in range(rounds))
        self.spread = nn.ModuleList(Attend(width, 4) for _ in range(rounds))
        self.vote = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, len(NAMES) * 4))
        self.sure = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1)
        )
        self.looks = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, len(RIGS))
        )

    def forward(self, points: Tensor) -> tuple[Tensor, Tensor]:
        position = points[..., :3]
        waves = (position.unsqueeze(-1) * self.octaves).flatten(2)
        x = self.embed(torch.cat([points, torch.sin(waves), torch.cos(waves)], dim=-1))
        z = self.latents.unsqueeze(0) + torch.zeros_like(points[:, :1, :1])
        for gather, think, spread in zip(self.gather, self.think, self.spread, strict=True):
            z = think(gather(z, x), z)
            x = spread(x, z)
        votes = self.vote(x).unflatten(2, (len(NAMES), 4))
        weight = torch.softmax(votes[..., 3], dim=1)
        landmarks = (weight.unsqueeze(-1) * (position.unsqueeze(2) + votes[..., :3])).sum(dim=1)
        whole = z.mean(dim=1)
        return torch.cat(
            [landmarks.flatten(1), torch.softmax(self.looks(whole), dim=1)], dim=1
        ), torch.sigmoid(self.sure(whole))


def local_frames(landmarks: Tensor) -> tuple[Tensor, Tensor]:
    """Centres (B,N,3) and sizes (B,N,3) of the local frames of landmarks (B,L,3): eyes in units of
    their half width and half height, the mouth of its half width, brows of their half length, nose,
    chin and cheeks of fixed parts of the canonical unit.
    """

    def at(name: str) -> Tensor:
        return landmarks[:, AT[name]]

    def size(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
        return torch.stack([x, y, z], dim=-1).clamp(min=0.03)

    fixed = torch.full_like(landmarks[:, 0, 0], 0.4)
    centres, sizes = [], []
    mouth = (at("mouth_left") + at("mouth_right")) / 2
    for side in SIDES:
        inner, outer, upper, lower = (
            at(f"{n}_{side}") for n in ("eye_inner", "eye_outer", "lid_upper", "lid_lower")
        )
        wide, high = (outer - inner)[:, 0].abs() / 2, (upper - lower)[:, 1].abs() / 2
        centres.append(
            torch.stack(
                [(inner + outer)[:, 0] / 2, (upper + lower)[:, 1] / 2, (upper + lower)[:, 2] / 2],
                dim=-1,
            )
        )
        sizes.append(size(wide, high, wide))
        start, end = at(f"brow_inner_{side}"), at(f"brow_outer_{side}")
        long = (end - start)[:, 0].abs() / 2
        centres.append((start + end) / 2)
        sizes.append(size(long, fixed * 0.4, fixed * 0.4))
        centres.append((lower + at(f"mouth_{side}")) / 2)
        sizes.append(size(fixed, fixed, fixed))
    wide = (at("mouth_left") - at("mouth_right"))[:, 0].abs() / 2
    lips = (at("lip_upper") + at("lip_lower")) / 2
    for centre, extent in (
        (torch.stack([mouth[:, 0], lips[:, 1], lips[:, 2]], dim=-1), size(wide, wide, wide)),
        (at("nose_tip"), size(fixed, fixed, fixed)),
        (at("chin"), size(fixed, fixed, fixed)),
        (
            torch.stack([mouth[:, 0], mouth[:, 1], mouth[:, 2] - 0.8], dim=-1),
            size(fixed * 2, fixed * 2, fixed * 2),
        ),
    ):
        centres.append(centre)
        sizes.append(extent)
    return torch.stack(centres, dim=1), torch.stack(sizes, dim=1)


FRAMES = 10
FEATURES = FRAMES * 9 + 6 + 3 + 16 + 6 + 6 + 16
STYLE = 4


def _mouth_line(vertices: Tensor, landmarks: Tensor, slit: Tensor, sizes: Tensor) -> Tensor:
    """Height (B,V) of the line between the lips at each vertex: a parabola through the slit's
    middle (B,3) that ends between the corners.
    """
    left, right = landmarks[:, AT["mouth_left"]], landmarks[:, AT["mouth_right"]]
    bow = (((vertices[..., 0] - slit[:, None, 0]) / sizes[:, 6:7, 0]) ** 2).clamp(max=1.5)
    return slit[:, None, 1] * (1 - bow) + (left + right)[:, None, 1] / 2 * bow


def _face_sizes(landmarks: Tensor, slit: Tensor, sizes: Tensor) -> Tensor:
    """Sizes of eyes, brows and mouth, and how far the nose is before the slit's middle (B,3)."""
    nose = landmarks[:, AT["nose_tip"], 2:] - slit[:, 2:]
    return torch.cat([sizes[:, 0, :2], sizes[:, 3, :2], sizes[:, 6, :1], nose], dim=-1)


class Decoder(nn.Module):
    """vertices (B,V,3), normals (B,V,3), parts (B,V,6), lip_lid_side (B,V,2), opposite_edge
    (B,V,6), latent (B,3L or more) -> basis (B,V,K,3) in canonical units.

    Lid shapes are learnt in units of the eye's height, so that a bigger eye gets a longer way, and
    as shares of the way to the other lid, so that any outline closes; the rest in canonical units.
    A style per training rig carries how its artist exaggerates, so that the vertex's features need
    not.
    """

    def __init__(
        self, conditions: list[str], width: int = 256, blocks: int = 5, dropout: float = 0.05
    ) -> None:
        super().__init__()
        self.conditions = conditions
        self.styles = nn.Parameter(torch.randn(len(RIGS), STYLE) * 0.5)
        self.net = nn.Sequential(
            nn.Linear(FEATURES + STYLE, width),
            *(Residual(width, dropout) for _ in range(blocks)),
            nn.LayerNorm(width),
        )
        self.offsets = nn.Linear(width, 3 * len(conditions))
        closing = [i for i, c in enumerate(conditions) if c.startswith(CLOSING)]
        self.shares = nn.Linear(width, len(closing))
        nn.init.zeros_(self.shares.weight)
        nn.init.zeros_(self.shares.bias)
        spread = torch.zeros(len(closing), len(conditions))
        spread[torch.arange(len(closing)), torch.tensor(closing)] = 1
        self.register_buffer("spread", spread, persistent=False)
        self.register_buffer("steep", torch.tensor([4.0, 16.0, 60.0]), persistent=False)
        self.register_buffer(
            "left",
            torch.tensor([float(conditions[i].endswith("Left")) for i in closing]),
            persistent=False,
        )
        eye = [
            0 if c.startswith(LIDS) and c.endswith("Left") else 1 if c.startswith(LIDS) else 2
            for c in conditions
        ]
        self.register_buffer(
            "unit", nn.functional.one_hot(torch.tensor(eye), 3).float().T, persistent=False
        )

    def mean_style(self) -> Tensor:
        """Style (1,STYLE) between all rigs."""
        return self.styles.mean(dim=0, keepdim=True)

    def features(
        self,
        vertices: Tensor,
        normals: Tensor,
        parts: Tensor,
        lip_lid_side: Tensor,
        across: Tensor,
        landmarks: Tensor,
    ) -> Tensor:
        """What the net sees (B,V,FEATURES). across (B,V,6): `opposite_edge` in half widths of the
        mouth and in eye heights.
        """
        centres, sizes = local_frames(landmarks)
        smaller = 1 / sizes
        # one product: differences over axes of ten and three take longer
        product = (torch.eye(3, device=sizes.device)[None, :, None] * smaller[:, None]).flatten(2)
        local = (vertices @ product - (centres * smaller).flatten(1).unsqueeze(1)).unflatten(
            2, (FRAMES, 3)
        )
        seen = torch.cat(
            [torch.tanh(local * 2), torch.tanh(local), torch.tanh(local / 3)], dim=-1
        ).flatten(2)
        slit = (landmarks[:, AT["lip_upper"]] + landmarks[:, AT["lip_lower"]]) / 2
        above = (vertices[..., 1] - _mouth_line(vertices, landmarks, slit, sizes)).unsqueeze(-1)
        lid = torch.cat(
            [torch.sin(local[:, :, 0:4:3, 1] * 3), torch.sin(local[:, :, 6:7, 0] * 3)], dim=-1
        )
        extent = parts[..., 3:]
        small = torch.sigmoid(
            (SMALL - 2 * extent.amax(dim=-1, keepdim=True)) * 12
        )  # the box of a whole skin says who made it, nothing else
        box = (parts[..., None, :3] - centres[:, None, 0:9:3]) / 0.5  # both eyes and the mouth
        long = torch.stack([across[..., :3].norm(dim=-1), across[..., 3:].norm(dim=-1)], dim=-1)
        return torch.cat(
            [
                seen,
                torch.tanh(across),
                torch.tanh(across * 4),
                torch.tanh(long),
                torch.tanh(long * 4),
                torch.tanh(above * self.steep),
                lid,
                normals,
                lip_lid_side,
                torch.tanh(lip_lid_side * 8),
                (lip_lid_side != 0).float(),
                small,
                small * torch.tanh(box).flatten(2),
                small * torch.tanh((vertices - parts[..., :3]) / 0.3),
                small * torch.tanh(extent / 0.2),
                _face_sizes(landmarks, slit, sizes).unsqueeze(1)
                + torch.zeros_like(vertices[..., :1]),
            ],
            dim=-1,
        )

    def forward(
        self,
        vertices: Tensor,
        normals: Tensor,
        parts: Tensor,
        lip_lid_side: Tensor,
        opposite_edge: Tensor,
        latent: Tensor,
        style: Tensor | None = None,
    ) -> Tensor:
        x, share, way, unit = self.hidden(
            vertices, normals, parts, lip_lid_side, opposite_edge, latent, style
        )
        lids = (share @ self.spread).unsqueeze(-1) * way.unsqueeze(2)
        return self.offsets(x).unflatten(2, (-1, 3)) * unit[:, None, :, None] + lids

    def hidden(
        self,
        vertices: Tensor,
        normals: Tensor,
        parts: Tensor,
        lip_lid_side: Tensor,
        opposite_edge: Tensor,
        latent: Tensor,
        style: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What the basis is mixed from: the last layer's input (B,V,W), shares (B,V,C) of the way
        to the other lid, those offsets (B,V,3), and the conditions' units (B,K).
        """
        landmarks = latent[:, : 3 * len(NAMES)].unflatten(1, (len(NAMES), 3))
        high = [
            (landmarks[:, AT[f"lid_upper_{s}"]] - landmarks[:, AT[f"lid_lower_{s}"]])
            .norm(dim=-1)
            .clamp(min=0.06)
            for s in SIDES
        ]
        unit = torch.stack([*high, torch.full_like(high[0], 0.3)], dim=-1) @ self.unit
        style = self.mean_style() if style is None else style
        left = (
            vertices[..., :1] >= landmarks[:, None, AT["nose_tip"], :1]
        ).float()  # the side whose eye is nearer
        height = left * high[0][:, None, None] + (1 - left) * high[1][:, None, None]
        wide = (
            (landmarks[:, AT["mouth_left"]] - landmarks[:, AT["mouth_right"]])[:, 0].abs() / 2
        ).clamp(min=0.06)[:, None, None]
        across = torch.cat(
            [opposite_edge[..., :3] / wide, opposite_edge[..., 3:] / height], dim=-1
        ).clamp(-FARTHEST, FARTHEST)
        x = self.features(vertices, normals, parts, lip_lid_side, across, landmarks)
        x = torch.cat([x, style.unsqueeze(1) + torch.zeros_like(vertices[..., :1])], dim=-1)
        x = self.net(x)
        mine = left * self.left + (1 - left) * (1 - self.left)
        return x, self.shares(x) * mine, across[..., 3:] * height, unit
