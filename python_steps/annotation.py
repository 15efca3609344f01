"""Labels from a language model, for a sample of what the outer layer accepts.

`deepinnovation annotate` draws documents from a warehouse, asks any endpoint that speaks OpenAI's
chat completions about each, keeps every answer in a log, and writes the labels that
`deepinnovation build --labels` takes. Here alone titles and abstracts leave the machine.

What a document says is a stranger's text: it travels between marks that it cannot contain, and an
answer counts only if it is the JSON that was asked for.
"""

import asyncio
import contextlib
import csv
import hashlib
import io
import json
import math
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tqdm import tqdm

from python_steps.engine import PROGRESS_VARIABLE, SECONDS_BETWEEN_PLAIN_LINES
from python_steps.failures import FAILED, STOPPED, explain_warehouse
from python_steps.sources import InputError
from python_steps.warehouse import Tables

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None

if TYPE_CHECKING:
    import duckdb
    from openai import AsyncOpenAI
    from rich.console import Console

PROMPT_FILE = Path(__file__).with_name("prompts") / "is_ai.yml"

MOST_CHARACTERS = 6000  # sent of an abstract, of which 1 in 1,000 is longer; and of a title
MOST_FAILURES_IN_A_ROW = 10
LONGEST_PAUSE = 120  # seconds for which the library obeys a Retry-After at most
MOST_CHARACTERS_OF_A_MESSAGE = 300

BYTES_PER_TOKEN = 4
TOKENS_OF_AN_ANSWER = 80

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

# After these, no other document would fare better.
REMEDIES_OF_FATAL = {
    "unauthorised": "The endpoint does not know the key: set DEEPINNOVATION_LLM_API_KEY.",
    "forbidden": "The endpoint refuses this key, model or text: see what it says above.",
    "not_found": "There is no such address or model: look at --base-url (it mostly ends in /v1) "
    "and --model.",
    "no_credit": "The account has no credit left: pay, or take another endpoint.",
    "redirected": "The endpoint sends elsewhere, and texts go only to the host that was named: "
    "give the final address with --base-url.",
}
REMEDIES = REMEDIES_OF_FATAL | {
    "no_connection": "Is the endpoint running, and --base-url right?",
    "timed_out": "Raise --timeout, or lower --concurrency.",
    "rate_limited": "Lower --concurrency, raise --retries, or go on later.",
    "server_error": "The endpoint is in trouble: go on later.",
    "refused": "The endpoint does not take the request: try --response-format json_object, or "
    "other fields with --parameters, as '{}' for none.",
    "truncated": "The model writes more than it may: raise max_tokens, as with --parameters "
    "'{max_completion_tokens: 4000}'.",
    "malformed": "The model does not keep to the JSON that it is asked for: try another "
    "--response-format or --model.",
    "declined": "The model declines to judge these texts: try another --model.",
}


