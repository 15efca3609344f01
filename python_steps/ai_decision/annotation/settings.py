"""What to ask a language model, where, and where the answers go."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Settings:
    """What to ask, of whom, and where the answers go.

    Attributes
    ----------
    output
        File of labels: .csv, .jsonl or .parquet.
    log
        File of all answers, JSON lines.
    sample
        Documents (an int), or a share of them above 0 and at most 1 (a float).
    limit
        Documents asked about in this run, at most.
    base_url, model, key
        The endpoint. Only a dry run does without the first two.
    parameters
        Further fields of each request, as temperature.
    timeout
        Seconds for one try.
    retries
        Further tries of one request, which the library makes.
    prices
        Of a million tokens read and of a million written, in any currency.
    """

    output: Path
    log: Path
    sample: int | float
    seed: int = 0
    limit: int | None = None
    base_url: str = ""
    model: str = ""
    key: str = field(default="", repr=False)
    response_format: str = "json_schema"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    concurrency: int = 4
    timeout: float = 60
    retries: int = 6
    prices: tuple[float, float] | None = None

    @property
    def host(self) -> str:
        """Where texts are sent."""
        return urlsplit(self.base_url).netloc

    def cost(self, tokens_in: int | None, tokens_out: int | None) -> float | None:
        """Return the price of tokens; None if prices or tokens are not known."""
        if self.prices is None or tokens_in is None or tokens_out is None:
            return None
        return (tokens_in * self.prices[0] + tokens_out * self.prices[1]) / 1e6
