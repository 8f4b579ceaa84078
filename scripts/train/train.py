# SPDX-License-Identifier: GPL-3.0-or-later
"""Train the encoder or the decoder: resumable, seeded, on the CPU or a GPU, with its curve in a log.

python -m scripts.train.train decoder --data FOLDER --out RUNS --minutes 60
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from backend.face.frame import Frame, frame_of_landmarks
from backend.face.landmarks import NAMES
from backend.face.points import COARSE_COUNT, COUNT, crop

from . import sources
from .crops import Crop, Scene, dressing_of, faceless_scene, misses, modelled_scene, random_crop, random_scene, wandering_frame
from .heads import DecoderSample, Head, canonical, decoder_sample
from .modelled import modelled
from .net import RIGS, Decoder, Encoder

SHARE = {"ict": 0.22, "makehuman": 0.22, "vitruvian": 0.14, "gene": 0.16, "uka": 0.16, "godette": 0.10}
MODELLED = 0.5  # share of the decoder's variants that are of heads modelled by the project
MODELS, REMODELLED = 64, 0.15  # of these, how many are kept, and how often a new one takes an old one's place
MODELLED_SCENES = 0.65  # share of the encoder's scenes that show a head modelled by the project
FACELESS = 0.10  # share that shows no face at all
MISSED = 2.0  # how much worse it is to overlook a face than to see one where there is none: the search looks at many frames
LOOK = 0.03  # how much it counts whose head it is
MINED = 0.3  # share of the steps that look for new traps
TRAPS = 400  # frames kept that were taken for a face
DRAWN = 2048  # vertices drawn of a variant
VERTICES = 128  # of these, in one batch: many small batches of many heads teach more than few large ones
PLAIN = 0.7  # half the share of samples in the mean style, which heads of nobody known get; 1 - PLAIN: half of those in their rig's; else between
POOL = 640  # variants kept; each is used several times before it is replaced
SMOOTHING = 0.003  # share of each step in the running mean of the weights, which is what is exported (Polyak and Juditsky 1992)
WEIGHT_DECAY = 1e-4
OUTER = ("styles", "offsets", "shares", "latents", "vote", "sure")  # parameters that are no hidden layer's, by the start of their names
RENEWED = 0.5  # variants replaced per step


@dataclass(frozen=True)
class Settings:
    data: Path
    out: Path
    minutes: float
    seed: int
    threads: int
    leave_out: frozenset[str]
    rate: float
    batch: int
    mixed: bool


def batch_of(arrays: list[np.ndarray], device: str) -> Tensor:
    return torch.from_numpy(np.stack(arrays)).float().to(device)


def decoder_loss(net: Decoder, samples: list[DecoderSample], rng: np.random.Generator, device: str, mixed: bool) -> Tensor:
    """Mean Charbonnier distance, each shape in units of its own size on its rig, so that subtle shapes and subtle rigs count alike.

    Landmarks are jittered as the encoder errs, so the decoder learns to live with them.
    """
    jitter = [s.landmarks + rng.normal(0, rng.choice([0.0, 0.01, 0.025, 0.04]), s.landmarks.shape) for s in samples]
    known_styles = torch.tensor([RIGS.index(s.rig) for s in samples], device=device)
    own = torch.tensor(np.clip(rng.uniform(-PLAIN, 2 - PLAIN, len(samples)), 0, 1), device=device).float()[:, None]
    style = net.mean_style().lerp(net.styles[known_styles], own)
    some = [rng.integers(len(s.vertices), size=VERTICES) for s in samples]

    def drawn(name: str) -> Tensor:
        return batch_of([getattr(s, name)[i] for s, i in zip(samples, some, strict=True)], device)

    with torch.autocast(device, torch.bfloat16, enabled=mixed):
        basis = net(
            drawn("vertices"), drawn("normals"), drawn("parts"), drawn("sides"), drawn("ways"), batch_of(jitter, device).flatten(1), style
        ).float()
    targets = batch_of([s.targets[:, i] for s, i in zip(samples, some, strict=True)], device).transpose(1, 2)
    scales, known = batch_of([s.scales for s in samples], device), batch_of([s.known for s in samples], device)
    error = ((basis - targets) / scales[:, None, :, None]).square().sum(-1)
    per_shape = ((error + 0.01).sqrt() - 0.1).mean(1) + 0.5 * error.mean(1)
    loss = (per_shape * known).sum() / known.sum().clamp(min=1)
    mixes = [i for i, s in enumerate(samples) if s.mix_scale > 0]
    if mixes:
        weights = batch_of([samples[i].mix_weights for i in mixes], device)
        wanted = batch_of([samples[i].mix_offsets[some[i]] / samples[i].mix_scale for i in mixes], device)
        scale = torch.tensor([samples[i].mix_scale for i in mixes], device=device).float()
        got = torch.einsum("bvkc,bk->bvc", basis[mixes], weights) / scale[:, None, None]
        error = (got - wanted).square().sum(-1)
        loss = loss + 0.2 * (((error + 0.01).sqrt() - 0.1) + 0.5 * error).mean()
    return loss


def encoder_loss(net: Encoder, crops: list[Crop], device: str, mixed: bool) -> tuple[Tensor, float]:
    """Distance of the landmarks where the frame is not far off, and the cross-entropy of the confidence."""
    with torch.autocast(device, torch.bfloat16, enabled=mixed):
        latent, sure = (t.float() for t in net(batch_of([c.points for c in crops], device)))
    wanted = batch_of([c.landmarks for c in crops], device)
    face = torch.tensor([c.face for c in crops], device=device)
    far = (latent[:, : 3 * len(NAMES)].unflatten(1, (len(NAMES), 3)) - wanted).square().sum(-1).add(1e-5).sqrt().mean(1)
    seen = (face == 1).float()
    asked = face >= 0
    weigh = torch.where(face[asked] == 1, MISSED, 1.0)
    doubt = nn.functional.binary_cross_entropy(sure[asked, 0].clamp(1e-5, 1 - 1e-5), face[asked].float(), weigh)
    loss = (far * seen).sum() / seen.sum().clamp(min=1)
    rigs = torch.tensor([c.rig for c in crops], device=device)
    look = nn.functional.nll_loss(latent[face == 1, 3 * len(NAMES) :].clamp(min=1e-6).log(), rigs[face == 1]) if seen.any() else 0.0
    return loss + 0.2 * doubt + LOOK * look, float(doubt.detach())


def mined_frames(net: Encoder, scene: Scene, rng: np.random.Generator, device: str, mixed: bool) -> list[Frame]:
    """Frames that show no face though the search would take them for one: where the surest of many wanderings end."""
    frames = [wandering_frame(scene, rng) for _ in range(40)]
    for _ in range(3):
        points = [crop(scene.cloud, f, COARSE_COUNT) for f in frames]
        seen = [(f, p[np.arange(COARSE_COUNT) % len(p)]) for f, p in zip(frames, points, strict=True) if len(p) >= 24]
        if not seen:
            return []
        with torch.no_grad(), torch.autocast(device, torch.bfloat16, enabled=mixed):
            latent, sure = net(batch_of([p for _f, p in seen], device))
        best = torch.argsort(-sure[:, 0].float())[:4].tolist()
        landmarks = latent[:, : 3 * len(NAMES)].float().cpu().numpy().reshape(len(seen), -1, 3)
        frames = [frame_of_landmarks(dict(zip(NAMES, seen[i][0].to_object(landmarks[i]), strict=True))) for i in best]
        frames = [
            Frame(f.origin, f.rotation, float(np.clip(f.scale, seen[i][0].scale / 2.5, seen[i][0].scale * 2.5)))
            for f, i in zip(frames, best, strict=True)
        ]
    return [f for f in frames if misses(scene, f) and len(crop(scene.cloud, f, COARSE_COUNT)) >= 24]


def heads_of(settings: Settings, conditions: list[str]) -> list[Head]:
    return [canonical(rig, conditions) for rig in sources.load(settings.data, settings.leave_out)]


def decoder_step(settings: Settings, heads: list[Head], net: Decoder, rng: np.random.Generator, device: str) -> Callable[[], tuple[Tensor, float]]:
    share = np.array([SHARE[h.name] for h in heads]) / sum(SHARE[h.name] for h in heads)
    pool: list[DecoderSample] = []
    models: list[Head] = []

    def model() -> Head:
        if len(models) < MODELS:
            models.append(canonical(modelled(rng), net.conditions))
            return models[-1]
        chosen = int(rng.integers(MODELS))
        if rng.random() < REMODELLED:
            models[chosen] = canonical(modelled(rng), net.conditions)
        return models[chosen]

    def step() -> tuple[Tensor, float]:
        for _ in range(int(rng.random() < RENEWED) if len(pool) >= POOL else 4):
            head = model() if rng.random() < MODELLED else heads[rng.choice(len(heads), p=share)]
            sample = decoder_sample(head, net.conditions, DRAWN, rng)
            if len(pool) < POOL:
                pool.append(sample)
            else:
                pool[rng.integers(POOL)] = sample
        chosen = [pool[i] for i in rng.integers(len(pool), size=settings.batch)]
        return decoder_loss(net, chosen, rng, device, settings.mixed), 0.0

    return step


def encoder_step(settings: Settings, heads: list[Head], net: Encoder, rng: np.random.Generator, device: str) -> Callable[[], tuple[Tensor, float]]:
    share = np.array([SHARE[h.name] for h in heads]) / sum(SHARE[h.name] for h in heads)
    dressing = [c for h in heads if h.whole_avatar for c in dressing_of(h)]
    pool: list[Scene] = []
    traps: list[tuple[Scene, Frame]] = []

    def step() -> tuple[Tensor, float]:
        for _ in range(int(rng.random() < RENEWED) if len(pool) >= POOL else 4):
            kind = rng.random()
            if kind < MODELLED_SCENES:
                scene = modelled_scene(rng)
            elif kind < MODELLED_SCENES + FACELESS:
                scene = faceless_scene(dressing, rng)
            else:
                scene = random_scene(heads[rng.choice(len(heads), p=share)], dressing, rng)
            if len(pool) < POOL:
                pool.append(scene)
            else:
                pool[rng.integers(POOL)] = scene
        count = COUNT if rng.random() < 0.6 else COARSE_COUNT
        if rng.random() < MINED:
            traps.extend((scene, f) for scene in [pool[rng.integers(len(pool))]] for f in mined_frames(net, scene, rng, device, settings.mixed))
            del traps[: max(0, len(traps) - TRAPS)]
        from_traps = settings.batch // 4 if traps else 0
        crops = [random_crop(pool[i], rng, count) for i in rng.integers(len(pool), size=settings.batch - from_traps)]
        crops += [random_crop(traps[i][0], rng, count, traps[i][1]) for i in rng.integers(len(traps), size=from_traps)]
        return encoder_loss(net, crops, device, settings.mixed)

    return step


def optimisers(net: nn.Module, rate: float) -> list[torch.optim.Optimizer]:
    """Muon (Jordan 2024) for the hidden layers' matrices, AdamW for the rest: on the decoder it learns in a minute what AdamW does in ten."""
    hidden = [p for n, p in net.named_parameters() if p.ndim == 2 and not n.startswith(OUTER)]
    rest = [p for n, p in net.named_parameters() if p.ndim != 2 or n.startswith(OUTER)]
    muon = torch.optim.Muon(hidden, lr=rate, weight_decay=WEIGHT_DECAY, adjust_lr_fn="match_rms_adamw")
    return [muon, torch.optim.AdamW(rest, lr=rate, weight_decay=WEIGHT_DECAY)]