class AnnotationError(Exception):
    """An annotation that cannot go on; the message says why and what to do."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


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


# ---------------------------------------------------------------- documents


@dataclass(frozen=True)
class Document:
    """A document of the sample.

    Attributes
    ----------
    text_hash
        MD5 of title and abstract, as the warehouse has it.
    stratum
        Document type, band of years and band of probabilities, in words.
    """

    document_id: str
    document_type: str
    title: str
    abstract: str | None
    text_hash: str
    source_name: str | None
    year: int | None
    language: str | None
    outer_probability: float
    stratum: str


@dataclass(frozen=True)
class Excerpt:
    """What the warehouse knows of a sample and of earlier answers; it is closed again by then.

    Attributes
    ----------
    accepted
        Documents that the outer layer accepts.
    sample
        Of them, in the order in which they are asked about.
    names
        Every document with a text that is, or was, asked about, by the hash of the text.
    labels
        Of these documents: document_id, label_source, is_ai.
    """

    accepted: int
    sample: list[Document]
    names: dict[str, list[str]]
    labels: list[tuple[str, str, bool]]


ACCEPTED = """
    select
        documents.document_id,
        documents.document_type,
        documents.title,
        documents.abstract,
        documents.text_hash,
        documents.source_name,
        documents.year,
        languages.language,
        decided.outer_probability,
        documents.document_type
        || ', ' || case
            when documents.year is null then 'year unknown'
            when documents.year < 1990 then 'before 1990'
            else format('{0}-{1}', documents.year // 5 * 5, documents.year // 5 * 5 + 4)
        end
        || ', ' || case
            when decided.outer_probability < 0.25 then 'probability below .25'
            when decided.outer_probability < 0.5 then 'probability .25-.5'
            when decided.outer_probability < 0.75 then 'probability .5-.75'
            when decided.outer_probability < 0.9 then 'probability .75-.9'
            else 'probability above .9'
        end as stratum
    from intermediate.int_documents_decided as decided
    inner join intermediate.int_documents_unioned as documents
        on decided.document_id = documents.document_id
    left join intermediate.int_document_languages as languages
        on decided.document_id = languages.document_id
    where decided.outer_probability >= decided.outer_threshold
"""

# Of each stratum its documents in the order of a hash; then all strata's first ones, and the others
# by how much of their stratum has gone before. However long, the beginning of this one order
# holds all strata in like shares (Adams' apportionment), and a larger sample holds the smaller.
DRAWN = f"""
    with accepted as ({ACCEPTED}),
    hashed as (
        select *, md5($seed || ':' || document_id) as draw from accepted
    ),
    ranked as (
        select
            *,
            (row_number() over (partition by stratum order by draw, document_id) - 1)
            / count(*) over (partition by stratum) as place
        from hashed
    )
    select * exclude (draw, place) from ranked
    order by place, draw, document_id
    limit $size
"""


def read_sample(
    connection: "duckdb.DuckDBPyConnection", sample: int | float, seed: int
) -> tuple[int, list[Document]]:
    """Draw documents that the outer layer accepts, stratified; the same seed draws the same.

    Parameters
    ----------
    connection
        An open warehouse.
    sample
        Documents (an int), or a share of them above 0 and at most 1 (a float).
    seed
        Any number.

    Returns
    -------
    int, list of Document
        How many documents are accepted, and those drawn. A smaller sample is the beginning of a
        larger one.
    """
    counted = connection.execute(f"select count(*) from ({ACCEPTED})").fetchone()
    # Rounded first, because .07 of 100 is 7.000000000000001.
    share = math.ceil(round(sample * counted[0], 6)) if isinstance(sample, float) else sample
    drawn = connection.execute(DRAWN, {"seed": str(seed), "size": share})
    columns = [column[0] for column in drawn.description]
    rows = drawn.fetchall()
    return counted[0], [Document(**dict(zip(columns, row, strict=True))) for row in rows]


def read_excerpt(
    tables: Tables, sample: int | float, seed: int, hashes: Iterable[str] = ()
) -> Excerpt:
    """Read all that is needed of a warehouse, and close it: asking takes hours, others build.

    Parameters
    ----------
    tables
        The warehouse.
    sample, seed
        As `read_sample` takes them.
    hashes
        Texts of earlier answers.

    Raises
    ------
    InputError
        If the warehouse cannot be opened, lacks a table, or the outer layer accepts nothing.
    """
    import duckdb

    place = getattr(tables, "path", tables.address)
    try:
        connection = tables.connect()
    except duckdb.Error as error:
        raise InputError(explain_warehouse(str(error), place)) from error
    with connection:
        try:
            accepted, drawn = read_sample(connection, sample, seed)
            wanted = sorted({*hashes, *(document.text_hash for document in drawn)})
            named = connection.execute(
                "select text_hash, document_id from intermediate.int_documents_unioned "
                "where text_hash in (select unnest($hashes::varchar[])) order by document_id",
                {"hashes": wanted},
            ).fetchall()
            labels = connection.execute(
                "select document_id, label_source, is_ai "
                "from intermediate.int_documents_labelled where is_ai is not null "
                "and document_id in (select unnest($documents::varchar[]))",
                {"documents": [document_id for _, document_id in named]},
            ).fetchall()
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            told = str(error).strip().splitlines()[0]
            raise InputError(
                f"{place} was not built by this version, or not to the end ({told}). Build it "
                "anew with `deepinnovation build`."
            ) from error
    if not accepted:
        raise InputError(
            f"In {place} the outer layer accepts no document, so there is nothing to ask about."
        )
    names: dict[str, list[str]] = {}
    for text_hash, document_id in named:
        names.setdefault(text_hash, []).append(document_id)
    return Excerpt(accepted, drawn, names, labels)


# ---------------------------------------------------------------- prompt


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


# ---------------------------------------------------------------- log


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
    return f"llm:{model}:{prompt_version}"


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
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            opened = path.open("a+b")
        except OSError as error:
            raise AnnotationError(
                f"{path} cannot be written to ({error.strerror}). Choose another place with --log."
            ) from error
        with opened:
            if fcntl:
                try:
                    fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise AnnotationError(
                        f"Another process is writing to {path}. Wait for it, or name another "
                        "file with --log."
                    ) from error
            opened.seek(0)
            opened.truncate(log._take(opened))
            opened.seek(0, io.SEEK_END)
            log._file = opened
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


# ---------------------------------------------------------------- asking


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Completion(BaseModel):
    """What is needed of a reply. Servers differ in the rest, and some in all of it."""

    choices: list[_Choice] = Field(min_length=1)
    model: str | None = None
    usage: _Usage | None = None


async def ask(
    client: "AsyncOpenAI", document: Document, prompt: Prompt, settings: Settings
) -> Answer:
    """Ask about one document; whatever goes wrong is told in the answer.

    Parameters
    ----------
    client
        Retries and pauses by itself (`Settings.retries`), as Retry-After tells it.
    document, prompt, settings
        What to ask, and how.
    """
    import openai

    began, started = datetime.now(UTC), time.monotonic()
    # The library's timeout begins anew with each byte: a server that drips could go on for ever.
    patience = (settings.retries + 1) * (settings.timeout + LONGEST_PAUSE)
    try:
        async with asyncio.timeout(patience):
            response = await client.chat.completions.with_raw_response.create(
                model=settings.model,
                messages=prompt.messages(document.document_type, document.title, document.abstract),
                response_format=RESPONSE_FORMATS[settings.response_format],
                extra_body=dict(settings.parameters),
            )
        told = _judged(response.http_response.content, settings)
    except (openai.OpenAIError, TimeoutError) as error:
        kind, message = _failure(error)
        told = {"error": kind, "message": _shown(message, settings.key)}
    return Answer(
        document_id=document.document_id,
        text_hash=document.text_hash,
        document_type=document.document_type,
        stratum=document.stratum,
        language=document.language,
        prompt_version=prompt.version,
        model=settings.model,
        request={"response_format": settings.response_format, **settings.parameters},
        asked_at=began.isoformat(timespec="milliseconds"),
        seconds=round(time.monotonic() - started, 3),
        **told,
    )


def _judged(reply: bytes, settings: Settings) -> dict[str, Any]:
    """Return what a reply says: a judgement, or why it is none; tokens cost either way."""
    try:
        completion = _Completion.model_validate_json(reply)
    except ValidationError:
        message = _shown(reply.decode(errors="replace"), settings.key)
        return {"error": "malformed", "message": message}
    choice = completion.choices[0]
    usage = completion.usage or _Usage()
    told = {
        "model_answered": completion.model,
        "finish_reason": choice.finish_reason,
        "tokens_in": usage.prompt_tokens,
        "tokens_out": usage.completion_tokens,
        "cost": settings.cost(usage.prompt_tokens, usage.completion_tokens),
    }
    content = choice.message.content or ""
    if choice.finish_reason == "length":
        return told | {"error": "truncated", "message": _shown(content, settings.key)}
    if choice.message.refusal or choice.finish_reason == "content_filter":
        message = _shown(choice.message.refusal or content, settings.key)
        return told | {"error": "declined", "message": message}
    try:
        return told | Judgement.model_validate_json(content.strip()).model_dump()
    except ValidationError:
        return told | {"error": "malformed", "message": _shown(content, settings.key)}


def _failure(error: Exception) -> tuple[str, str]:
    """Return the kind of a failure, one of REMEDIES, and what is said of it."""
    import openai

    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return "timed_out", "no answer in time"
    if isinstance(error, openai.APIStatusError):
        status = error.status_code
        kinds = {401: "unauthorised", 402: "no_credit", 403: "forbidden", 404: "not_found"}
        kind = kinds.get(status, "server_error" if status >= 500 else "refused")
        if status == 429:
            # OpenAI's word for an empty account, which no waiting fills.
            is_empty = "insufficient_quota" in error.response.text
            kind = "no_credit" if is_empty else "rate_limited"
        if 300 <= status < 400:
            kind = "redirected"
        return kind, f"HTTP {status}: {error.response.text}"
    if isinstance(error, openai.APIConnectionError):
        return "no_connection", str(error.__cause__ or error)
    return "refused", str(error)


def _shown(text: str, key: str) -> str:
    """Return a server's words as they may be kept and printed: short, in one line, without key."""
    text = text.replace(key, "***") if key else text
    text = "".join(c for c in " ".join(text.split()) if c.isprintable())
    most = MOST_CHARACTERS_OF_A_MESSAGE
    return text if len(text) <= most else f"{text[:most]}…"


def _client(settings: Settings) -> "AsyncOpenAI":
    """Return the library's client, which takes nothing from variables that it has for OpenAI."""
    import openai

    return openai.AsyncOpenAI(
        base_url=settings.base_url,
        # Never blank: the library would send what OPENAI_API_KEY has to whom it is not for.
        api_key=settings.key or "none",
        timeout=settings.timeout,
        max_retries=settings.retries,
        http_client=openai.DefaultAsyncHttpxClient(
            follow_redirects=False, timeout=settings.timeout
        ),
    )


async def _ask_all(
    documents: Sequence[Document], prompt: Prompt, settings: Settings, log: Log, bar: tqdm
) -> None:
    """Ask about documents, some at a time, and log every answer as it comes."""
    waiting = iter(documents)
    counted: Counter[str] = Counter()
    in_a_row = 0

    async def work(client: "AsyncOpenAI") -> None:
        nonlocal in_a_row
        for document in waiting:
            answer = await ask(client, document, prompt, settings)
            log.append(answer)
            counted["good" if answer.is_good else "failed"] += 1
            in_a_row = 0 if answer.is_good else in_a_row + 1
            bar.set_postfix(failed=counted["failed"], refresh=False)
            bar.update()
            # Who was never reached, after all retries, will not be.
            is_unreachable = answer.error == "no_connection" and not counted["good"]
            is_fatal = answer.error in REMEDIES_OF_FATAL or is_unreachable
            if is_fatal or in_a_row >= MOST_FAILURES_IN_A_ROW:
                times = "" if is_fatal else f"{in_a_row} failures in a row, the last: "
                raise AnnotationError(
                    f"Stopped: {times}{answer.error} at {settings.base_url}: {answer.message}\n"
                    f"{REMEDIES[answer.error]} The same command goes on from here."
                )

    async with _client(settings) as client:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(settings.concurrency, len(documents))):
                    group.create_task(work(client))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None


