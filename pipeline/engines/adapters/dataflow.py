"""Google Cloud Dataflow: workers are machines that Google starts for the job, and that know nothing but object stores.

Beam's runner stages fanbeam and the graph below `--temp_location` and submits over Dataflow's API, which is asked here
too for what a job died of: https://cloud.google.com/dataflow/docs/reference/rest
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from pipeline.errors import Problem
from pipeline.storage.folder import Folder

_STORE = "gs://"
_LOCATIONS = ("temp_location", "staging_location")
_FROM_ENVIRONMENT = {"project": "GOOGLE_CLOUD_PROJECT", "region": "CLOUDSDK_COMPUTE_REGION"}
_DEFAULTS = {
    # Beam starts a process per core of the machine, and each renders in a child: so one shard per core is in memory.
    "number_of_worker_harness_threads": "1",
    "autoscaling_algorithm": "THROUGHPUT_BASED",
}
_NO_FREEZE = "disable_logging_submission_environment"  # `pip freeze` may show credentials in the URLs of packages
_SECONDS = 30.0


def settled(given: Mapping[str, Any]) -> list[str]:
    """One shard per core in memory, workers as the backlog needs them, and nothing of this session but the graph."""
    defaults = {name: os.environ.get(variable, "") for name, variable in _FROM_ENVIRONMENT.items()} | _DEFAULTS
    added = [f"--{name}={value}" for name, value in defaults.items() if value and name not in given]
    if "save_main_session" not in given:
        added.append("--no_save_main_session")
    return [*added, f"--experiments={_NO_FREEZE}"]


def problems(options: Mapping[str, Any], output: Folder) -> list[Problem]:
    """What Beam would find late, one by one, or not at all."""
    found = [*_missing(options), *_misplaced(options, output)]
    if not _installed():
        remedy = "Install it with: pip install 'fanbeam[dataflow]'"
        return [Problem("--runner dataflow", "Beam's part for Google Cloud is not installed.", remedy), *found]
    if not options.get("no_auth") and not _has_credentials():
        remedy = "Log in with: gcloud auth application-default login; or set GOOGLE_APPLICATION_CREDENTIALS."
        return [*found, Problem("credentials", "this machine has none for Google Cloud.", remedy)]
    return found or list(_no_bucket(options))


def cancel(options: Mapping[str, Any], job_name: str) -> None:
    """Cancel the job if it is still there; Beam's own `cancel` has no job when submission itself was interrupted."""
    with _jobs(options) as (dataflow, jobs, _):
        for job in _named(dataflow, jobs, options, job_name):
            wanted = dataflow.Job(requested_state=dataflow.JobState.JOB_STATE_CANCELLED)
            request = dataflow.UpdateJobRequest(job=wanted, job_id=job.id, **_place(options))
            jobs.update_job(request=request, timeout=_SECONDS)


def cause(options: Mapping[str, Any], job_name: str) -> str:
    """The last error message of the job; rather one that quotes what a worker raised."""
    with _jobs(options) as (dataflow, jobs, messages):
        importance = dataflow.JobMessageImportance.JOB_MESSAGE_ERROR
        said: list[str] = []
        for job in _named(dataflow, jobs, options, job_name):
            request = dataflow.ListJobMessagesRequest(job_id=job.id, minimum_importance=importance, **_place(options))
            said += [m.message_text for m in messages.list_job_messages(request=request, timeout=_SECONDS)]
        raised = [text for text in said if "Traceback" in text]
        return _last_line((raised or said or [""])[-1])


def _missing(options: Mapping[str, Any]) -> Iterator[Problem]:
    for name, example in (("project", "my-project"), ("region", "europe-west1")):
        if not options.get(name):
            remedy = f"Give --{name} {example}, or set {_FROM_ENVIRONMENT[name]}."
            yield Problem(f"--{name}", "is missing.", remedy)
    if not any(options.get(name) for name in _LOCATIONS):
        remedy = "Give --temp_location gs://BUCKET/tmp: the graph and packages are staged there."
        yield Problem("--temp_location", "is missing.", remedy)


def _misplaced(options: Mapping[str, Any], output: Folder) -> Iterator[Problem]:
    for name in _LOCATIONS:
        value = options.get(name)
        if value and not value.startswith(_STORE):
            yield Problem(f"--{name}", f"{value} is not on Google Cloud Storage.", "Give a gs:// location.")
    if output.local or output.url.startswith("memory:"):
        message = f"{output.url} is on this machine; Dataflow's workers cannot write there."
        yield Problem("output.path", message, "Use an object store, e.g. --set output.path=gs://BUCKET/birds")
    if options.get("dry_run"):
        yield Problem("--dry_run", "submits nothing and makes nothing.", "`fanbeam plan` shows what a run would make.")


def _no_bucket(options: Mapping[str, Any]) -> Iterator[Problem]:
    asked = {options[name].removeprefix(_STORE).split("/")[0] for name in _LOCATIONS if options.get(name)}
    for bucket in sorted(asked):
        if not Folder(f"{_STORE}{bucket}").exists():
            message = f"there is no bucket {_STORE}{bucket}, or these credentials may not see it."
            yield Problem("--temp_location", message, f"Make it with: gcloud storage buckets create {_STORE}{bucket}")


def _installed() -> bool:
    try:
        return find_spec("google.cloud.dataflow") is not None
    except ModuleNotFoundError:
        return False


def _has_credentials() -> bool:
    import google.auth
    from google.auth.exceptions import GoogleAuthError

    try:
        google.auth.default()
    except GoogleAuthError:
        return False
    return True


@contextmanager
def _jobs(options: Mapping[str, Any]) -> Iterator[tuple[Any, Any, Any]]:
    """Google's library, its client for jobs, its client for messages. What they raise becomes OSError."""
    import google.auth
    from google.api_core.client_options import ClientOptions
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.credentials import AnonymousCredentials
    from google.auth.exceptions import GoogleAuthError
    from google.cloud import dataflow

    try:
        anonymous: Any = AnonymousCredentials
        known = anonymous() if options.get("no_auth") else google.auth.default()[0]
        where = ClientOptions(api_endpoint=options["dataflow_endpoint"].rstrip("/"))
        jobs = dataflow.JobsV1Beta3Client(credentials=known, client_options=where, transport="rest")
        messages = dataflow.MessagesV1Beta3Client(credentials=known, client_options=where, transport="rest")
        yield dataflow, jobs, messages
    except (GoogleAPIError, GoogleAuthError) as error:
        raise OSError(f"Dataflow does not answer: {error}") from error


def _place(options: Mapping[str, Any]) -> dict[str, Any]:
    return {"project_id": options["project"], "location": options["region"]}


def _named(dataflow: Any, jobs: Any, options: Mapping[str, Any], job_name: str) -> list[Any]:
    request = dataflow.ListJobsRequest(name=job_name, **_place(options))
    return [job for job in jobs.list_jobs(request=request, timeout=_SECONDS) if job.name == job_name]


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else ""
