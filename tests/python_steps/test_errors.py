"""How to install what is missing, from where this program was installed."""

import importlib.metadata
import json

import pytest

from python_steps import errors


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (None, "pip install 'deepinnovation[train]'"),
        (
            {"url": "file:///home/me/my%20project", "dir_info": {"editable": True}},
            "pip install --editable '/home/me/my project[train]'",
        ),
        (
            {"url": "file:///tmp/deepinnovation-0.1.0-py3-none-any.whl", "archive_info": {}},
            "pip install '/tmp/deepinnovation-0.1.0-py3-none-any.whl[train]'",
        ),
        (
            {"url": "https://host/d.whl", "archive_info": {}},
            "pip install 'deepinnovation[train] @ https://host/d.whl'",
        ),
    ],
)
def test_an_extra_is_installed_from_where_the_program_was(monkeypatch, origin, command):
    class Installed:
        def read_text(self, name):
            assert name == "direct_url.json"
            return None if origin is None else json.dumps(origin)

    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Installed())
    assert errors.install_command("train") == command
