"""Make the trainable network: which layers are adapted, trained or frozen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from python_steps.ai_decision import classifier
from python_steps.ai_decision.folders import check_files, read_description
from python_steps.ai_decision.network import ADAPTER_FILES, HEAD_FILE, Network, with_trained_weights
from python_steps.ai_decision.training.settings import Settings
from python_steps.errors import TrainingError
from python_steps.transformer import weights

if TYPE_CHECKING:
    import torch


def trainable_network(base: torch.nn.Module, settings: Settings, start: Path | None) -> Network:
    """Return a network in which the parameters to train require a gradient."""
    import torch

    torch.manual_seed(settings.seed)
    if settings.method == "full":
        if start is not None:
            base = with_trained_weights(base, start)
        network = Network(base)
        trained = _upper_layers(base, settings.trained_layers)
        for name, parameter in base.named_parameters():
            parameter.requires_grad = name.startswith(trained)
    else:
        from peft import LoraConfig, PeftModel, get_peft_model

        if start is not None:
            with weights.quiet_transformers():
                network = Network(PeftModel.from_pretrained(base, str(start), is_trainable=True))
        else:
            adapters = LoraConfig(
                r=settings.adapter_rank,
                lora_alpha=2 * settings.adapter_rank,
                lora_dropout=0.0,
                target_modules=_adapted_modules(base, settings.trained_layers),
            )
            with weights.quiet_transformers():
                network = Network(get_peft_model(base, adapters))
    if start is not None:
        network.load_head(start / HEAD_FILE)
    return network


def start_of(outer: classifier.Classifier, settings: Settings) -> Path | None:
    """Return the folder of an outer layer if an inner one can start from its weights."""
    folder = Path(outer.folder)
    if settings.method == "head":
        return folder
    trained = read_description(folder).get("settings", {})
    names = ("base_model", "method", "adapter_rank", "trained_layers")
    is_alike = all(trained.get(name) == getattr(settings, name) for name in names)
    return folder if is_alike else None


def checked_start(start: Path, settings: Settings) -> dict[str, Any]:
    """Return what a classifier says of itself; raise where training cannot go on from it."""
    description = read_description(start)
    if settings.method == "head":
        check_files(start, description)
        return description
    names = ["base_model"]
    if settings.method == "adapters":
        if ADAPTER_FILES[0] not in description["sha256"]:
            message = f"{start} holds no adapters to go on from: train with --method full"
            raise TrainingError(message)
        names += ["adapter_rank", "trained_layers"]
    trained = description.get("settings", {}) | {"base_model": description["base_model"]}
    for name in names:
        if trained.get(name, getattr(settings, name)) != getattr(settings, name):
            message = (
                f"{start} has {name.replace('_', ' ')} {trained[name]}, not "
                f"{getattr(settings, name)}: go on with --{name.replace('_', '-')} {trained[name]}"
            )
            raise TrainingError(message)
    if trained.get("method") == "head":
        message = f"{start} is a head on {description['started_from']['name']}: go on from that one"
        raise TrainingError(message)
    check_files(start, description)
    return description


def _upper_layers(base: torch.nn.Module, trained_layers: int) -> tuple[str, ...]:
    """Return the prefixes of all that is in the upper layers of an encoder."""
    prefixes: dict[int, str] = {}
    for name, _ in base.named_parameters():
        place = re.match(r"(?:.*?\.)?layers?\.(\d+)\.", name)
        if place:
            prefixes[int(place[1])] = place[0]
    if not prefixes:
        message = "the base model has no layers that are known to be trainable: name another one"
        raise TrainingError(message)
    return tuple(prefixes[layer] for layer in sorted(prefixes)[-trained_layers:])


def _adapted_modules(base: torch.nn.Module, trained_layers: int) -> list[str]:
    """Return the names of all linear maps in the upper layers of an encoder."""
    import torch

    upper = _upper_layers(base, trained_layers)
    return [
        name
        for name, module in base.named_modules()
        if name.startswith(upper) and isinstance(module, torch.nn.Linear)
    ]


def freeze_in(network: Network, precision: str) -> None:
    """Hold weights that are not trained in the precision that products are computed in."""
    import torch

    if precision == "bf16":
        for parameter in network.encoder.parameters():
            if not parameter.requires_grad:
                parameter.data = parameter.data.to(torch.bfloat16)


def category_head(categories: np.ndarray, network: Network) -> torch.nn.Module:
    """Return a layer that predicts categories from a vector; at first, by their frequency."""
    import torch

    head = torch.nn.Linear(network.head.in_features, categories.shape[1])
    share = torch.from_numpy(categories.mean(0))
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.logit(share, eps=1e-4))
    return head
