import itertools
import pickle
import unicodedata

import pyarrow as pa
import pyarrow.csv
import pytest

from python_steps import tables
from python_steps.command_line.options import project_folder
from python_steps.keywords import normalisation
from python_steps.keywords.normalisation import Variants, normalise, normalise_keyword

SEED = project_folder() / "seeds" / "reference" / "spelling_variants.csv"
VARIANTS = Variants.from_table(pyarrow.csv.read_csv(SEED))


def form(keyword):
    return normalise_keyword(keyword, VARIANTS)


@pytest.mark.parametrize(
    ("shared", "keywords"),
    {
        "neural network": [
            "Neural Networks",
            "neural-network",
            "\u201cneural\u201d networks",
            "\uff2e\uff25ural network",
        ],
        "multiagent system": [
            "multi-agent systems",
            "multi agent system",
            "multiagent\u00a0systems",
        ],
        "pretrained model": ["pre-trained models", "pretrained model", "Pre\u2011Trained Model"],
        "data set": ["dataset", "datasets", "data sets", "data-set"],
        "behavior modeling": ["behaviour modelling", "behavior modeling", "behaviours modelling"],
        "color optimization": [
            "colour optimisation",
            "color optimizations",
            "colours optimisation",
        ],
        "alzheimer disease": [
            "Alzheimer's disease",
            "alzheimer\u2019s diseases",
            "Alzheimer disease",
        ],
        "support vector machine": [
            "support vector machines (SVMs)",
            "SVM (support vector machine)",
            "support vector machine svm",
            "support-vector machines",
        ],
        "deep convolutional neural network": ["deep convolutional neural networks (CNN)"],
        "confusion matrix": ["confusion matrices", "confusion matrix"],
        "k means": ["k-means", "K means"],
        "dialog policy": ["dialogue policies", "dialog policy"],
    }.items(),
)
def test_ways_to_write_a_keyword_share_a_form(shared, keywords):
    assert {keyword: form(keyword) for keyword in keywords} == dict.fromkeys(keywords, shared)


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        *(("analyses", "analysis"), ("hypotheses", "hypothesis"), ("indices", "index")),
        *(("vertices", "vertex"), ("classes", "class"), ("losses", "loss"), ("boxes", "box")),
        *(("caches", "cache"), ("patches", "patch"), ("policies", "policy"), ("movies", "movie")),
        *(("ties", "tie"), ("databases", "database"), ("biases", "bias"), ("lenses", "lens")),
        *(("viruses", "virus"), ("houses", "house"), ("corpora", "corpus"), ("leaves", "leaf")),
        *(("waves", "wave"), ("heroes", "hero"), ("shoes", "shoe"), ("videos", "video")),
        *(("cameras", "camera"), ("metrics", "metric"), ("cnns", "cnn"), ("word2vecs", "word2vec")),
    ],
)
def test_plurals_become_singular(plural, singular):
    assert form(plural) == form(singular) == singular


@pytest.mark.parametrize(
    "word",
    [
        *("bias", "gas", "analysis", "lens", "physics", "news", "process", "class", "series"),
        *("species", "robotics", "mathematics", "corpus", "status", "virus", "autonomous", "atlas"),
        *("chaos", "diabetes", "bayes", "kubernetes", "data", "media", "synthesis", "loss", "gps"),
        *("ios", "aws", "les", "specimen", "covid", "supervised", "noise", "improvisation", "hans"),
        *("mathematisches", "c++", "c#", ".net", "gpt 4", "f1", "q(s", "日本語", "über"),
    ],
)
def test_what_is_no_plural_stays(word):
    assert form(word) == word.replace("(", " ")


@pytest.mark.parametrize(
    "keyword",
    [
        "principal component analysis lda",
        "the cnn",
        "cnn architecture",
        "network network",
        "data mining: dm: mining",
        "a",
        "e",
        "multi",
        "non c",
        "supermarket",
    ],
)
def test_no_word_is_taken_for_an_abbreviation_or_for_a_prefix_that_is_none(keyword):
    assert form(keyword) == keyword


def test_what_has_no_letter_or_digit_becomes_empty():
    assert [form(keyword) for keyword in ("", " ", "!?", "\u200b", "- \u2013", "()")] == [""] * 6


def test_every_word_of_the_seed_has_its_form():
    rows = pyarrow.csv.read_csv(SEED).to_pylist()
    assert len(rows) > 250
    wrong = []
    for variant, standard, kind in (row.values() for row in rows):
        expected = {variant: standard}
        if kind == "verb":
            expected |= {f"{variant[:-1]}{end}": f"{standard[:-1]}{end}" for end in ("ed", "ation")}
        if kind == "prefix":
            expected |= dict.fromkeys((f"{variant}-words", f"{variant} word"), f"{variant}word")
        wrong += [word for word, standard in expected.items() if form(word) != standard]
        if variant != unicodedata.normalize("NFKC", variant).casefold():
            wrong.append(variant)
    assert not wrong


def test_a_form_is_its_own_form():
    words = [
        "Neural-Networks",
        "analyses",
        "pre-trained",
        "behaviours",
        "dataset",
        "lenses",
        "SVMs",
    ]
    for keyword in map(" ".join, itertools.permutations(words, 3)):
        assert form(form(keyword)) == form(keyword)


def test_rows_keep_their_order_and_their_number():
    keywords = ["robots", "Robot", "robots", "!"]
    found = normalise(pa.table({"keyword": keywords}), variants=VARIANTS)
    assert found.schema == tables.NORMALISED_KEYWORDS
    assert found.to_pydict() == {
        "keyword": keywords,
        "normalised_keyword": ["robot", "robot", "robot", ""],
    }


def test_no_keywords_give_no_rows():
    empty = pa.table({"keyword": pa.array([], pa.string())})
    assert normalise(empty, variants=VARIANTS).to_pydict() == {
        "keyword": [],
        "normalised_keyword": [],
    }


def test_the_version_tells_of_every_word_but_not_of_their_order():
    rows = [("robotes", "robot", "plural"), ("multi", "multi", "prefix")]

    def version(*rows):
        columns = zip(("variant", "standard", "variant_kind"), zip(*rows, strict=True), strict=True)
        return normalisation.version(Variants.from_table(pa.table(dict(columns))))

    assert version(*rows) == version(*reversed(rows))
    assert version(*rows) != version(rows[0], ("semi", "semi", "prefix"))
    assert version(*rows) != version(("robotes", "robots", "plural"), rows[1])


def test_the_step_pickles():
    copy = pickle.loads(pickle.dumps(VARIANTS))
    assert copy == VARIANTS
    assert copy.digest == VARIANTS.digest
