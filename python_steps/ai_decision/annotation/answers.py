"""Answers of a language model, and the log that keeps them."""

import contextlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from python_steps.ai_decision.annotation.prompt import IS_AI
from python_steps.engine.files import LockedError, locked
from python_steps.errors import AnnotationError, InputError


@dataclass(frozen=True)
class Answer:
    """One line of the log: what was asked, and what came of it.

    Attributes
    ----------
    model, model_answered
        As it was asked for, and as the server calls it.
    label, confidence, reason
        Null where `error` says what went wrong; `message` has the server's words.
    cost
        In the currency of the prices; null where they were not given.
    request
        Response format and further fields of the request.
    seconds
        From asking to the answer, retries and their pauses included.
    """

    document_id: str
    text_hash: str
    document_type: str | None = None
    stratum: str | None = None
    language: str | None = None
    prompt_version: str | None = None
    model: str | None = None
    model_answered: str | None = None
    label: str | None = None
    confidence: float | None = None
    reason: str | None = None
    error: str | None = None
    message: str | None = None
    finish_reason: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    request: dict | None = None
    asked_at: str | None = None
    seconds: float | None = None

    @property
    def is_good(self) -> bool:
        """Whether it is a judgement."""
        return self.error is None and self.label in IS_AI

    @property
    def label_source(self) -> str:
        """How the labels of this model and prompt are called."""
        return label_source(self.model or "", self.prompt_version or "")


def label_source(model: str, prompt_version: str) -> str:
    """Return how a build calls labels; seeds/reference/label_sources.csv ranks what begins so."""
    return f"llm_{prompt_version}:{model}"


class Log:
    """Answers in a file of JSON lines; one process writes to it at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers: list[Answer] = []
        self._file: io.BufferedWriter | None = None

    @classmethod
    def read(cls, path: Path) -> "Log":
        """Read what there is.

        Raises
        ------
        InputError
            If a line is no answer; only the last may be, when the writer was killed.
        """
        log = cls(path)
        with contextlib.suppress(FileNotFoundError), path.open("rb") as lines:
            log._take(lines)
        return log

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path) -> Iterator["Log"]:
        """Read what there is, and be the one that adds to it."""
        log = cls(path)
        with contextlib.ExitStack() as stack:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                stack.enter_context(locked(path))
                file = stack.enter_context(path.open("a+b"))
            except LockedError as error:
                raise AnnotationError(
                    f"Another process is writing to {path}. Wait for it, or name another file "
                    "with --log."
                ) from error
            except OSError as error:
                raise AnnotationError(
                    f"{path} cannot be written to ({error.strerror}). Choose another place with "
                    "--log."
                ) from error
            file.seek(0)
            file.truncate(log._take(file))
            file.seek(0, io.SEEK_END)
            log._file = file
            yield log

    def append(self, answer: Answer) -> None:
        """Add an answer; it outlives this process from here on."""
        self.answers.append(answer)
        try:
            self._file.write(json.dumps(asdict(answer)).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise AnnotationError(
                f"Stopped: {self.path} cannot be written to ({error.strerror})."
            ) from error

    def good(self) -> dict[tuple[str, str, str], Answer]:
        """Return the last judgement of each text hash, model and prompt version."""
        return {
            (answer.text_hash, answer.model, answer.prompt_version): answer
            for answer in self.answers
            if answer.is_good
        }

    def _take(self, lines: Iterable[bytes]) -> int:
        """Take the answers of a file, and return where the last whole line ends."""
        known = {column.name for column in fields(Answer)}
        ends = 0
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                break  # torn by a kill: the document is asked about again
            try:
                values = json.loads(line)
                kept = {name: value for name, value in values.items() if name in known}
                self.answers.append(Answer(**kept))
            except (ValueError, TypeError, AttributeError) as error:
                raise InputError(
                    f"{self.path}, line {number}: this is no answer. Mend or remove the line, or "
                    "name another log with --log."
                ) from error
            ends += len(line)
        return ends