def _bar(total: int) -> tqdm:
    """Return a progress bar on stderr; a file gets a line of it each minute."""
    wanted = os.environ.get(PROGRESS_VARIABLE, "")
    is_terminal = wanted == "1" or sys.stderr.isatty()
    pause = 0.1 if is_terminal else SECONDS_BETWEEN_PLAIN_LINES
    return tqdm(
        total=total,
        desc="Asking",
        unit=" texts",
        disable=wanted == "0",
        file=sys.stderr,
        mininterval=pause,
        delay=0 if is_terminal else pause,
    )


# ---------------------------------------------------------------- the command


def annotate(tables: Tables, settings: Settings, *, is_dry_run: bool, console: "Console") -> None:
    """Draw, ask, write labels and report; a run that was stopped goes on where it was.

    Parameters
    ----------
    tables
        The warehouse.
    settings
        What to ask, of whom, and where the answers go.
    is_dry_run
        Only say what would be asked and what it would cost. Nothing is sent or written.
    console
        Where to tell it.

    Raises
    ------
    InputError
        If warehouse or log cannot be read.
    AnnotationError
        If asking was stopped by failures or by hand, or nothing was answered. What was answered
        is in the log and the labels all the same.
    """
    prompt = Prompt.read()
    log = Log.read(settings.log)
    hashes = {answer.text_hash for answer in log.answers if answer.is_good}
    excerpt = read_excerpt(tables, settings.sample, settings.seed, hashes)
    if is_dry_run:
        waiting = _unanswered(excerpt, log, prompt, settings)
        _show_estimate(excerpt, waiting, log, prompt, settings, console)
        return
    failure = None
    with Log.open(settings.log) as log:
        waiting = _unanswered(excerpt, log, prompt, settings)
        before = len(log.answers)
        _show_intent(excerpt, waiting, prompt, settings, console)
        try:
            if waiting:
                with _bar(len(waiting)) as bar:
                    asyncio.run(_ask_all(waiting, prompt, settings, log, bar))
        except AnnotationError as error:
            failure = error
        except KeyboardInterrupt:
            failure = AnnotationError("Stopped. The same command goes on from here.", STOPPED)
        answers = log.answers[before:]
        labels = labels_of(log, excerpt.names)
        if labels:
            write_labels(labels, settings.output)
        _show_result(answers, labels, excerpt, prompt, settings, console)
    if failure:
        raise failure
    if answers and not any(answer.is_good for answer in answers):
        last = answers[-1]
        raise AnnotationError(f"No answer is good: {last.error}. {REMEDIES[last.error]}")


