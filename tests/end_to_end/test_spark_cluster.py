"""The sample on a Spark cluster of several processes: what is left when one of them dies."""

import contextlib
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

from tests.end_to_end.conftest import Built, build, command, environment

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


def _started(name: str, *arguments: str, log: Path) -> subprocess.Popen:
    starter = Path(pyspark.__file__).parent / "bin" / "spark-class"
    variables = environment(SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=sys.executable)
    with log.open("wb") as output:
        return subprocess.Popen(
            [str(starter), f"org.apache.spark.deploy.{name}", *arguments],
            env=variables,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    here = ("--host", "127.0.0.1", "--webui-port", "0")
    address = f"spark://127.0.0.1:{port}"
    log = tmp_path / "master.log"
    master = _started("master.Master", *here, "--port", str(port), log=log)
    size = ("--cores", "1", "--memory", "2g", "--work-dir", str(tmp_path / "work"))
    workers = [
        _started("worker.Worker", *here, *size, address, log=tmp_path / f"worker{number}.log")
        for number in range(2)
    ]
    try:
        until = time.monotonic() + SECONDS_TO_START
        while log.read_text().count("Registering worker") < 2:
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


def test_a_lost_worker_costs_time_and_nothing_else(sample_build, cluster, tmp_path):
    place = place_in(tmp_path)
    with running(place, cluster) as build_on_two:
        build_on_two.wait_for_shards(2)
        assert len(build_on_two.shards()) < 16, "embedding was over before the worker was lost"
        cluster.kill_worker()
        said, _ = build_on_two.process.communicate()
    assert build_on_two.process.returncode == 0, said.decode()
    assert place.published() == sample_build.published()


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
    assert "Going on with the last build" in said.decode()
    assert place.published() == sample_build.published()


def test_two_builds_on_a_cluster_publish_the_same_bytes(sample_build, cluster, tmp_path):
    place = place_in(tmp_path)
    assert build(place, "--target", "spark", **cluster.variables).published()
    assert place.published() == sample_build.published()
