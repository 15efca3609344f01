"""The project's own SQL, for a DuckDB without dbt.

`deepinnovation check` judges the first records of a source by the very models and macros of a
build, so that both agree, and `evaluate linking` the known pairs of a file; to start dbt for that
would take longer than the reading. Rendered here is the part of dbt's Jinja that their models and
the macros beneath them use.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

from python_steps.errors import InputError

if TYPE_CHECKING:
    from jinja2 import Environment, Template

MACRO = re.compile(r"{%-? *macro +(\w+)")


class _ReturnedError(Exception):
    """Carries what a macro returns past the text that it has written, as dbt's `return` does."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value


class StagingSql:
    """Renders macros and models of a project.

    Parameters
    ----------
    project
        Folder of dbt_project.yml.
    variables
        Values of `var(…)`.
    engine
        Whose variants of macros are taken: duckdb or spark.
    more_of_dbt
        Further names that models and macros find in dbt: `run_query` and the like.
    """

    def __init__(
        self,
        project: Path,
        variables: Mapping[str, Any],
        engine: str = "duckdb",
        more_of_dbt: Mapping[str, object] | None = None,
    ) -> None:
        self.project = project
        self.engine = engine
        self.environment = _environment()
        self.environment.globals.update(
            {
                "var": lambda name, default=None: variables.get(name, default),
                "return": _return,
                "adapter": SimpleNamespace(dispatch=self._dispatch),
                "run_started_at": datetime.now(UTC),
                "exceptions": SimpleNamespace(raise_compiler_error=_refuse),
                "ref": lambda name: self._ref(name),
                "modules": SimpleNamespace(re=re),
                "run_query": _run_query,
                **(more_of_dbt or {}),
            }
        )
        self._ref: Callable[[str], str] = _refuse  # of `over`; macros find it, too
        self.macros: dict[str, Callable[..., Any]] = {}
        texts = [f.read_text(encoding="utf-8") for f in sorted((project / "macros").rglob("*.sql"))]
        # All names first: a macro sees only the names that were known when its file was read.
        for name in MACRO.findall("".join(texts)):
            self.environment.globals[name] = partial(self._call, name)
        for text in texts:
            # Renamed, so that a macro finds those of its own file as it finds all others: by _call.
            module = self.template(MACRO.sub(r"{% macro called_\1", text)).module
            for name, macro in vars(module).items():
                self.macros[name.removeprefix("called_")] = macro

    def template(self, text: str) -> "Template":
        """Return a template that finds the macros; the same text is compiled once in a process."""
        code = _compiled(text)
        return self.environment.template_class.from_code(
            self.environment, code, self.environment.make_globals(None)
        )

    def check_variables(self) -> None:
        """Refuse what a build would refuse: a ValueError names the variable and what it may be."""
        self._call("check_variables")

    def fields_read(self, system: str, entity: str, names: Iterable[str]) -> dict[str, str]:
        """Return the fields of an entity that delivered names are read as, each with its name.

        In `tables`, case, blanks and usual synonyms of a name make no difference: see the macro
        table_columns. Other systems are read by their own names.
        """
        if system != "tables":
            return {name: name for name in names}
        plain = {re.sub(r"[\W_]+", "", name.lower()): name for name in names}
        read = {}
        for field, others in self._call("table_columns", entity).items():
            found = [name.replace("_", "") for name in (field, *others)]
            for name in filter(plain.__contains__, found):
                read.setdefault(field, plain[name])
        return read

    def names_read(self, entity: str, field: str) -> list[str]:
        """Return the names under which a field of `tables` is read, its own first."""
        return [field, *self._call("table_columns", entity).get(field, ())]

    def macro(self, name: str, *arguments: object) -> str:
        """Return SQL that a macro of the project writes."""
        return str(self._call(name, *arguments))

    def records(self, form: str, files: Iterable[str]) -> str:
        """Return SQL of the records in files: record_file, record_row and record_text.

        Parameters
        ----------
        form
            How the files are read: lines, documents, parquet or csv.
        files
            Paths or globs.
        """
        by_form = {name: [] for name in ("lines", "documents", "parquet", "csv")}
        return self._dispatch("read_records")(by_form | {form: list(files)})

    def model(self, name: str, delivered: str) -> str:
        """Return SQL of a staging model, as `stg_openalex__works`, over delivered records.

        Parameters
        ----------
        name
            Name of the model.
        delivered
            Relation with the columns that `records` gives.
        """
        (file,) = (self.project / "models/staging").rglob(f"{name}.sql")
        template = self.template(file.read_text(encoding="utf-8"))
        return template.render(delivered_records=lambda *_: f"select * from {delivered}")

    def over(self, name: str, relations: Mapping[str, str]) -> str:
        """Return SQL of any model over relations.

        Parameters
        ----------
        name
            Name of the model.
        relations
            Where the models lie that are there, by their names. What is not is read through its own
            SQL; so a view needs not be there, but what it reads.

        Raises
        ------
        InputError
            When a model is not there that has no SQL.
        """

        def ref(other: str) -> str:
            return relations[other] if other in relations else f"({self.over(other, relations)})"

        file = next((self.project / "models").rglob(f"{name}.sql"), None)
        if file is None:
            raise InputError(
                f"The warehouse has no intermediate.{name}: build it with `deepinnovation build`."
            )
        self._ref = ref
        return self.template(file.read_text(encoding="utf-8")).render()

    def _dispatch(self, name: str) -> Callable[..., Any]:
        """Return the engine's variant of a macro, else the default one."""
        own = f"{self.engine}__{name}"
        return partial(self._call, own if own in self.macros else f"default__{name}")

    def _call(self, name: str, /, *arguments: object, **named: object) -> object:
        """Call a macro, and return what it returns, or else the text that it writes."""
        try:
            return self.macros[name](*arguments, **named)
        except _ReturnedError as returned:
            return returned.value


def _environment() -> "Environment":
    import jinja2

    return jinja2.Environment(undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.do"])


@cache
def _compiled(text: str) -> CodeType:
    """Compile a template, which takes longer than to render it and asks for no macro."""
    return _environment().compile(text)


def _return(value: object) -> NoReturn:
    raise _ReturnedError(value)


def _run_query(sql: str) -> SimpleNamespace:
    """Ask a DuckDB of its own, which sees files and nothing else."""
    import duckdb

    with duckdb.connect() as connection:
        return SimpleNamespace(rows=connection.execute(sql).fetchall())


def _refuse(message: str) -> NoReturn:
    raise ValueError(message)
