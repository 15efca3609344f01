"""The training loop: one run over the batches, with checkpoints."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from python_steps.ai_decision.network import Network
from python_steps.ai_decision.training.batches import TOKENS_PER_PART, Tokens
from python_steps.ai_decision.training.folder import CHECKPOINT
from python_steps.ai_decision.training.layers import category_head
from python_steps.ai_decision.training.settings import (
    HEAD_RATE,
    PATIENCE,
    WARM_UP,
    WEIGHT_DECAY,
    Settings,
)
from python_steps.engine.files import written_whole
from python_steps.transformer import devices

if TYPE_CHECKING:
    import torch

EVALUATIONS_PER_EPOCH = 4
AVERAGING = 0.99  # what an average keeps of itself at a step, once there were enough steps


class Run:
    """The loop of training, with its checkpoints."""

    def __init__(
        self,
        network: Network,
        tokens: Tokens,
        settings: Settings,
        device: str,
        precision: str,
        folder: Path,
        version: str,
    ) -> None:
        import torch

        self.network, self.tokens, self.settings = network, tokens, settings
        self.device, self.precision, self.folder, self.version = device, precision, folder, version
        modules = [("encoder", network.encoder), ("head", network.head)]
        self.category_head = None
        if tokens.categories.size:
            self.category_head = category_head(tokens.categories, network).to(device)
            modules.append(("category_head", self.category_head))
        self.parameters = {
            f"{prefix}.{name}": parameter
            for prefix, module in modules
            for name, parameter in module.named_parameters()
            if parameter.requires_grad
        }
        groups: list[dict[str, Any]] = [
            {"params": [], "rate": settings.learning_rate},
            {"params": [], "rate": settings.learning_rate * HEAD_RATE[settings.method]},
        ]
        for name, parameter in self.parameters.items():
            groups[not name.startswith("encoder.")]["params"].append(parameter)
        self.optimizer = torch.optim.AdamW(groups, weight_decay=WEIGHT_DECAY)
        per_epoch = math.ceil(len(tokens.tokens) / settings.batch_size)
        self.steps = settings.epochs * per_epoch
        self.between = max(1, math.ceil(per_epoch / EVALUATIONS_PER_EPOCH))
        self.step = 0
        self.history: list[dict[str, float]] = []
        self.average = self._weights()
        self.best = self._weights()
        self.losses: list[float] = []

    def autocast(self) -> Any:  # noqa: ANN401
        """Return torch's context of the precision that is trained in."""
        import torch

        kind = self.device.split(":")[0]
        return torch.autocast(kind, torch.bfloat16, enabled=self.precision == "bf16")

    def train(
        self,
        judge: Callable[[], float],
        report: Callable[[int, int, dict[str, float]], None],
    ) -> None:
        """Run all steps, or until no evaluation is better any more; end with the best weights."""
        self._resume()
        workers = (os.cpu_count() or 1) if self.device.startswith("cpu") else 1
        with (
            devices.one_thread_per_product() as start_worker,
            ThreadPoolExecutor(workers, initializer=start_worker) as pool,
        ):
            for step, batch in enumerate(self._batches(), start=1):
                if step <= self.step:
                    continue
                if self._is_over():
                    break
                self._take_step(batch, pool)
                if step % self.between == 0 or step == self.steps:
                    self._evaluate(judge)
                report(step, self.steps, self.history[-1] if self.history else {})
        self._put(self.best)

    def _batches(self) -> Iterator[np.ndarray]:
        for epoch in range(self.settings.epochs):
            yield from self.tokens.batches(self.settings.batch_size, self.settings.seed, epoch)

    def _is_over(self) -> bool:
        scores = [entry["average_precision"] for entry in self.history]
        return bool(scores) and len(scores) - 1 - int(np.argmax(scores)) >= PATIENCE

    def _take_step(self, batch: np.ndarray, pool: ThreadPoolExecutor) -> None:
        import torch

        parameters = list(self.parameters.values())
        budget = TOKENS_PER_PART.get(self.device.split(":")[0], TOKENS_PER_PART["cuda"])

        def gradients(part: tuple[np.ndarray, Any]) -> tuple[float, Sequence[torch.Tensor]]:
            loss = self._loss(*part) / len(batch)
            return loss.item(), torch.autograd.grad(loss, parameters)

        results = list(pool.map(gradients, self.tokens.parts(batch, budget)))
        for place, parameter in enumerate(parameters):
            parameter.grad = sum(found[place] for _, found in results)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = group["rate"] * self._rate()
        self.optimizer.step()
        self.step += 1
        # Over fewer steps at first, or the first weights would stay in it for long.
        kept = min(AVERAGING, (1 + self.step) / (10 + self.step))
        for name, value in self.parameters.items():
            self.average[name].lerp_(value.detach(), 1 - kept)
        self.losses.append(sum(loss for loss, _ in results))

    def _loss(self, members: np.ndarray, texts: Any) -> torch.Tensor:  # noqa: ANN401
        """Return the weighted sum of the losses of some examples, of labels and categories."""
        import torch

        def loss_of(logits: torch.Tensor, truth: np.ndarray, weights: np.ndarray) -> torch.Tensor:
            return torch.nn.functional.binary_cross_entropy_with_logits(
                logits,
                torch.from_numpy(truth[members]).to(self.device),
                weight=torch.from_numpy(weights[members]).to(self.device),
                reduction="sum",
            )

        tokens = self.tokens
        with self.autocast():
            vectors = self.network.vectors(texts, self.device)
        loss = loss_of(self.network.logits(vectors), tokens.truth, tokens.weights)
        if self.category_head is not None:
            logits = self.category_head(vectors[:, -1])
            loss = loss + loss_of(logits, tokens.categories, tokens.category_weights[:, None])
        return loss

    def _rate(self) -> float:
        """Return the share of the learning rate at this step: up to one, then down to nothing."""
        warm = max(1, round(WARM_UP * self.steps))
        if self.step < warm:
            return (self.step + 1) / warm
        return (self.steps - self.step) / max(1, self.steps - warm)

    def _evaluate(self, judge: Callable[[], float]) -> None:
        now = self._weights()
        self._put(self.average)
        score = judge()
        self._put(now)
        best = max((entry["average_precision"] for entry in self.history), default=-1.0)
        loss = float(np.mean(self.losses)) if self.losses else math.nan
        self.history.append({"step": self.step, "loss": loss, "average_precision": score})
        self.losses.clear()
        if score > best:
            self.best = {name: value.clone() for name, value in self.average.items()}
        self._checkpoint()

    def _weights(self) -> dict[str, torch.Tensor]:
        return {name: value.detach().clone() for name, value in self.parameters.items()}

    def _put(self, weights: dict[str, torch.Tensor]) -> None:
        import torch

        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(weights[name])

    def _checkpoint(self) -> None:
        from safetensors.torch import save_file

        tensors = {f"best.{name}": value for name, value in self.best.items()}
        tensors |= {f"average.{name}": value for name, value in self.average.items()}
        tensors |= {f"now.{name}": value for name, value in self._weights().items()}
        for name, parameter in self.parameters.items():
            for moment in ("exp_avg", "exp_avg_sq", "step"):
                tensors[f"{moment}.{name}"] = self.optimizer.state[parameter][moment].clone()
        weights, state = (self.folder / name for name in CHECKPOINT)
        # The state names the weights by their step: a kill between the two leaves no mixture.
        with written_whole(weights) as partial:
            metadata = {"step": str(self.step), "version": self.version}
            save_file(tensors, partial, metadata=metadata)
        progress = {"version": self.version, "step": self.step, "history": self.history}
        with written_whole(state) as partial:
            partial.write_text(json.dumps(progress))

    def _resume(self) -> None:
        from safetensors import SafetensorError, safe_open

        weights, state = (self.folder / name for name in CHECKPOINT)
        try:
            progress = json.loads(state.read_text())
            with safe_open(weights, framework="pt", device=self.device) as file:
                expected = {"step": str(progress["step"]), "version": self.version}
                if progress["version"] != self.version or file.metadata() != expected:
                    return
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, ValueError, KeyError, SafetensorError):
            return
        self.best = {name: tensors[f"best.{name}"] for name in self.parameters}
        self.average = {name: tensors[f"average.{name}"] for name in self.parameters}
        self._put({name: tensors[f"now.{name}"] for name in self.parameters})
        for name, parameter in self.parameters.items():
            self.optimizer.state[parameter] = {
                moment: tensors[f"{moment}.{name}"] for moment in ("step", "exp_avg", "exp_avg_sq")
            }
        # Steps live on the CPU, whatever the device of what they count.
        for entry in self.optimizer.state.values():
            entry["step"] = entry["step"].cpu()
        self.step, self.history = progress["step"], progress["history"]
