# SPDX-License-Identifier: GPL-3.0-or-later
"""What the networks are shown: endless batches of variants, drawn here or in processes of their own
beside a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from backend.face.geometry.frame import Frame, frame_of_landmarks
from backend.face.geometry.landmarks import NAMES
from backend.face.locate.points import crop
from backend.face.params.locate import CROP

from ..samples.modelled import modelled
from ..samples.rig import Floats
from .crops import (
    Crop,
    Scene,
    dressing_of,
    faceless_scene,
    misses,
    modelled_scene,
    random_crop,
    random_scene,
    wandering_frame,
)
from .decoder_samples import DecoderSample, decoder_sample
from .heads import Head, canonical
from .net import CARTOON, RIGS, UNSURE, Encoder

Batch = dict[str, Tensor]

SHARE = {
    "ict": 0.16,
    "makehuman": 0.16,
    "vitruvian": 0.10,
    "gene": 0.11,
    "uka": 0.11,
    "godette": 0.06,
    "jeeliz_boy": 0.05,
    "jeeliz_kangaroo": 0.05,
    "jeeliz_lama": 0.05,
    "jeeliz_turtle": 0.05,
    "pm_bizdude": 0.05,
    "pm_crimsom": 0.05,
}
MODELLED = 0.5  # share of the decoder's variants that are of heads modelled by the project
MODELS, REMODELLED = (
    64,
    0.15,
)  # of these, how many are kept, and how often a new one takes an old one's place
MODELLED_SCENES = 0.65  # share of the encoder's scenes that show a head modelled by the project
FACELESS = 0.10  # share that shows no face at all
MINED = 0.3  # share of the batches that look for new traps
TRAPS = 400  # frames kept that were taken for a face
DRAWN = 2048  # vertices drawn of a variant
VERTICES = (
    128  # of these, in one batch: many small batches of many heads teach more than few large ones
)
# half the share of samples in the mean style, which heads of nobody known get; 1 - PLAIN: half of
# those in their rig's; else between
PLAIN = 0.7
POOL = 640  # variants kept; each is used several times before it is replaced
RENEWED = 0.5  # variants replaced per batch
AHEAD = 4  # batches that each process has ready


def _drawing() -> tuple[np.random.Generator, int]:
    """The random numbers of this process, and how many processes draw."""
    worker = get_worker_info()
    return np.random.default_rng(torch.initial_seed()), worker.num_workers if worker else 1


def _chooser(heads: list[Head]) -> tuple[list[Head], Floats]:
    share = np.array([SHARE[h.name] for h in heads]) / sum(SHARE[h.name] for h in heads)
    return heads, share


def _stack(arrays: Sequence[NDArray[Any]]) -> Tensor:
    return torch.from_numpy(np.stack(arrays)).float()


def decoder_batch(samples: list[DecoderSample], rng: np.random.Generator) -> Batch:
    """VERTICES of each sample. Landmarks are jittered as the encoder errs, so the decoder learns to
    live with them; style: the rig whose style a sample gets, and own how much of it, the rest is
    the mean style;
    targets (B,V,K,3).
    """
    some = [rng.integers(len(s.vertices), size=VERTICES) for s in samples]
    batch = {
        name: _stack([getattr(s, name)[i] for s, i in zip(samples, some, strict=True)])
        for name in ("vertices", "normals", "parts", "lip_lid_side", "opposite_edge", "mix_offsets")
    }
    batch |= {
        name: _stack([getattr(s, name) for s in samples])
        for name in ("known", "scales", "mix_weights")
    }
    lent = np.array([s.rig in CARTOON for s in samples])
    own = np.clip(rng.uniform(-PLAIN, 2 - PLAIN, len(samples)), 0, 1)
    jitter = [
        s.landmarks + rng.normal(0, rng.choice([0.0, 0.01, 0.025, 0.04]), s.landmarks.shape)
        for s in samples
    ]
    return batch | {
        "landmarks": _stack(jitter).flatten(1),
        "rig": torch.tensor([RIGS.index(s.rig) for s in samples]),
        "style": torch.tensor(
            [RIGS.index(UNSURE if c else s.rig) for s, c in zip(samples, lent, strict=True)]
        ),
        "own": torch.tensor(np.where(lent, 1, own)).float(),
        "targets": _stack([s.targets[:, i] for s, i in zip(samples, some, strict=True)])
        .transpose(1, 2)
        .contiguous(),
        "mix_scale": torch.tensor([s.mix_scale for s in samples]).float(),
    }


class DecoderBatches(IterableDataset[Batch]):
    """Batches of variants of the heads and of heads modelled by the project."""

    def __init__(
        self, heads: list[Head], conditions: list[str], size: int, renewed: float = RENEWED
    ) -> None:
        self.heads, self.conditions, self.size, self.renewed = heads, conditions, size, renewed

    def __iter__(self) -> Iterator[Batch]:
        rng, processes = _drawing()
        heads, share = _chooser(self.heads)
        pool: list[DecoderSample] = []
        models: list[Head] = []

        def model() -> Head:
            if len(models) < MODELS:
                models.append(canonical(modelled(rng), self.conditions))
                return models[-1]
            chosen = int(rng.integers(MODELS))
            if rng.random() < REMODELLED:
                models[chosen] = canonical(modelled(rng), self.conditions)
            return models[chosen]

        full = POOL // processes
        while True:
            for _ in range(int(rng.random() < self.renewed) if len(pool) >= full else 4):
                head = (
                    model() if rng.random() < MODELLED else heads[rng.choice(len(heads), p=share)]
                )
                sample = decoder_sample(head, self.conditions, DRAWN, rng)
                if len(pool) < full:
                    pool.append(sample)
                else:
                    pool[rng.integers(full)] = sample
            yield decoder_batch([pool[i] for i in rng.integers(len(pool), size=self.size)], rng)


def mined_frames(net: Encoder, scene: Scene, rng: np.random.Generator, mixed: bool) -> list[Frame]:
    """Frames that show no face though the search would take them for one: where the surest of many
    wanderings end.
    """
    frames = [wandering_frame(scene, rng) for _ in range(40)]
    device = net.latents.device
    for _ in range(3):
        points = [crop(scene.cloud, f, CROP.coarse_count) for f in frames]
        seen = [
            (f, p[np.arange(CROP.coarse_count) % len(p)])
            for f, p in zip(frames, points, strict=True)
            if len(p) >= 24
        ]
        if not seen:
            return []
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=mixed):
            latent, sure = net(_stack([p for _f, p in seen]).to(device))
        best = torch.argsort(-sure[:, 0].float())[:4].tolist()
        landmarks = latent[:, : 3 * len(NAMES)].float().cpu().numpy().reshape(len(seen), -1, 3)
        frames = [
            frame_of_landmarks(dict(zip(NAMES, seen[i][0].to_object(landmarks[i]), strict=True)))
            for i in best
        ]
        frames = [
            Frame(
                f.origin,
                f.rotation,
                float(np.clip(f.scale, seen[i][0].scale / 2.5, seen[i][0].scale * 2.5)),
            )
            for f, i in zip(frames, best, strict=True)
        ]
    return [
        f for f in frames if misses(scene, f) and len(crop(scene.cloud, f, CROP.coarse_count)) >= 24
    ]


def encoder_batch(crops: list[Crop]) -> Batch:
    return {
        "points": _stack([c.points for c in crops]),
        "landmarks": _stack([c.landmarks for c in crops]),
        "face": torch.tensor([c.face for c in crops]),
        "rig": torch.tensor([c.rig for c in crops]),
    }


class EncoderBatches(IterableDataset[Batch]):
    """Crops of scenes with and without a face, a quarter of them frames that `net`, the encoder as
    it is or was a little while ago, took for one.
    """

    def __init__(
        self, heads: list[Head], net: Encoder, size: int, mixed: bool, renewed: float = RENEWED
    ) -> None:
        self.heads, self.net, self.size, self.mixed = heads, net, size, mixed
        self.renewed = renewed

    def __iter__(self) -> Iterator[Batch]:
        rng, processes = _drawing()
        heads, share = _chooser(self.heads)
        dressing = [c for h in heads if h.whole_avatar for c in dressing_of(h)]
        pool: list[Scene] = []
        traps: list[tuple[Scene, Frame]] = []
        full = POOL // processes
        while True:
            for _ in range(int(rng.random() < self.renewed) if len(pool) >= full else 4):
                kind = rng.random()
                if kind < MODELLED_SCENES:
                    scene = modelled_scene(rng)
                elif kind < MODELLED_SCENES + FACELESS:
                    scene = faceless_scene(dressing, rng)
                else:
                    scene = random_scene(heads[rng.choice(len(heads), p=share)], dressing, rng)
                if len(pool) < full:
                    pool.append(scene)
                else:
                    pool[rng.integers(full)] = scene
            count = CROP.count if rng.random() < 0.6 else CROP.coarse_count
            if rng.random() < MINED:
                scene = pool[rng.integers(len(pool))]
                traps.extend((scene, f) for f in mined_frames(self.net, scene, rng, self.mixed))
                del traps[: max(0, len(traps) - TRAPS // processes)]
            from_traps = self.size // 4 if traps else 0
            crops = [
                random_crop(pool[i], rng, count)
                for i in rng.integers(len(pool), size=self.size - from_traps)
            ]
            crops += [
                random_crop(traps[i][0], rng, count, traps[i][1])
                for i in rng.integers(len(traps), size=from_traps)
            ]
            yield encoder_batch(crops)


def batches(dataset: IterableDataset[Batch], processes: int, seed: int) -> Iterator[Batch]:
    """The dataset's batches, drawn by so many processes besides this one; 0: by this one."""
    torch.manual_seed(seed)
    if not processes:
        return iter(dataset)
    loader = DataLoader(
        dataset,
        batch_size=None,
        num_workers=processes,
        prefetch_factor=AHEAD,
        multiprocessing_context="spawn",
        pin_memory=True,
    )
    return iter(loader)
