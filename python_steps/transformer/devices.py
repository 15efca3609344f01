"""The device and the precision that a transformer computes with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

PRECISIONS = ("auto", "f32", "bf16")


_assigned_device: str | None = None


def assign_device(device: str | None) -> None:
    """Name the device that ``auto`` means in this process; None leaves it to the machine."""
    global _assigned_device
    _assigned_device = device


def present_device(asked: str) -> str:
    """
    Return the device that is meant here and now.

    ``auto`` is what :func:`assign_device` named, else a CUDA device where there is one, else the
    CPU; CUDA without a number is the device that is current in this thread.
    """
    import torch

    if asked == "auto":
        asked = _assigned_device or ("cuda" if torch.cuda.is_available() else "cpu")
    return f"cuda:{torch.cuda.current_device()}" if asked == "cuda" else asked


def chosen_precision(asked: str, device: str) -> str:
    """
    Return the precision to compute in on a device: ``f32`` or ``bf16``.

    Parameters
    ----------
    asked
        One of the two, or ``auto``: bf16 where the processor computes in it, else f32.
    device
        As torch names it.

    Raises
    ------
    ValueError
        When `asked` is none of the three.
    """
    if asked not in PRECISIONS:
        message = f"precision must be one of {', '.join(PRECISIONS)}, got {asked!r}"
        raise ValueError(message)
    if asked != "auto":
        return asked
    return "bf16" if computes_in_bf16(device) else "f32"


def computes_in_bf16(device: str) -> bool:
    """Whether a processor has instructions for bf16."""
    import torch

    if device.startswith("cuda"):
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.startswith("cpu"):
        ask = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
        return bool(ask and ask())
    return False


def has_matrix_tiles(device: str) -> bool:
    """Whether a processor multiplies whole tiles of bf16 at once, several times as fast."""
    import torch

    ask = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return device.startswith("cpu") and bool(ask and ask())


@contextlib.contextmanager
def one_thread_per_product() -> Iterator[Callable[[], None]]:
    """
    Let each product run on one thread, and give torch its threads back after.

    Yields what every worker has to call first: the number is kept per thread as well.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield lambda: torch.set_num_threads(1)
    finally:
        torch.set_num_threads(before)
