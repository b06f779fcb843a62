"""Where jobs run: processes of this machine, a Dask cluster, a Ray cluster."""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib

from hwnas_env.arguments import check_jobs, check_type
from hwnas_env.devices.registry import user_folder
from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.extras import load_extra

CLUSTERS = ("dask", "ray")


@dataclass(frozen=True)
class Workers:
    """Says where jobs run.

    Attributes:
        jobs: processes; -1 for one a core. Of a cluster with an address, Dask takes
            all workers and Ray all cores, unless more than one is asked for.
        backend: loky, dask, ray, or another of joblib's that runs processes.
        address: of a running cluster; None makes one of this machine's processes.
    """

    jobs: int = 1
    backend: str = "loky"
    address: str | None = None

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            InvalidArgumentError: no number of jobs, threads, or an address without a
                cluster.
        """
        check_jobs(self.jobs)
        check_type(self.backend, str, what="backend")
        if self.address is not None:
            check_type(self.address, str, what="address")
        if self.backend == "threading":
            message = "backend: expected processes, got threading: learners' seeds are"
            message += " a process's own"
            raise InvalidArgumentError(message)
        if self.address is not None and self.backend not in CLUSTERS:
            message = f"address: expected with dask or ray, not with {self.backend}"
            raise InvalidArgumentError(message)


@dataclass(frozen=True)
class Pool:
    """Workers that wait for jobs.

    Attributes:
        jobs: what joblib is asked for.
        size: how many jobs run at a time.
        streams: whether results come one by one, as they end.
        deaths: what is raised where a worker died.
        parent: number of the process that workers end with; None on clusters, which
            look after their own.
    """

    jobs: int
    size: int
    streams: bool
    deaths: tuple[type[BaseException], ...]
    parent: int | None = None


@contextlib.contextmanager
def open_pool(workers: Workers) -> Iterator[Pool]:
    """Starts workers, or connects to them, and makes them joblib's.

    Args:
        workers: which.

    Raises:
        MissingExtraError: the cluster's package is not installed.
        InvalidArgumentError: joblib knows no such backend, or workers are threads.
    """
    if workers.backend == "dask":
        with _dask(workers) as pool, joblib.parallel_config(backend="dask"):
            yield pool
    elif workers.backend == "ray":
        with _ray(workers) as pool, joblib.parallel_config(backend="ray"):
            yield pool
    else:
        from concurrent.futures.process import BrokenProcessPool

        try:
            config = joblib.parallel_config(backend=workers.backend)
        except (ValueError, KeyError, ImportError) as error:
            message = f"backend: expected loky, dask or ray: {error}"
            raise InvalidArgumentError(message) from None
        with config:
            if workers.backend == "loky":
                _leave_old_workers()
            size = joblib.effective_n_jobs(workers.jobs)
            streams = workers.backend == "loky"
            yield Pool(workers.jobs, size, streams, (BrokenProcessPool,), os.getpid())


_seen: list[Any] = []
"""What the waiting processes of loky found when they imported this package."""


def _leave_old_workers() -> None:
    """Ends processes that loky keeps where they would know other devices than this one.

    A process reads the variables of this package and the user's devices once, when it
    imports the package; loky keeps it for whatever is run next.
    """
    variables = sorted(v for v in os.environ.items() if v[0].startswith("HWNAS_ENV_"))
    now = [
        variables,
        [(path, _stamp(path)) for path in sorted(user_folder().glob("*"))],
    ]
    if now != _seen:
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True)
        _seen[:] = now


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:  # it has just been removed
        return ()
    return status.st_mtime_ns, status.st_ino, status.st_size


@contextlib.contextmanager
def _dask(workers: Workers) -> Iterator[Pool]:
    distributed: Any = load_extra("distributed", extra="dask", purpose="backend dask")
    with contextlib.ExitStack() as stack:
        address: Any = workers.address
        if address is None:
            import dask

            # runs with a timeout have a child, which daemons must not
            stack.enter_context(dask.config.set({"distributed.worker.daemon": False}))
            cluster = distributed.LocalCluster(
                n_workers=joblib.cpu_count() if workers.jobs == -1 else workers.jobs,
                threads_per_worker=1,
                dashboard_address=None,
            )
            address = stack.enter_context(cluster)
        try:
            client = stack.enter_context(distributed.Client(address))
        except (OSError, ValueError) as error:
            message = f"address: no Dask cluster at {shown(workers.address)}: {error}"
            raise InvalidArgumentError(message) from error
        threads = client.nthreads()
        if any(count > 1 for count in threads.values()):
            message = (
                "dask: expected workers of one thread each (dask worker --nthreads 1 "
                "--nworkers N), since learners' seeds are a process's own"
            )
            raise InvalidArgumentError(message)
        deaths = (
            distributed.scheduler.KilledWorker,
            distributed.client.FutureCancelledError,
            distributed.comm.CommClosedError,
        )
        yield Pool(-1, max(1, len(threads)), streams=True, deaths=deaths)


@contextlib.contextmanager
def _ray(workers: Workers) -> Iterator[Pool]:
    ray: Any = load_extra("ray", extra="ray", purpose="backend ray")
    importlib.import_module("ray.util.joblib").register_ray()
    ours = not ray.is_initialized()
    if ours:
        local = workers.address is None
        count = joblib.cpu_count() if workers.jobs == -1 else workers.jobs
        # agents of one's own are found where this process finds them
        places = {"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}}
        ray.init(
            address=workers.address,
            num_cpus=count if local else None,
            include_dashboard=False if local else None,
            runtime_env=places if local else None,
            log_to_driver=False,
            logging_level="ERROR",
        )
    try:
        cores = int(ray.cluster_resources().get("CPU", 1))
        wanted = workers.jobs
        if wanted == -1 or (wanted == 1 and workers.address is not None):
            wanted = cores
        deaths = (ray.exceptions.RayError, KeyError)  # a node that is gone has no "CPU"
        yield Pool(wanted, wanted, streams=False, deaths=deaths)
    finally:
        if ours:
            ray.shutdown()
