"""Documents drawn for annotation."""

from dataclasses import dataclass


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