def _unanswered(excerpt: Excerpt, log: Log, prompt: Prompt, settings: Settings) -> list[Document]:
    """Return what is to be asked: one document for each text that has no judgement yet."""
    good = log.good()
    waiting = {}
    for document in excerpt.sample:
        if (document.text_hash, settings.model, prompt.version) not in good:
            waiting.setdefault(document.text_hash, document)
    return list(islice(waiting.values(), settings.limit))


# ---------------------------------------------------------------- labels and agreement


@dataclass(frozen=True)
class Label:
    """A row of the file that `deepinnovation build --labels` takes."""

    source_record_id: str
    is_ai: bool
    label_source: str


@dataclass(frozen=True)
class Agreement:
    """How a model's labels and those of another source compare, on the documents of both.

    Attributes
    ----------
    both, only_model, only_other, neither
        Documents that both, one or none of them call AI.
    kappa
        Cohen's; None where both know one answer only, so that chance alone would agree.
    """

    label_source: str
    both: int
    only_model: int
    only_other: int
    neither: int
    kappa: float | None

    @property
    def documents(self) -> int:
        """How many have both labels."""
        return self.both + self.only_model + self.only_other + self.neither


def labels_of(log: Log, names: Mapping[str, Sequence[str]]) -> list[Label]:
    """Return the labels in a log, without the uncertain ones.

    Parameters
    ----------
    log
        Answers, of any models and prompts.
    names
        Documents of the warehouse by the hash of their text: each one gets the label of its text,
        and texts that are no longer there give none.
    """
    labels = [
        Label(document_id, IS_AI[answer.label], answer.label_source)
        for answer in log.good().values()
        if IS_AI[answer.label] is not None
        for document_id in names.get(answer.text_hash, ())
    ]
    return sorted(labels, key=lambda label: (label.source_record_id, label.label_source))


