"""Starting Spark for a build, or reaching it.

Whatever can hinder a session is found here, before the first node, and reported in a sentence:
Spark itself tries again for minutes, or answers with a page of Java.
"""

import contextlib
import os
import re
import socket
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from python_steps.building.failures import explain_missing
from python_steps.building.messages import shortened
from python_steps.errors import WRONG_USAGE, BuildError
from python_steps.sources.systems import is_address
from python_steps.warehouse.opening import explain_warehouse

if TYPE_CHECKING:
    from dbt.adapters.sparksession import SparkSessionCredentials


SECONDS_TO_ANSWER = 10.0
PORTS = {"sc": 15002, "spark": 7077, "thrift": 9083}
WHO = {
    "sc": "Spark Connect server",
    "spark": "Spark master",
    "thrift": "Hive metastore",
}
VARIABLES = {
    "sc": "DEEPINNOVATION_SPARK_REMOTE",
    "spark": "DEEPINNOVATION_SPARK_MASTER",
    "thrift": "DEEPINNOVATION_SPARK_CATALOG",
}


GREETING = r"WARNING: Using incubator|Using Spark's default|.* (INFO|WARN) \w+: |Setting |To adjust"


def start(credentials: "SparkSessionCredentials", log: Path) -> Path | None:
    """Open the session of this process.

    Parameters
    ----------
    credentials
        Of dbt's target.
    log
        File for what Spark's driver says, where this process starts it.

    Returns
    -------
    Path or None
        The log; None where the driver runs elsewhere, and has a log of its own.

    Raises
    ------
    BuildError
        If a package or Java is missing, nobody answers at an address, the process has a session
        with another warehouse, or Spark refuses to start.
    """
    from dbt.adapters.sparksession import check_java, open_session
    from dbt_common.exceptions import DbtRuntimeError

    for needless in ("PySpark does not yet fully support pandas", "Failed to set spark.sql."):
        warnings.filterwarnings("ignore", needless)
    try:
        if credentials.remote:
            _refuse_silent(credentials.remote)
            open_session(credentials).sql("select 1").collect()
            return None
        check_java()
        _refuse_silent(credentials.master)
        _refuse_silent(credentials.catalog)
        _refuse_another_warehouse(credentials)
        log.parent.mkdir(parents=True, exist_ok=True)
        if not is_address(credentials.warehouse):
            Path(credentials.warehouse).mkdir(parents=True, exist_ok=True)
        credentials.server_side_parameters["spark.ui.showConsoleProgress"] = "false"  # in a file
        with _stderr_in(log):
            # Asked for at once, since the catalog is opened by the first who asks.
            open_session(credentials).catalog.listDatabases()
    except ImportError as error:
        missing = error.name or shortened(str(error), 1)[0]
        raise BuildError(explain_missing(missing), WRONG_USAGE) from error
    except DbtRuntimeError as error:
        raise BuildError(str(error.msg), WRONG_USAGE) from error
    except BuildError:
        raise
    except Exception as error:
        raise BuildError(_explained(str(error), credentials, log)) from error
    return log


def _refuse_silent(addresses: str) -> None:
    """Refuse addresses, joined by commas, of which none answers; others than Spark's are let be.

    Raises
    ------
    BuildError
        With the address and the variable that names it.
    """
    scheme, separator, rest = addresses.partition("://")
    if not separator or scheme not in PORTS:
        return
    reasons = []
    for address in rest.replace(f"{scheme}://", "").split(","):
        host, _, port = re.split("[/;]", address)[0].rpartition(":")
        host, port = (host, port) if host else (port, str(PORTS[scheme]))
        if scheme == "sc" and _goes_through_proxy(host):
            return
        try:
            socket.create_connection((host.strip("[]"), int(port)), SECONDS_TO_ANSWER).close()
            return
        except (OSError, ValueError) as error:
            reasons.append(getattr(error, "strerror", None) or str(error))
    raise BuildError(
        f"No {WHO[scheme]} answers at {addresses} ({', '.join(dict.fromkeys(reasons))}). Start it, "
        f"or name another in {VARIABLES[scheme]}."
    )


def _goes_through_proxy(host: str) -> bool:
    """Whether Spark Connect reaches a host through a proxy, which a plain connection does not."""
    proxies = {"https", "http", "grpc"} & set(urllib.request.getproxies())
    return bool(proxies) and not urllib.request.proxy_bypass(host)


def _refuse_another_warehouse(credentials: "SparkSessionCredentials") -> None:
    """Refuse a second warehouse in one process: Spark would go on writing to the first."""
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    if session is None:
        return
    name = "spark.sql.warehouse.dir"
    current = session.conf.get(name).removeprefix("file:")
    wanted = credentials.server_side_parameters[name]
    if current.rstrip("/") != wanted.rstrip("/"):
        raise BuildError(
            f"This process already has a Spark session with the warehouse {current}, and can have "
            f"only one. Build {wanted} in a process of its own."
        )


@contextlib.contextmanager
def _stderr_in(log: Path) -> Iterator[None]:
    """Let the file take the errors of processes that are started meanwhile.

    Spark's driver greets, warns and draws its bars there, and so do its Python workers, for as
    long as they live.
    """
    kept = os.dup(2)
    with log.open("w") as opened:
        os.dup2(opened.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _explained(message: str, credentials: "SparkSessionCredentials", log: Path) -> str:
    """Say why Spark does not start."""
    output = log.read_text(errors="replace") if log.exists() and not credentials.remote else ""
    if "Another instance of Derby" in message + output:
        return explain_warehouse("Another instance of Derby", credentials.warehouse)
    reasons = shortened(message, 3)
    if "JAVA_GATEWAY_EXITED" in message:  # of which the driver alone knows the reason
        lines = [line for line in output.splitlines() if not re.match(GREETING, line)]
        reasons = shortened("\n".join(lines))[:2] or reasons
    place = credentials.remote or credentials.master
    lines = [f"Spark does not start ({place}): {reasons[0]}", *reasons[1:]]
    return "\n".join(lines if credentials.remote else [*lines, f"Spark's log: {log}"])
