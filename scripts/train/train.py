# SPDX-License-Identifier: GPL-3.0-or-later
"""Train the encoder or the decoder: resumable, seeded, on the CPU or a GPU, with its curve in a
log.

python -m scripts.train.train decoder --data FOLDER --out RUNS --minutes 60
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from backend.atomic import temporary_beside
from backend.face.geometry.landmarks import NAMES

from . import sources
from .batches import Batch, DecoderBatches, EncoderBatches, batches
from .heads import Head, canonical
from .net import Decoder, Encoder

# how much worse it is to overlook a face than to see one where there is none: the search looks at
# many frames
MISSED = 2.0
LOOK = 0.03  # how much it counts whose head it is
# share of each step in the running mean of the weights, which is what is exported (Polyak and
# Juditsky 1992)
SMOOTHING = 0.003
WEIGHT_DECAY = 1e-4
OUTER = (
    "styles",
    "offsets",
    "shares",
    "latents",
    "vote",
    "sure",
)  # parameters that are no hidden layer's, by the start of their names
WATCHED = (
    50  # steps between lines of the curve; as often processes beside a GPU get the encoder as it is
)


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
    processes: int


def decoder_loss(net: Decoder, batch: Batch, mixed: bool) -> Tensor:
    """Mean Charbonnier distance, each shape in units of its own size on its rig, so that subtle
    shapes and subtle rigs count alike.
    """
    style = net.mean_style().lerp(net.styles[batch["rig"]], batch["own"][:, None])
    with torch.autocast(style.device.type, torch.bfloat16, enabled=mixed):
        basis = net(
            *(
                batch[n]
                for n in (
                    "vertices",
                    "normals",
                    "parts",
                    "lip_lid_side",
                    "opposite_edge",
                    "landmarks",
                )
            ),
            style,
        ).float()
    error = ((basis - batch["targets"]) / batch["scales"][:, None, :, None]).square().sum(-1)
    per_shape = ((error + 0.01).sqrt() - 0.1).mean(1) + 0.5 * error.mean(1)
    known = batch["known"]
    loss = (per_shape * known).sum() / known.sum().clamp(min=1)
    mixed_up, scale = batch["mix_scale"] > 0, batch["mix_scale"].clamp(min=1e-6)[:, None, None]
    got = torch.einsum("bvkc,bk->bvc", basis, batch["mix_weights"])
    error = ((got - batch["mix_offsets"]) / scale).square().sum(-1)
    per_mix = (((error + 0.01).sqrt() - 0.1) + 0.5 * error).mean(1)
    return loss + 0.2 * (per_mix * mixed_up).sum() / mixed_up.sum().clamp(min=1)


def encoder_loss(net: Encoder, batch: Batch, mixed: bool) -> Tensor:
    """Distance of the landmarks where the frame is not far off, the cross-entropy of the
    confidence, and of whose head it is.
    """
    points, wanted, face, rigs = (batch[n] for n in ("points", "landmarks", "face", "rig"))
    with torch.autocast(points.device.type, torch.bfloat16, enabled=mixed):
        latent, sure = (t.float() for t in net(points))
    far = (
        (latent[:, : 3 * len(NAMES)].unflatten(1, (len(NAMES), 3)) - wanted)
        .square()
        .sum(-1)
        .add(1e-5)
        .sqrt()
        .mean(1)
    )
    seen, asked = (face == 1).float(), (face >= 0).float()
    weigh = torch.where(face == 1, MISSED, 1.0)
    doubt = nn.functional.binary_cross_entropy(
        sure[:, 0].clamp(1e-5, 1 - 1e-5), face.clamp(min=0), weigh, reduction="none"
    )
    look = nn.functional.nll_loss(
        latent[:, 3 * len(NAMES) :].clamp(min=1e-6).log(), rigs.clamp(min=0), reduction="none"
    )
    means = [
        (value * where).sum() / where.sum().clamp(min=1)
        for value, where in ((far, seen), (doubt, asked), (look, seen))
    ]
    return means[0] + 0.2 * means[1] + LOOK * means[2]


def heads_of(settings: Settings, conditions: list[str]) -> list[Head]:
    return [canonical(rig, conditions) for rig in sources.load(settings.data, settings.leave_out)]


def optimisers(net: nn.Module, rate: float) -> list[torch.optim.Optimizer]:
    """Muon (Jordan 2024) for the hidden layers' matrices, AdamW for the rest: on the decoder it
    learns in a minute what AdamW does in ten.
    """
    hidden = [p for n, p in net.named_parameters() if p.ndim == 2 and not n.startswith(OUTER)]
    rest = [p for n, p in net.named_parameters() if p.ndim != 2 or n.startswith(OUTER)]
    muon = torch.optim.Muon(
        hidden, lr=rate, weight_decay=WEIGHT_DECAY, adjust_lr_fn="match_rms_adamw"
    )
    return [muon, torch.optim.AdamW(rest, lr=rate, weight_decay=WEIGHT_DECAY)]


def train(kind: str, settings: Settings) -> None:
    """Train until the minutes are over; RUNS/KIND.pt holds everything needed to go on,
    RUNS/KIND.jsonl the curve.
    """
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
    heads = heads_of(settings, conditions)
    beside = (
        copy.deepcopy(net).cpu().share_memory() if settings.processes else net
    )  # what other processes look for traps with
    if isinstance(beside, Encoder):
        shown = batches(
            EncoderBatches(heads, beside, settings.batch, settings.mixed),
            settings.processes,
            settings.seed + done,
        )
    else:
        shown = batches(
            DecoderBatches(heads, conditions, settings.batch),
            settings.processes,
            settings.seed + done,
        )
    settings.out.mkdir(parents=True, exist_ok=True)
    total, start = settings.minutes * 60, time.monotonic()
    losses = torch.zeros(WATCHED, device=device)
    saved = start

    def save() -> None:
        state: dict[str, object] = {
            "net": net.state_dict(),
            "mean": mean,
            "optimisers": [o.state_dict() for o in best],
        }
        state |= {"step": done, "seconds": spent + time.monotonic() - start}
        temporary = temporary_beside(file)
        torch.save(state, temporary)
        temporary.replace(file)

    while (passed := spent + time.monotonic() - start) < total:
        warm = min(1.0, (done + 1) / 200)
        for group in (g for optimiser in best for g in optimiser.param_groups):
            group["lr"] = float(
                settings.rate * warm * (0.5 + 0.5 * np.cos(np.pi * min(passed / total, 1))) + 1e-6
            )
        batch = {name: tensor.to(device, non_blocking=True) for name, tensor in next(shown).items()}
        loss = (
            decoder_loss(net, batch, settings.mixed)
            if isinstance(net, Decoder)
            else encoder_loss(net, batch, settings.mixed)
        )
        net.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        for optimiser in best:
            optimiser.step()
        losses[done % WATCHED] = loss.detach()
        done += 1
        torch._foreach_lerp_(
            list(mean.values()), list(net.state_dict().values()), max(SMOOTHING, 1 / done)
        )
        if done % WATCHED == 0:
            with (settings.out / f"{kind}.jsonl").open("a", encoding="utf-8") as log:
                log.write(
                    json.dumps(
                        {
                            "step": done,
                            "seconds": round(passed),
                            "loss": round(float(losses.mean()), 5),
                        }
                    )
                    + "\n"
                )
            if beside is not net:
                beside.load_state_dict(net.state_dict())
        if time.monotonic() - saved > 60:
            save()
            saved = time.monotonic()
    save()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=("encoder", "decoder"))
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and avatars/")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and curves")
    parser.add_argument(
        "--minutes",
        type=float,
        default=60,
        help="length of the whole schedule, earlier runs counted in",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--leave-out", default="", help="rigs to keep out, with commas")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument(
        "--mixed",
        action="store_true",
        help="bfloat16 where it is safe: several times faster on GPUs and on CPUs with AMX",
    )
    parser.add_argument(
        "--processes",
        type=int,
        default=0,
        help="processes that draw the batches beside this one; a GPU needs several to be busy",
    )
    a = parser.parse_args()
    kept_out = frozenset(a.leave_out.split(",")) - {""}
    train(
        a.kind,
        Settings(
            data=a.data,
            out=a.out,
            minutes=a.minutes,
            seed=a.seed,
            threads=a.threads,
            leave_out=kept_out,
            rate=a.rate,
            batch=a.batch,
            mixed=a.mixed,
            processes=a.processes,
        ),
    )


if __name__ == "__main__":
    main()
