"""The sample on a Spark cluster of several processes: what is left when one of them dies."""

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Built, command, environment
from tests.end_to_end.test_spark import differences

pytestmark = pytest.mark.slow
pyspark = pytest.importorskip("pyspark", reason="Spark is not installed: pip install '.[spark]'")

SECONDS_TO_START = 60


@dataclass
class Cluster:
    """A master and two workers of one core each, on loopback."""

    address: str
    workers: list[subprocess.Popen]
    configuration: Path

    @property
    def variables(self) -> dict[str, str]:
        return {
            "DEEPINNOVATION_SPARK_MASTER": self.address,
            "DEEPINNOVATION_MEMORY": "2GB",
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_CONF_DIR": str(self.configuration),
            "SPARK_LOCAL_IP": "127.0.0.1",
        }

    def kill_worker(self) -> None:
        """Kill a worker with its executor and their Python processes, as a lost machine would."""
        os.killpg(self.workers[0].pid, signal.SIGKILL)
        self.workers[0].wait()


def _started(name: str, *arguments: str, log: Path, **variables: str) -> subprocess.Popen:
    starter = Path(pyspark.__file__).parent / "bin" / "spark-class"
    local = {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    with log.open("wb") as output:
        return subprocess.Popen(
            [str(starter), f"org.apache.spark.deploy.{name}", *arguments],
            env=environment(**local, **variables),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with started_cluster(tmp_path) as started:
        yield started


@contextlib.contextmanager
def started_cluster(
    tmp_path: Path, *, machines: int = 2, cores: int = 1, **variables: str
) -> Iterator[Cluster]:
    """Start a master and some workers, and end them with all that they started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    here = ("--host", "127.0.0.1", "--webui-port", "0")
    address = f"spark://127.0.0.1:{port}"
    log = tmp_path / "master.log"
    master = _started("master.Master", *here, "--port", str(port), log=log)
    size = ("--cores", str(cores), "--memory", "2g", "--work-dir", str(tmp_path / "work"))
    workers = [
        _started(
            *("worker.Worker", *here, *size, address),
            log=tmp_path / f"worker{number}.log",
            **variables,
        )
        for number in range(machines)
    ]
    try:
        until = time.monotonic() + SECONDS_TO_START
        while log.read_text().count("Registering worker") < machines:
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        # Two cores: Spark's 200 pieces of everything would be most of the time.
        configuration = tmp_path / "configuration"
        configuration.mkdir()
        (configuration / "spark-defaults.conf").write_text("spark.sql.shuffle.partitions 4\n")
        yield Cluster(address, workers, configuration)
    finally:
        for process in [*workers, master]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@dataclass
class Running:
    """A build in a process of its own, and the shards that are finished."""

    process: subprocess.Popen
    checkpoints: Path

    def wait_for_shards(self, count: int) -> dict[Path, int]:
        """Wait until so many shards are finished; return their files and what tells of a change."""
        while len(found := self.shards()) < count:
            assert self.process.poll() is None, "ended before its time"
            time.sleep(0.02)
        return found

    def shards(self) -> dict[Path, int]:
        found = {}
        for path in self.checkpoints.glob("*.shard.arrow"):
            with contextlib.suppress(FileNotFoundError):
                found[path] = path.stat().st_ino
        return found


@contextlib.contextmanager
def running(place: Built, cluster: Cluster) -> Iterator[Running]:
    """Start a build on a cluster; whatever of it still runs at the end is killed."""
    place.warehouse.parent.mkdir(exist_ok=True)
    process = subprocess.Popen(
        command(place, "--target", "spark"),
        env=environment(**cluster.variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield Running(process, place.warehouse.with_name(place.warehouse.name + ".checkpoints"))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def place_in(folder: Path) -> Built:
    return Built(folder / "made" / "warehouse.spark", folder / "made" / "publication")


def is_as_on_duckdb(place: Built, sample_build: Built) -> bool:
    """Whether a build on the cluster has the tables and the CSV files of one on DuckDB."""
    folders = place.warehouse.glob("*.db/*")
    tables = {f"{folder.parent.stem}.{folder.name}": folder for folder in folders}
    assert len(tables) > 50
    assert not differences(sample_build, tables)
    return csv_files(place) == csv_files(sample_build)


def csv_files(place: Built) -> dict[str, bytes]:
    return {name: text for name, text in place.published().items() if name.endswith(".csv")}


def test_a_lost_worker_costs_time_and_nothing_else(sample_build, cluster, tmp_path):
    place = place_in(tmp_path)
    with running(place, cluster) as build_on_two:
        build_on_two.wait_for_shards(2)
        assert len(build_on_two.shards()) < 16, "embedding was over before the worker was lost"
        cluster.kill_worker()
        said, _ = build_on_two.process.communicate()
    assert build_on_two.process.returncode == 0, said.decode()
    assert is_as_on_duckdb(place, sample_build)


def test_a_lost_driver_goes_on_where_it_was(sample_build, cluster, tmp_path):
    place = place_in(tmp_path)
    with running(place, cluster) as killed:
        finished = killed.wait_for_shards(3)
    assert not (place.publication / "DeepCosineAI.csv").exists()
    with running(place, cluster) as resumed:
        while resumed.process.poll() is None:
            # A shard computed again would be written anew.
            now = resumed.shards()
            assert all(now.get(path, state) == state for path, state in finished.items())
            time.sleep(0.05)
        said, _ = resumed.process.communicate()
    assert resumed.process.returncode == 0, said.decode()
    assert "Continuing the last build" in said.decode()
    assert is_as_on_duckdb(place, sample_build)


ONE_TASK_A_GPU = """
import json, sys, time
import pyarrow as pa
from dbt.adapters.sparksession import SparkSessionCredentials, open_session
from python_steps.engine.shards import map_shards

spark = open_session(SparkSessionCredentials(
    master=sys.argv[1], warehouse=sys.argv[2],
    server_side_parameters={"spark.executor.resource.gpu.amount": "1"},
))
SCHEMA = pa.schema([("started", pa.float64()), ("ended", pa.float64()), ("gpus", pa.string())])

def step(shard):
    from pyspark import TaskContext
    started = time.time()
    time.sleep(0.5)
    resources = TaskContext.get().resources()
    gpus = ",".join(resources["gpu"].addresses) if "gpu" in resources else ""
    return pa.table({"started": [started], "ended": [time.time()], "gpus": [gpus]})

rows = pa.table({"shard": list("abcdef"), "document_id": list("abcdef")})
for share in (0, 1):
    found = map_shards(
        spark.createDataFrame(rows), step, key="shard", schema=SCHEMA, description="wait",
        gpus_per_task=share,
    )
    print(json.dumps(found.toArrow().to_pylist()))
"""


def test_a_task_has_its_gpu_for_itself(tmp_path):
    script = tmp_path / "gpus.sh"
    script.write_text("""#!/bin/sh\necho '{"name": "gpu", "addresses": ["0"]}'\n""")
    script.chmod(0o755)
    gpu = "-Dspark.worker.resource.gpu."
    options = f"{gpu}amount=1 {gpu}discoveryScript={script}"
    with started_cluster(tmp_path, machines=1, cores=2, SPARK_WORKER_OPTS=options) as cluster:
        run = subprocess.run(
            [sys.executable, "-c", ONE_TASK_A_GPU, cluster.address, str(tmp_path / "warehouse")],
            env=environment(**cluster.variables),
            capture_output=True,
            text=True,
            check=False,
        )
    assert run.returncode == 0, run.stderr
    without, with_gpu = (json.loads(line) for line in run.stdout.splitlines()[-2:])
    assert any(_overlap(one, other) for one, other in itertools.combinations(without, 2))
    assert not any(_overlap(one, other) for one, other in itertools.combinations(with_gpu, 2))
    assert {call["gpus"] for call in with_gpu} == {"0"}


def _overlap(one: dict, other: dict) -> bool:
    return one["started"] < other["ended"] and other["started"] < one["ended"]