def train(kind: str, settings: Settings) -> None:
    """Train until the minutes are over; RUNS/KIND.pt holds everything needed to go on, RUNS/KIND.jsonl the curve."""
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    conditions = sources.arkit_names()
    net = (Decoder(conditions) if kind == "decoder" else Encoder()).to(device)
    best = optimisers(net, settings.rate)
    file = settings.out / f"{kind}.pt"
    done, spent = 0, 0.0
    mean = {name: value.detach().clone() for name, value in net.state_dict().items()}
    if file.exists():
        state = torch.load(file, map_location=device, weights_only=True)
        net.load_state_dict(state["net"])
        for optimiser, kept in zip(best, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        done, spent, mean = state["step"], state["seconds"], state["mean"]
    rng = np.random.default_rng([settings.seed, done])
    heads = heads_of(settings, conditions)
    step = decoder_step(settings, heads, net, rng, device) if isinstance(net, Decoder) else encoder_step(settings, heads, net, rng, device)
    settings.out.mkdir(parents=True, exist_ok=True)
    total, start, losses = settings.minutes * 60, time.monotonic(), []
    saved = start

    def save() -> None:
        state: dict[str, object] = {"net": net.state_dict(), "mean": mean, "optimisers": [o.state_dict() for o in best]}
        state |= {"step": done, "seconds": spent + time.monotonic() - start}
        torch.save(state, file.with_suffix(".part"))
        file.with_suffix(".part").replace(file)

    while (passed := spent + time.monotonic() - start) < total:
        warm = min(1.0, (done + 1) / 200)
        for group in (g for optimiser in best for g in optimiser.param_groups):
            group["lr"] = float(settings.rate * warm * (0.5 + 0.5 * np.cos(np.pi * min(passed / total, 1))) + 1e-6)
        loss, doubt = step()
        net.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        for optimiser in best:
            optimiser.step()
        done += 1
        share = max(SMOOTHING, 1 / done)
        for name, value in net.state_dict().items():
            mean[name].lerp_(value, share)
        losses.append((float(loss.detach()), doubt))
        if done % 50 == 0:
            loss_mean, doubt_mean = np.mean(losses, axis=0)
            losses = []
            with (settings.out / f"{kind}.jsonl").open("a", encoding="utf-8") as log:
                row = {"step": done, "seconds": round(passed), "loss": round(float(loss_mean), 5), "doubt": round(float(doubt_mean), 5)}
                log.write(json.dumps(row) + "\n")
        if time.monotonic() - saved > 60:
            save()
            saved = time.monotonic()
    save()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("encoder", "decoder"))
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and avatars/")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and curves")
    parser.add_argument("--minutes", type=float, default=60, help="length of the whole schedule, earlier runs counted in")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--leave-out", default="", help="rigs to keep out, with commas")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--mixed", action="store_true", help="bfloat16 where it is safe: several times faster on GPUs and on CPUs with AMX")
    a = parser.parse_args()
    train(a.kind, Settings(a.data, a.out, a.minutes, a.seed, a.threads, frozenset(a.leave_out.split(",")) - {""}, a.rate, a.batch, a.mixed))


if __name__ == "__main__":
    main()
