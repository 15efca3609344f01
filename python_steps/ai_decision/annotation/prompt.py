"""
The prompt that asks a language model whether a document is about AI.

What a document says is a stranger's text: it travels between marks that it cannot contain, and an
answer counts only if it is the JSON that was asked for.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

PROMPT_FILE = Path(__file__).parents[1] / "prompts" / "is_ai.yml"


MOST_CHARACTERS = 6000  # sent of an abstract, of which 1 in 1,000 is longer; and of a title


IS_AI = {"ai": True, "not_ai": False, "uncertain": None}


# Strict mode of OpenAI's knows few keywords: the range of the confidence is checked on arrival.
# The reason comes first because a model writes in this order, and so decides after giving it.
SCHEMA = {
    "type": "object",
    "properties": {
        "reason": {"type": "string"},
        "label": {"type": "string", "enum": list(IS_AI)},
        "confidence": {"type": "number"},
    },
    "required": ["reason", "label", "confidence"],
    "additionalProperties": False,
}


RESPONSE_FORMATS = {
    "json_schema": {
        "type": "json_schema",
        "json_schema": {"name": "judgement", "strict": True, "schema": SCHEMA},
    },
    "json_object": {"type": "json_object"},
}


class Judgement(BaseModel):
    """The answer that is asked for; anything else is none."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    reason: str
    label: Literal["ai", "not_ai", "uncertain"]
    confidence: float = Field(ge=0, le=1)


@dataclass(frozen=True)
class Prompt:
    """A prompt and the examples that stand before the document."""

    name: str
    instructions: str
    examples: tuple[Mapping[str, Any], ...]

    @classmethod
    def read(cls, file: Path = PROMPT_FILE) -> "Prompt":
        """Read the prompt that comes with the package."""
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        return cls(content["name"], content["instructions"], tuple(content["examples"]))

    @cached_property
    def version(self) -> str:
        """Name, and a hash of everything that is sent but the document."""
        sent = json.dumps([self.messages("", "", ""), SCHEMA], sort_keys=True)
        return f"{self.name}.{hashlib.sha256(sent.encode()).hexdigest()[:8]}"

    def messages(self, document_type: str, title: str, abstract: str | None) -> list[dict]:
        """Return the messages that ask about a document; equal texts get equal messages."""
        asked = [{"role": "system", "content": self.instructions}]
        for example in self.examples:
            text = (example["document_type"], example["title"], example["abstract"])
            answer = {name: example["answer"][name] for name in SCHEMA["required"]}
            asked.append({"role": "user", "content": fenced(*text)})
            asked.append({"role": "assistant", "content": json.dumps(answer)})
        return [*asked, {"role": "user", "content": fenced(document_type, title, abstract)}]


def fenced(document_type: str, title: str, abstract: str | None) -> str:
    """Set a text between two marks that it cannot contain.

    Three things keep it in: the text has no line breaks, so it cannot make a line that looks like a
    mark; no three equals signs, with which a mark begins; and the code in the mark is a hash of the
    text itself, which nobody can write into it. A code by chance would do as well, but would
    make every request another one.
    """
    title, abstract = (harmless(part or "")[:MOST_CHARACTERS] for part in (title, abstract))
    text = f"Title: {title}\nAbstract: {abstract}"
    code = hashlib.sha256(text.encode()).hexdigest()[:24]
    return (
        f"Document type: {document_type}\n"
        f"=== BEGIN {code} ===\n{text}\n=== END {code} ===\n"
        "Judge the document above by the definition. Answer with the JSON object only."
    )


def harmless(text: str) -> str:
    """Return a text in one line, without what a reader does not see and what servers obey.

    Servers that build the prompt themselves may read `<|im_end|>`, `</s>` or `[/INST]` in a
    message as the end of it; a space parts the bracket from the word. Invisible characters are
    dropped, in which instructions can hide.
    """
    visible = "".join(c for c in " ".join(text.split()) if c.isprintable())
    parted = re.sub(r"<(?=[|/A-Za-z\uff5c])|\[(?=/?[A-Z_]+\])", r"\g<0> ", visible)
    return re.sub("={3,}", "==", parted)
