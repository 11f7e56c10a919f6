"""APScheduler 3 with a number of jobs `* * * * * *`. Each makes a POST to the target and writes a history row.

usage: apscheduler_peer.py DATABASE_URL TARGET_URL JOBS memory|postgres

The settings are those that the documentation recommends for such a load: a pool of 20 threads, no coalescing, a misfire grace time of
a minute, many concurrent instances. The target is called with http.client, one connection per thread (requests needs five times the CPU).
"""

import http.client
import logging
import sys
import threading
import time
from datetime import datetime, timezone
from urllib.parse import urlsplit

import psycopg
from apscheduler.events import EVENT_JOB_EXECUTED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

database, target, jobs, store = sys.argv[1], urlsplit(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
body = b"x" * 100
own = threading.local()
INSERT = """INSERT INTO peer_history
    (job_id, scheduled_time, actual_start_time, finished_at, status, http_status, duration_ms, drift_ms)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"""


def call():
    started = datetime.now(timezone.utc)
    if not hasattr(own, "http"):
        own.http = http.client.HTTPConnection(target.hostname, target.port)
        own.database = psycopg.connect(database, autocommit=True)
    own.http.request("POST", target.path, body)
    answer = own.http.getresponse()
    answer.read()
    return started, datetime.now(timezone.utc), answer.status


def record(event):
    # Runs in the thread that made the call. Only this event contains the job's due time.
    started, ended, status = event.retval
    due = event.scheduled_run_time
    own.database.execute(
        INSERT,
        (
            int(event.job_id), due, started, ended, "SUCCESS" if 200 <= status < 300 else "FAILED", status,
            (ended - started).total_seconds() * 1000, (started - due).total_seconds() * 1000,
        ),
    )


def main():
    logging.basicConfig(level=logging.ERROR)
    stores = {
        "memory": MemoryJobStore,
        "postgres": lambda: SQLAlchemyJobStore(url=database.replace("postgresql:", "postgresql+psycopg:")),
    }
    scheduler = BackgroundScheduler(
        jobstores={"default": stores[store]()},
        executors={"default": ThreadPoolExecutor(20)},
        job_defaults={"coalesce": False, "max_instances": 100, "misfire_grace_time": 60},
        timezone=timezone.utc,
    )
    scheduler.add_listener(record, EVENT_JOB_EXECUTED)
    scheduler.start(paused=True)
    for number in range(jobs):
        scheduler.add_job(call, CronTrigger(second="*", timezone=timezone.utc), id=str(number))
    scheduler.resume()
    print("ready", flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
