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
from .batches import RENEWED, Batch, DecoderBatches, EncoderBatches, batches
from .heads import Head, canonical
from .keeping import LOOK, change_of_decoder, change_of_encoder, frozen
from .net import Decoder, Encoder
from .weights import SHIPPED, begin

# how much worse it is to overlook a face than to see one where there is none: the search looks at
# many frames
MISSED = 2.0
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
# steps between lines of the curve; as often processes beside a GPU get the encoder as it is
WATCHED = 50
# what the decoder sees of a batch, in the order of its inputs
SEEN = ("vertices", "normals", "parts", "lip_lid_side", "opposite_edge", "landmarks")


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
    begin: Path | None
    keep: float
    renewed: float


def decoder_loss(net: Decoder, batch: Batch, mixed: bool) -> Tensor:
    """Mean Charbonnier distance, each shape in units of its own size on its rig, so that subtle
    shapes and subtle rigs count alike.
    """
    style = net.mean_style().lerp(net.styles[batch["style"]], batch["own"][:, None])
    with torch.autocast(style.device.type, torch.bfloat16, enabled=mixed):
        basis = net(*(batch[name] for name in SEEN), style).float()
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


class _Run:
    """A network that learns, with all that RUNS/KIND.pt holds to go on from.

    Args:
        kind: encoder or decoder
        settings: what was asked for
        conditions: the decoder's, in its order
        device: cpu or cuda
    """

    def __init__(self, kind: str, settings: Settings, conditions: list[str], device: str) -> None:
        self.kind, self.settings, self.device = kind, settings, device
        net: Encoder | Decoder = Decoder(conditions) if kind == "decoder" else Encoder()
        self.old: Encoder | Decoder | None = None
        self.known = 0
        if settings.begin is not None:
            self.known = begin(net, settings.begin)
            self.old = frozen(net).to(device) if settings.keep else None
        self.net: Encoder | Decoder = net.to(device)
        self.optimisers = optimisers(self.net, settings.rate)
        self.file = settings.out / f"{kind}.pt"
        self.done, self.before = 0, 0.0
        self.mean = {name: value.detach().clone() for name, value in self.net.state_dict().items()}
        if self.file.exists():
            state = torch.load(self.file, map_location=device, weights_only=True)
            self.net.load_state_dict(state["net"])
            for optimiser, stored in zip(self.optimisers, state["optimisers"], strict=True):
                optimiser.load_state_dict(stored)
            self.done, self.before, self.mean = state["step"], state["seconds"], state["mean"]
        self.losses = torch.zeros(WATCHED, device=device)
        self.start = time.monotonic()

    def spent(self) -> float:
        """Seconds of training, earlier runs counted in."""
        return self.before + time.monotonic() - self.start

    def save(self) -> None:
        """Write everything, whole or not at all."""
        state: dict[str, object] = {
            "net": self.net.state_dict(),
            "mean": self.mean,
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "step": self.done,
            "seconds": self.spent(),
        }
        temporary = temporary_beside(self.file)
        torch.save(state, temporary)
        temporary.replace(self.file)

    def step(self, batch: Batch, passed: float) -> None:
        """Learn from one batch, `passed` seconds into the schedule."""
        settings = self.settings
        warm = min(1.0, (self.done + 1) / 200)
        share = min(passed / (settings.minutes * 60), 1)
        rate = float(settings.rate * warm * (0.5 + 0.5 * np.cos(np.pi * share)) + 1e-6)
        for group in (g for optimiser in self.optimisers for g in optimiser.param_groups):
            group["lr"] = rate
        if isinstance(self.net, Decoder):
            loss = decoder_loss(self.net, batch, settings.mixed)
        else:
            loss = encoder_loss(self.net, batch, settings.mixed)
        loss = loss + settings.keep * self.change(batch)
        self.net.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        self.losses[self.done % WATCHED] = loss.detach()
        self.done += 1
        weights = list(self.net.state_dict().values())
        torch._foreach_lerp_(list(self.mean.values()), weights, max(SMOOTHING, 1 / self.done))

    def change(self, batch: Batch) -> Tensor | float:
        """How far the network is from what it began as, where that one knew."""
        if isinstance(self.net, Decoder) and isinstance(self.old, Decoder):
            seen = [batch[name] for name in SEEN]
            return change_of_decoder(self.net, self.old, seen, batch, self.known)
        if isinstance(self.net, Encoder) and isinstance(self.old, Encoder):
            return change_of_encoder(self.net, self.old, batch, self.known)
        return 0.0

    def log(self, passed: float) -> None:
        """Add a line to the curve."""
        loss = round(float(self.losses.mean()), 5)
        line = {"step": self.done, "seconds": round(passed), "loss": loss}
        with (self.settings.out / f"{self.kind}.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")


def train(kind: str, settings: Settings) -> None:
    """Train until the minutes are over; RUNS/KIND.pt holds everything needed to go on,
    RUNS/KIND.jsonl the curve.
    """
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    conditions = sources.arkit_names()
    run = _Run(kind, settings, conditions, device)
    heads = heads_of(settings, conditions)
    # what other processes look for traps with
    beside = copy.deepcopy(run.net).cpu().share_memory() if settings.processes else run.net
    maker: EncoderBatches | DecoderBatches
    if isinstance(beside, Encoder):
        maker = EncoderBatches(heads, beside, settings.batch, settings.mixed, settings.renewed)
    else:
        maker = DecoderBatches(heads, conditions, settings.batch, settings.renewed)
    shown = batches(maker, settings.processes, settings.seed + run.done)
    settings.out.mkdir(parents=True, exist_ok=True)
    run.start = saved = time.monotonic()
    while (passed := run.spent()) < settings.minutes * 60:
        drawn = next(shown)
        batch = {name: tensor.to(device, non_blocking=True) for name, tensor in drawn.items()}
        run.step(batch, passed)
        if run.done % WATCHED == 0:
            run.log(passed)
            if beside is not run.net:
                beside.load_state_dict(run.net.state_dict())
        if time.monotonic() - saved > 60:
            run.save()
            saved = time.monotonic()
    run.save()


def _add_beginning(parser: argparse.ArgumentParser) -> None:
    """The options of a run that goes on from weights."""
    parser.add_argument(
        "--begin",
        type=Path,
        nargs="?",
        const=SHIPPED,
        metavar="FOLDER",
        help="weights that a new run begins with, without a folder those of the shipped pair",
    )
    parser.add_argument(
        "--keep",
        type=float,
        default=0.0,
        help="how much it counts, beside what is learnt, to say what the weights of --begin say of"
        " heads that they know",
    )
    parser.add_argument(
        "--renewed",
        type=float,
        default=RENEWED,
        help="share of batches before which a variant is drawn anew: less where that takes long",
    )


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
    _add_beginning(parser)
    a = parser.parse_args()
    left_out = frozenset(a.leave_out.split(",")) - {""}
    train(
        a.kind,
        Settings(
            data=a.data,
            out=a.out,
            minutes=a.minutes,
            seed=a.seed,
            threads=a.threads,
            leave_out=left_out,
            rate=a.rate,
            batch=a.batch,
            mixed=a.mixed,
            processes=a.processes,
            begin=a.begin,
            keep=a.keep,
            renewed=a.renewed,
        ),
    )


if __name__ == "__main__":
    main()
