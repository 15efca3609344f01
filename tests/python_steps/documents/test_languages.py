"""The language of texts: told where it is plain, left unknown where it is not."""

import csv
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from python_steps import tables
from python_steps.documents import languages
from tests.python_steps.another_process import called_in_another_process
from tests.real_data import path_of

FORMS = Path(__file__).parents[3] / "seeds" / "reference" / "language_forms.csv"

ABSTRACTS = {
    "en": "We propose a convolutional network that segments tumours in magnetic resonance images.",
    "de": "Das Getriebe umfasst einen Planetenträger, der über eine Bohrung mit Öl versorgt wird.",
    "fr": "Nous proposons une méthode d'apprentissage profond pour la détection des défauts.",
    "es": "Se presenta un sistema de aprendizaje automático para la predicción de la demanda.",
    "it": "Il presente lavoro descrive una rete neurale per il riconoscimento delle immagini.",
    "nl": "Deze werkwijze gebruikt een neuraal netwerk om beelden van gewassen te herkennen.",
    "pt": "Este trabalho apresenta uma rede neural para a classificação de imagens médicas.",
    "pl": "W pracy przedstawiono metodę uczenia maszynowego do rozpoznawania obrazów medycznych.",
    "ru": "Предложен метод распознавания изображений на основе свёрточной нейронной сети.",
    "ar": "تقترح هذه الدراسة شبكة عصبية للتعرف على الصور الطبية وتصنيفها.",
    "zh": "本文提出一种基于深度学习的医学图像分割方法。",
    "ja": "本論文では、深層学習を用いた医用画像の分割手法を提案する。",
    "ko": "본 논문에서는 심층 학습을 이용한 의료 영상 분할 방법을 제안한다.",
}


def documents(*texts):
    """Return documents of (title, abstract), or of a title."""
    pairs = [(text, None) if text is None or isinstance(text, str) else text for text in texts]
    return pa.table(
        {
            "document_id": pa.array([f"W{row}" for row in range(len(pairs))], pa.string()),
            "title": pa.array([title for title, _ in pairs], pa.string()),
            "abstract": pa.array([abstract for _, abstract in pairs], pa.string()),
        }
    )


def languages_of(*texts):
    return languages.detect(documents(*texts)).column("language").to_pylist()


@pytest.mark.parametrize("language, abstract", ABSTRACTS.items())
def test_a_sentence_tells_its_language(language, abstract):
    assert languages_of(abstract, ("W", abstract), (None, abstract)) == [language] * 3


def test_a_language_that_is_told_was_detected_and_any_other_is_unknown():
    result = languages.detect(documents(ABSTRACTS["de"], "AlphaGo"))
    assert result.schema == tables.LANGUAGES
    assert result.to_pylist() == [
        {"document_id": "W0", "language": "de", "language_source": "detected"},
        {"document_id": "W1", "language": None, "language_source": "unknown"},
    ]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        " ",
        "Editorial",
        "深度学习",
        "Erratum 2014 (3) 128-156",
        "10.1103/PhysRevE.69.026113 + 10.1103/PhysRevE.69.066133",
        "∇·B = 0, ∮ E·dl = -dΦ/dt; 3.14159265358979323846264338327950288",
        "GAN ResNet ImageNet CIFAR BLEU",
    ],
)
def test_too_little_text_and_text_in_no_language_stay_unknown(text):
    assert languages_of(text) == [None]


def test_seven_chinese_characters_are_enough_and_six_are_not():
    assert languages_of("医学图像分割方", "医学图像分割") == ["zh", None]


def test_capitals_are_no_obstacle():
    assert languages_of(ABSTRACTS["de"].upper(), ABSTRACTS["en"].upper()) == ["de", "en"]


def test_what_follows_the_beginning_is_not_read():
    translated = f"{ABSTRACTS['en'] * 5} {ABSTRACTS['fr'] * 50}"
    assert languages_of(translated) == ["en"]


def test_chinese_is_chinese_whatever_the_model_takes_it_for():
    # A title that the model holds to be Wu Chinese, by a little.
    assert languages._identifier().classify("基于深度学习的图像分割")[0] in ("zh", "wuu", "yue")
    assert languages_of("基于深度学习的图像分割") == ["zh"]


def test_only_codes_of_iso_639_1_are_ever_told():
    with FORMS.open(newline="") as file:
        codes = {row["language"] for row in csv.DictReader(file)}
    labels = {languages.PART_OF.get(label, label) for label in languages._identifier().labels}
    assert {label for label in labels if len(label) == 2} <= codes
    assert set(languages.PART_OF) <= set(languages._identifier().labels)


def test_company_and_cutting_do_not_matter():
    table = documents(*ABSTRACTS.values(), *(text[:30] for text in ABSTRACTS.values()), None)
    together = languages.detect(table)
    alone = [languages.detect(table.slice(row, 1)) for row in range(table.num_rows)]
    assert pa.concat_tables(alone).to_pylist() == together.to_pylist()


def test_another_process_tells_the_same():
    table = documents(*ABSTRACTS.values())
    assert called_in_another_process(languages.detect, table).equals(languages.detect(table))


def test_other_columns_are_ignored_and_zero_rows_are_none():
    table = documents(ABSTRACTS["en"]).append_column("shard", pa.array(["a"]))
    assert languages.detect(table).schema == tables.LANGUAGES
    empty = languages.detect(table.slice(0, 0))
    assert empty.num_rows == 0
    assert empty.schema == tables.LANGUAGES


# --- real records ---------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "source, language, column, told, wrong",
    [
        ("arxiv_archive", "en", "abstract", 0.999, 0.001),
        ("papercopilot", "en", "title", 0.87, 0.005),
        ("csl_zh", "zh", "abstract", 0.999, 0.001),
        ("csl_zh_titles", "zh", "title", 0.98, 0.001),
        # The record's language is that of the book: a title may be in another.
        ("tib_train", "de", "abstract", 0.99, 0.01),
        ("tib_train", "en", "abstract", 0.99, 0.02),
        ("tib_train", "de", "title", 0.88, 0.06),
    ],
)
def test_languages_of_real_records_are_told_and_right(source, language, column, told, wrong):
    abstract = "abstract" if column == "abstract" else "cast(null as varchar)"
    table = duckdb.sql(
        f"""
        select id as document_id, title, {abstract} as abstract
        from '{path_of("papers.parquet")}'
        where source = '{source}' and language = '{language}' and {column} <> ''
        order by hash(id) limit 3000
        """
    ).to_arrow_table()
    found = [one for one in languages.detect(table).column("language").to_pylist() if one]
    assert len(found) >= told * table.num_rows
    assert sum(one != language for one in found) <= wrong * len(found)
