"""How long other libraries take for a next due time, in nanoseconds: a line `library<TAB>expression<TAB>zone<TAB>ns` for each.

cronsim and croniter (PyPI) are measured where they can be imported. Each at its best: one iterator, asked again and again.
"""

import sys
import time
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

EXPRESSIONS = ["* * * * * *", "0 */5 * * * *", "0 0 9 * * 1-5", "0 0 0 29 2 *"]
ZONES = {"UTC": timezone.utc, "Europe/Berlin": ZoneInfo("Europe/Berlin")}
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
LAST_YEAR = 2090


def iterators():
    try:
        from cronsim import CronSim

        yield "cronsim", lambda text, begin: CronSim(text, begin)
    except ImportError:
        print("cronsim is not installed (pip install cronsim)", file=sys.stderr)
    try:
        from croniter import croniter

        def make(text, begin):
            # By default croniter expects the seconds last.
            cron = croniter(text, begin, ret_type=datetime, second_at_beginning=True)
            return iter(cron.get_next, None)

        yield "croniter", make
    except ImportError:
        print("croniter is not installed (pip install croniter)", file=sys.stderr)


for library, make in iterators():
    for text in EXPRESSIONS:
        count = 300 if text.endswith("29 2 *") else 3_000
        for zone, info in ZONES.items():
            begin = datetime(2026, 1, 1, tzinfo=info)
            for _ in range(ROUNDS):
                found = make(text, begin)
                start = time.perf_counter_ns()
                for _ in range(count):
                    if next(found).year > LAST_YEAR:
                        found = make(text, begin)
                print(library, text, zone, (time.perf_counter_ns() - start) / count, sep="\t", flush=True)
