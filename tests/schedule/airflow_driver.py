"""Runs in Airflow's own environment: `dag.test()` for one interval after the other; what came of it as JSON lines.

usage: airflow_driver.py ANSWERS catch-up COUNT | ANSWERS ended DAY…
"""

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from airflow.configuration import conf
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.encoders import coerce_to_core_timetable
from airflow.timetables.base import DataInterval, TimeRestriction


def caught_up(dag: Any, count: int) -> Iterator[DataInterval]:
    """The first intervals that the scheduler would make."""
    timetable, last = coerce_to_core_timetable(dag.timetable), None
    for _ in range(count):
        restriction = TimeRestriction(earliest=dag.start_date, latest=None, catchup=dag.catchup)
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        assert info is not None
        last = info.data_interval
        yield last


def told(run: Any) -> dict[str, Any]:
    tasks = {
        ti.task_id: {"state": ti.state, "try": ti.try_number, "xcom": ti.xcom_pull(ti.task_id)}
        for ti in run.get_task_instances()
    }
    return {"state": run.state, "from": run.data_interval_start.isoformat(), "tasks": tasks}


def main(answers: str, how: str, *wanted: str) -> None:
    bag = DagBag(conf.get("core", "dags_folder"))
    assert not bag.import_errors, bag.import_errors
    dag = bag.dags["fanbeam_weekly"]
    if how == "catch-up":
        ends = [interval.end for interval in caught_up(dag, int(wanted[0]))]
    else:
        ends = [datetime.fromisoformat(f"{day}T00:00:00+00:00") for day in wanted]
    with Path(answers).open("w") as file:
        for end in ends:
            file.write(json.dumps(told(dag.test(logical_date=end))) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
