"""Actors of a Ray of this machine: whoever dies, each item has one result, and nothing waits for what never begins."""

import os
import signal
import sys

import pytest

ray = pytest.importorskip("ray", reason="needs the package ray, of the extra of that name")

from cluster import actors  # noqa: E402
from cluster.actors import ClusterError, cluster, spread  # noqa: E402
from tests.support.ray_workers import ray_workers  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning")  # Ray's own


class Mortal:
    """Ends its process at an item of that name, and refuses another."""

    def work(self, items: list[str], task: str) -> list[str]:
        if "fatal" in items:
            os._exit(1)
        if "refused" in items:
            raise ValueError("no such thing")
        return [f"{task} {item}" for item in items]


def results(count: int, items: list[str]) -> dict[int, str]:
    return dict(spread(Mortal, count, enumerate(items), "done", "died"))


@pytest.fixture
def one_cpu():
    with cluster(1) as count:
        yield count


def test_an_item_that_ends_its_process_each_time_has_the_result_of_that_and_the_others_have_theirs(one_cpu):
    names = ["a", "b", "fatal", *(f"c{number}" for number in range(40))]
    assert results(one_cpu, names) == {
        number: "died" if name == "fatal" else f"done {name}" for number, name in enumerate(names)
    }


def test_an_actor_that_never_begins_is_not_waited_for(one_cpu):
    names = [f"c{number}" for number in range(200)]
    assert results(3, names) == {number: f"done {name}" for number, name in enumerate(names)}


def test_what_a_worker_raises_is_raised_as_it_was(one_cpu):
    with pytest.raises(ValueError, match=r"^no such thing$") as raised:
        results(one_cpu, ["a", "refused"])
    assert type(raised.value) is ValueError


@pytest.mark.skipif(sys.platform != "linux", reason="workers are found in Linux's /proc")
def test_a_worker_that_is_killed_costs_no_item(one_cpu):
    names, killed, found = [f"c{number}" for number in range(400)], set[int](), dict[int, str]()
    for number, made in spread(Mortal, one_cpu, enumerate(names), "done", "died"):
        for pid in [] if killed else ray_workers("Mortal"):
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        found[number] = made
    assert killed
    assert found == {number: f"done {name}" for number, name in enumerate(names)}


def test_a_cluster_without_a_free_cpu_is_said_instead_of_waiting_for_ever(monkeypatch):
    monkeypatch.setattr(actors, "PATIENCE", 2)
    with cluster(1):
        holder = ray.remote(num_cpus=1)(Mortal).remote()
        ray.get(holder.work.remote([], ""))
        with pytest.raises(ClusterError, match="the cluster has no CPU free"):
            results(1, ["a"])


def test_a_cluster_that_is_not_there_is_said_at_once(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with (
        pytest.raises(ClusterError, match=r"nobody answers at 127\.0\.0\.1:1 .*set RAY_ADDRESS to a cluster"),
        cluster(),
    ):
        pass
