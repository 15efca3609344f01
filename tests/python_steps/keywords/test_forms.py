"""Claims about forms of keywords."""

import pytest

from python_steps.keywords.forms import published_form, without_plural, without_plural_s


@pytest.mark.parametrize(
    ("delivered", "published"),
    [
        ("  Deep   Learning ", "deep learning"),
        ("\uff24eep\u00a0Learning\u2026", "deep learning"),
        ("«Bildverarbeitung»;", "bildverarbeitung"),
        ("Long short-term memory (LSTM)", "long short-term memory (lstm)"),
        ("(LSTM)", "lstm"),
        ("LSTM)", "lstm"),
        ("C++", "c++"),
        ("C#.", "c#"),
        ("深度学习", "深度学习"),
        ("Straße", "strasse"),
        ("---", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_published_keywords_have_one_form(delivered, published):
    assert published_form(delivered) == published
    assert published_form(published) == published


@pytest.mark.parametrize(
    ("word", "carefully", "crudely"),
    [
        ("networks", "network", "network"),
        ("policies", "policy", "policy"),
        ("ties", "tie", "tie"),
        ("classes", "class", "classe"),
        ("analyses", "analysis", "analyse"),
        ("topics", "topics", "topic"),  # a seed knows it
        ("physics", "physics", "physic"),
        ("bias", "bia", "bia"),  # a seed knows it
        ("gps", "gps", "gps"),
        ("corpus", "corpus", "corpus"),
    ],
)
def test_plurals_come_off_carefully_across_documents_and_crudely_within_one(
    word, carefully, crudely
):
    assert without_plural(word) == carefully
    assert without_plural_s(word) == crudely