def write_labels(labels: Sequence[Label], path: Path) -> None:
    """Write labels as CSV, JSON lines or Parquet, by the ending; a reader never sees half a file.

    Raises
    ------
    AnnotationError
        If the file cannot be written.
    """
    rows = [asdict(label) for label in labels]
    aside = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            import pyarrow as pa
            import pyarrow.parquet as pq

            pq.write_table(pa.Table.from_pylist(rows), aside)
        else:
            with aside.open("w", encoding="utf-8", newline="") as file:
                if path.suffix == ".csv":
                    writer = csv.writer(file, lineterminator="\n")
                    writer.writerow(column.name for column in fields(Label))
                    for label in labels:
                        is_ai = str(label.is_ai).lower()
                        writer.writerow([label.source_record_id, is_ai, label.label_source])
                else:
                    file.writelines(f"{json.dumps(row)}\n" for row in rows)
        aside.replace(path)
    except OSError as error:
        raise AnnotationError(
            f"{path} cannot be written ({error.strerror}). The answers are safe in the log: run "
            "again with another --output, and this --log."
        ) from error


def agreements(
    labels: Iterable[Label], others: Iterable[tuple[str, str, bool]], source: str
) -> list[Agreement]:
    """Compare a model's labels with those of every other source.

    Parameters
    ----------
    labels
        Of any models; those of `source` count.
    others
        document_id, label_source and is_ai, as the warehouse has them.
    source
        The label source of the model and prompt.

    Returns
    -------
    list of Agreement
        Label sources with documents in common, those with most first.
    """
    from sklearn.metrics import cohen_kappa_score

    ours = {label.source_record_id: label.is_ai for label in labels if label.label_source == source}
    pairs: dict[str, list[tuple[bool, bool]]] = {}
    for document_id, other, is_ai in others:
        if document_id in ours and other != source:
            pairs.setdefault(other, []).append((ours[document_id], is_ai))
    compared = []
    for other, judged in pairs.items():
        counts = Counter(judged)
        model, theirs = zip(*judged, strict=True)
        is_defined = len({*model, *theirs}) > 1
        kappa = float(cohen_kappa_score(model, theirs)) if is_defined else None
        cells = [counts[cell] for cell in ((True, True), (True, False), (False, True))]
        compared.append(Agreement(other, *cells, counts[False, False], kappa))
    return sorted(compared, key=lambda agreement: (-agreement.documents, agreement.label_source))


