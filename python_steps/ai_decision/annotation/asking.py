"""Ask an endpoint that speaks OpenAI's chat completions. Only here do texts leave the machine."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, ValidationError

from python_steps.ai_decision.annotation.answers import Answer, Log
from python_steps.ai_decision.annotation.documents import Document
from python_steps.ai_decision.annotation.prompt import RESPONSE_FORMATS, Judgement, Prompt
from python_steps.ai_decision.annotation.settings import Settings
from python_steps.errors import AnnotationError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

MOST_FAILURES_IN_A_ROW = 10
LONGEST_PAUSE = 120  # seconds for which the library obeys a Retry-After at most
MOST_CHARACTERS_OF_A_MESSAGE = 300


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
    """Ask about one document; the answer records whatever goes wrong.

    Parameters
    ----------
    client
        Retries and pauses by itself (`Settings.retries`), as Retry-After tells it.
    document, prompt, settings
        What to ask, and how.
    """
    import openai

    began, started = datetime.now(UTC), time.monotonic()
    # The library's timeout starts over with each byte: a server that drips could go on for ever.
    patience = (settings.retries + 1) * (settings.timeout + LONGEST_PAUSE)
    try:
        async with asyncio.timeout(patience):
            response = await client.chat.completions.with_raw_response.create(
                model=settings.model,
                messages=prompt.messages(document.document_type, document.title, document.abstract),
                response_format=RESPONSE_FORMATS[settings.response_format],
                extra_body=dict(settings.parameters),
            )
        answer = _judged(response.http_response.content, settings)
    except (openai.OpenAIError, TimeoutError) as error:
        kind, message = _failure(error)
        answer = {"error": kind, "message": _shown(message, settings.key)}
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
        **answer,
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
    answer = {
        "model_answered": completion.model,
        "finish_reason": choice.finish_reason,
        "tokens_in": usage.prompt_tokens,
        "tokens_out": usage.completion_tokens,
        "cost": settings.cost(usage.prompt_tokens, usage.completion_tokens),
    }
    content = choice.message.content or ""
    if choice.finish_reason == "length":
        return answer | {"error": "truncated", "message": _shown(content, settings.key)}
    if choice.message.refusal or choice.finish_reason == "content_filter":
        message = _shown(choice.message.refusal or content, settings.key)
        return answer | {"error": "declined", "message": message}
    try:
        return answer | Judgement.model_validate_json(content.strip()).model_dump()
    except ValidationError:
        return answer | {"error": "malformed", "message": _shown(content, settings.key)}


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


async def ask_all(
    documents: Sequence[Document],
    prompt: Prompt,
    settings: Settings,
    log: Log,
    report: Callable[[int], None],
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
            report(counted["failed"])
            # Who was never reached, after all retries, will not be.
            is_unreachable = answer.error == "no_connection" and not counted["good"]
            is_fatal = answer.error in REMEDIES_OF_FATAL or is_unreachable
            if is_fatal or in_a_row >= MOST_FAILURES_IN_A_ROW:
                times = "" if is_fatal else f"{in_a_row} failures in a row, the last: "
                raise AnnotationError(
                    f"Stopped: {times}{answer.error} at {settings.base_url}: {answer.message}\n"
                    f"{REMEDIES[answer.error]} The same command continues from here."
                )

    async with _client(settings) as client:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(settings.concurrency, len(documents))):
                    group.create_task(work(client))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
