"""An Airflow 3 DAG: each week's records become a dataset version, which is verified and handed on.

Copy it into the dags folder. Needs Airflow with its standard provider only; fanbeam may live in an environment of its
own. Settings are environment variables of Airflow's processes, named FANBEAM_WEEKLY_ and the setting in capitals;
their values may hold Airflow's templates, `{{ var.value.… }}` included. `docs/schedule.md` tells more.
"""

import json
import os
from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset
from airflow.timetables.interval import CronDataIntervalTimetable

SETTINGS = {
    "config": "birds.yaml",
    "input": "data/{{ data_interval_start | ds }}/*.parquet",
    "output": "out/birds",
    "flags": "",  # of `fanbeam run`, as a shell reads them: --runner flink --flink_master HOST:8081
    "then": 'echo "$VERSION"',  # a shell command that gets VERSION and DATASET; its last line goes to XCom
    "fanbeam": "fanbeam",  # the program, with its folder if PATH does not hold it
    "folder": os.getcwd(),  # noqa: PTH109  where relative paths start
    "cron": "0 0 * * 0",  # where one interval ends and the next begins, in UTC
    "start": "2026-01-04",  # intervals since then are caught up with, one after the other
    "retries": "2",
    "retry_seconds": "300",
}
SETTING = {name: os.environ.get(f"FANBEAM_WEEKLY_{name.upper()}", default) for name, default in SETTINGS.items()}


def answer(line: str) -> dict[str, object]:
    """What fanbeam tells of a run, without what grows with the number of classes."""
    return {key: value for key, value in json.loads(line).items() if not isinstance(value, dict)}


def step(name: str, command: str, **more: object) -> BashOperator:
    """A shell command whose last line goes to XCom; a signal that ends the task ends all that it started."""
    environment = {
        "FANBEAM": SETTING["fanbeam"],
        "CONFIG": SETTING["config"],
        "INPUT": SETTING["input"],
        "OUTPUT": SETTING["output"],
        "VERSION": "{{ (ti.xcom_pull('run') or {}).get('version', '') }}",
        "DATASET": "{{ (ti.xcom_pull('run') or {}).get('path', '') }}",
    }
    return BashOperator(
        task_id=name, bash_command=command, env=environment, append_env=True, cwd=SETTING["folder"], **more
    )


with DAG(
    "fanbeam_weekly",
    description="Augment each week's records into a dataset version",
    schedule=CronDataIntervalTimetable(SETTING["cron"], timezone="UTC"),
    start_date=datetime.fromisoformat(f"{SETTING['start']}T00:00:00+00:00"),
    catchup=True,
    max_active_runs=1,
    default_args={
        "retries": int(SETTING["retries"]),
        "retry_delay": timedelta(seconds=float(SETTING["retry_seconds"])),
    },
) as dag:
    quoted = """quoted() { printf "'%s'" "$(printf %s "$1" | sed "s/'/''/g")"; }"""  # as a value of YAML
    places = '--set "input.path=$(quoted "$INPUT")" --set "output.path=$(quoted "$OUTPUT")"'
    command = f'{quoted}; exec "$FANBEAM" run "$CONFIG" {places} --json {SETTING["flags"]}'
    run = step("run", command, output_processor=answer)
    verify = step("verify", 'exec "$FANBEAM" verify "$DATASET" --json', output_processor=answer)
    hand_on = step("hand_on", SETTING["then"], outlets=[Asset("fanbeam_weekly")])
    run >> verify >> hand_on