# ---------------------------------------------------------------- what is told


def _show_intent(
    excerpt: Excerpt,
    waiting: list[Document],
    prompt: Prompt,
    settings: Settings,
    console: "Console",
) -> None:
    """Say what leaves the machine, before it does."""
    lines = [_drawn_in_words(excerpt, waiting, prompt, settings)]
    if waiting:
        lines.append(f"Sending title and abstract of {len(waiting):,} to {settings.host}.")
        lines.append(f"Every answer is added to {settings.log}.")
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def _drawn_in_words(
    excerpt: Excerpt, waiting: list[Document], prompt: Prompt, settings: Settings
) -> str:
    drawn = (
        f"{len(excerpt.sample):,} of {excerpt.accepted:,} documents that the outer layer accepts"
    )
    asked = f"prompt {prompt.version}, model {settings.model or 'not named'}"
    return f"Drawn: {drawn}. To ask about: {len(waiting):,} texts ({asked})."


def _show_estimate(
    excerpt: Excerpt,
    waiting: list[Document],
    log: Log,
    prompt: Prompt,
    settings: Settings,
    console: "Console",
) -> None:
    """Say what asking would cost: by what answers in the log did cost, else by a rule of thumb."""
    measured = [
        answer
        for answer in log.answers
        if (answer.model, answer.prompt_version) == (settings.model, prompt.version)
        and answer.tokens_in is not None
        and answer.tokens_out is not None
    ]
    if measured:
        tokens_in, tokens_out = (
            round(len(waiting) * sum(column) / len(measured))
            for column in zip(*((a.tokens_in, a.tokens_out) for a in measured), strict=True)
        )
        method = f"the mean of {len(measured):,} answers in the log"
    else:
        schema = len(json.dumps(SCHEMA))
        sent = sum(
            schema
            + sum(
                len(message["content"].encode())
                for message in prompt.messages(d.document_type, d.title, d.abstract)
            )
            for d in waiting
        )
        tokens_in, tokens_out = sent // BYTES_PER_TOKEN, len(waiting) * TOKENS_OF_AN_ANSWER
        method = (
            f"a token for every {BYTES_PER_TOKEN} bytes sent, {TOKENS_OF_AN_ANSWER} tokens an "
            "answer; a model that thinks before it answers writes many more: ask about a few with "
            "--limit 20, and this counts by them"
        )
    cost = settings.cost(tokens_in, tokens_out)
    priced = "not known: give --price-in and --price-out" if cost is None else _money(cost)
    lines = [
        _drawn_in_words(excerpt, waiting, prompt, settings),
        f"About {tokens_in:,} tokens to read and {tokens_out:,} to write ({method}).",
        f"Cost: {priced}.",
        "Nothing was sent.",
    ]
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def _show_result(
    answers: Sequence[Answer],
    labels: Sequence[Label],
    excerpt: Excerpt,
    prompt: Prompt,
    settings: Settings,
    console: "Console",
) -> None:
    """Print what was answered, what it cost, how it agrees with other labels, and what is next."""
    from rich.markup import escape
    from rich.table import Table

    counts = Counter(answer.label if answer.is_good else answer.error for answer in answers)
    table = Table("answers of this run", title="Annotation", title_justify="left")
    table.add_column("number", justify="right")
    for kind in (*IS_AI, *REMEDIES):
        if counts[kind] or kind in IS_AI:
            table.add_row(kind.replace("_", " "), f"{counts[kind]:,}")
    for measure in ("tokens_in", "tokens_out"):
        known = [value for answer in answers if (value := getattr(answer, measure)) is not None]
        table.add_row(measure.replace("_", " "), f"{sum(known):,}" if known else "not told")
    costs = [answer.cost for answer in answers if answer.cost is not None]
    table.add_row("cost", _money(sum(costs)) if costs else "not known")
    console.print(table)

    source = label_source(settings.model, prompt.version)
    compared = agreements(labels, excerpt.labels, source)
    if compared:
        table = Table(
            "label source", title=f"Agreement with {escape(source)}", title_justify="left"
        )
        for column in ("documents", "both AI", "only model", "only source", "neither", "kappa"):
            table.add_column(column, justify="right")
        for row in compared:
            cells = (row.documents, row.both, row.only_model, row.only_other, row.neither)
            kappa = "not defined" if row.kappa is None else f"{row.kappa:.3f}"
            table.add_row(escape(row.label_source), *(f"{cell:,}" for cell in cells), kappa)
        console.print(table)

    failed = sum(not answer.is_good for answer in answers)
    lines = []
    if failed:
        lines.append(f"{failed:,} failed; the same command asks about them again.")
    if labels:
        lines += [
            f"{len(labels):,} labels: {settings.output}",
            f"Next, the build as before with --labels {settings.output}",
        ]
    else:
        lines.append("No labels yet.")
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def _money(amount: float) -> str:
    """Return an amount in the currency of the prices, small ones with more digits."""
    return f"{amount:,.2f}" if amount >= 1 else f"{amount:.4f}"
