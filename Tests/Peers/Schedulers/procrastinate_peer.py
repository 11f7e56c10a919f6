"""procrastinate 3 with a number of periodic tasks `* * * * * *`. Each makes a POST to the target and writes a history row.

usage: procrastinate_peer.py DATABASE_URL TARGET_URL JOBS

One worker with 20 concurrent tasks (the default is 1), woken by LISTEN/NOTIFY (the default); aiohttp keeps connections open.
procrastinate checks for due times half a second after each second (periodic.py), which affects its drift.
"""

import asyncio
import logging
import sys
from datetime import datetime, timezone

import aiohttp
import procrastinate
from psycopg_pool import AsyncConnectionPool

database, target, jobs = sys.argv[1], sys.argv[2], int(sys.argv[3])
concurrency = 20
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=database, min_size=4, max_size=concurrency))
body = b"x" * 100
world = {}
INSERT = """INSERT INTO peer_history
    (job_id, scheduled_time, actual_start_time, finished_at, status, http_status, duration_ms, drift_ms)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"""


@app.task(name="call")
async def call(timestamp, number):
    due, started = datetime.fromtimestamp(timestamp, timezone.utc), datetime.now(timezone.utc)
    async with world["http"].post(target, data=body) as answer:
        await answer.read()
    ended = datetime.now(timezone.utc)
    async with world["database"].connection() as connection:
        await connection.execute(
            INSERT,
            (
                number, due, started, ended, "SUCCESS" if 200 <= answer.status < 300 else "FAILED", answer.status,
                (ended - started).total_seconds() * 1000, (started - due).total_seconds() * 1000,
            ),
        )


async def main():
    logging.basicConfig(level=logging.ERROR)
    for number in range(jobs):
        app.periodic(cron="* * * * * *", periodic_id=str(number), task_kwargs={"number": number})(call)
    async with app.open_async(), aiohttp.ClientSession() as http:
        world["http"] = http
        await app.schema_manager.apply_schema_async()
        async with AsyncConnectionPool(
            database, min_size=4, max_size=concurrency, kwargs={"autocommit": True}, open=False
        ) as pool:
            world["database"] = pool
            print("ready", flush=True)
            await app.run_worker_async(concurrency=concurrency, install_signal_handlers=False)


asyncio.run(main())
