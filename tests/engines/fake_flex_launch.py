"""How Dataflow launches a Flex Template: it checks parameters, runs the launcher, starts the job that this left.

https://cloud.google.com/dataflow/docs/reference/rest/v1b3/projects.locations.flexTemplates/launch
"""

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAIN = Path(__file__).parents[2] / "scripts" / "engines" / "flex_template" / "main.py"


class Refused(Exception):
    """What a scheduler gets told."""


@dataclass(frozen=True)
class FlexTemplates:
    """`spec`: the template's file. `bucket`: for staging. `read`: an object of it, None if there is none."""

    spec: Mapping[str, Any]
    bucket: str
    environment: Mapping[str, str]
    read: Callable[[str], bytes | None]

    def launch(self, name: str, parameters: Mapping[str, str]) -> bytes:
        """The job to start."""
        self._check(parameters)
        left = f"staging/template_launches/{name}/job_object"
        given = {
            "job_name": name,
            "region": "europe-west1",
            "runner": "DataflowRunner",
            "project": "my-project",
            "template_location": f"gs://{self.bucket}/{left}",
            "temp_location": f"gs://{self.bucket}/tmp/",
            "staging_location": f"gs://{self.bucket}/staging/",
            "labels": '{"goog-dataflow-provided": "no"}',
            "service_account_email": "workers@my-project.iam",
            "experiments": "enable_something",
            **parameters,
        }
        command = [sys.executable, str(MAIN), *(f"--{key}={value}" for key, value in given.items())]
        done = subprocess.run(command, env=self.environment, text=True, capture_output=True, timeout=150)
        if done.returncode:
            raise Refused(f"Template launch failed: {done.stdout}{done.stderr}")
        job = self.read(left)
        if job is None:
            raise Refused(f"Unable to open template file: {left}")
        return job

    def _check(self, parameters: Mapping[str, str]) -> None:
        known = {told["name"]: told for told in self.spec["metadata"]["parameters"]}
        missing = [name for name, told in known.items() if not told["isOptional"] and name not in parameters]
        unknown = [name for name in parameters if name not in known]
        odd = [n for n, v in parameters.items() if n in known and not re.search(known[n]["regexes"][0], v)]
        if missing or unknown or odd:
            raise Refused(f"The template parameters are invalid: {missing or unknown or odd}")
