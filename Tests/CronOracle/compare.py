#!/usr/bin/env python3
"""Compares `carillon cron next` with cronsim and croniter, for random expressions, zones and instants from one seed.

    python3 Tests/CronOracle/compare.py .build/release/carillon [--cases 3000] [--seed 1]

The extensions that no library supports (LW-n, @every ... from) are compared with Python's calendar.

A library that is not installed is left out. Known differences of a library are counted by their reason (DIFFERENCES below). Any
other difference is printed, and the exit status is 1.
"""

import argparse
import collections
import json
import random
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

try:
    from cronsim import CronSim, CronSimError
except ImportError:
    CronSim = None
try:
    from croniter import croniter
except ImportError:
    croniter = None

UTC = timezone.utc
ZONES = [
    "UTC", "UTC", "UTC", "Europe/Berlin", "Europe/Berlin", "America/New_York", "Europe/London", "Asia/Kolkata", "Asia/Tokyo",
    "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca", "Pacific/Apia", "America/St_Johns", "Pacific/Chatham",
    "Asia/Tehran", "Antarctica/Troll", "America/Havana",
]
# croniter needs minutes to search further for a rare date.
CRONITER_YEARS = 12
# The time limit of a library for one question.
PATIENCE_SECONDS = 0.5
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
DAYS = "SUN MON TUE WED THU FRI SAT".split()


class Case:
    def __init__(self, rng):
        self.times = 6
        self.zone = rng.choice(ZONES)
        self.reverse = rng.random() < 0.3
        self.fields = [number(rng, 0, 59), number(rng, 0, 23)] + days(rng)
        if rng.random() < 0.3:
            self.fields.insert(0, rng.choice(["0", "30", "*/20", "5,59", "10-12"]))
        start = datetime(1975, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(62 * 365 * 86_400))
        transitions = transitions_after(self.zone, start)
        if transitions and rng.random() < 0.6:
            start = transitions[0] + timedelta(seconds=rng.randrange(-2 * 86_400, 2 * 86_400))
            # A time of day near the clock change.
            if rng.random() < 0.5:
                local = transitions[0].astimezone(ZoneInfo(self.zone))
                self.fields[-4] = str((local.hour + rng.choice([-1, 0, 0])) % 24)
        self.start = start.replace(microsecond=0)

    @property
    def expression(self):
        return " ".join(self.fields)

    @property
    def question(self):
        return {
            "expression": self.expression, "time_zone": self.zone, "from": self.start.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "count": self.times, "reverse": self.reverse,
        }

    @property
    def is_fixed(self):
        minute, hour = self.fields[-5], self.fields[-4]
        return not minute.startswith("*") and not hour.startswith("*")

    @property
    def has_seconds(self):
        return len(self.fields) == 6

    @property
    def day_fields(self):
        return self.fields[-3], self.fields[-1]

    def restricts_both_days(self):
        return all(field != "*" for field in self.day_fields)

    def has_range_of_one(self, with_step):
        items = [item for field in self.fields for item in field.split(",")]
        ranges = [item.split("/")[0].split("-") for item in items if "-" in item and ("/" in item or not with_step)]
        return any(ends[0] == ends[1] for ends in ranges)

    def step_beside_a_restricted_day(self):
        month_day, weekday = self.day_fields
        return self.restricts_both_days() and (month_day.startswith("*") or weekday.startswith("*"))


def number(rng, low, high):
    a, b = sorted((rng.randint(low, high), rng.randint(low, high)))
    step = rng.randint(1, high - low + 1)
    return rng.choice(["*", f"*/{step}", f"{a}", f"{a},{b}", f"{a}-{b}", f"{a}-{b}/{step}", f"{a},{a}-{b}"])


def days(rng):
    kind = rng.random()
    month = rng.choice(["*", "*", "*", number(rng, 1, 12), rng.choice(MONTHS)])
    if kind < 0.4:
        return ["*", "*", "*"]
    if kind < 0.6:
        return [rng.choice([number(rng, 1, 31), "L", f"L,{rng.randint(1, 28)}"]), month, "*"]
    if kind < 0.8:
        weekday = rng.randint(0, 7)
        choices = [number(rng, 0, 6), rng.choice(DAYS), "1-5", f"{weekday}#{rng.randint(1, 5)}", f"{weekday % 7}L"]
        return ["*", month, rng.choice(choices)]
    return [number(rng, 1, 31), month, number(rng, 0, 6)]


def transitions_after(zone, start, days=400):
    """The first instants after `start` at which the zone's offset changes, to the second."""
    if zone == "UTC":
        return []
    info = ZoneInfo(zone)
    found, day = [], start.replace(microsecond=0)
    for _ in range(days):
        following = day + timedelta(days=1)
        if day.astimezone(info).utcoffset() != following.astimezone(info).utcoffset():
            low, high = day, following
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                middle = middle.replace(microsecond=0)
                if middle.astimezone(info).utcoffset() == low.astimezone(info).utcoffset():
                    low = middle
                else:
                    high = middle
            found.append(high)
            break
        day = following
    return found


def near_a_transition(case, *times):
    """Whether the zone's clock is set within two days of one of these times."""
    info = ZoneInfo(case.zone)
    for time in times:
        if time is None:
            continue
        offsets = {(time + timedelta(hours=hours)).astimezone(info).utcoffset() for hours in range(-48, 49)}
        if len(offsets) > 1:
            return True
    return False


def changes_within_an_hour(case, *times):
    """Whether, near one of these times, the clock is set by something else than whole hours, or not on the hour."""
    info = ZoneInfo(case.zone)
    for time in times:
        if time is None:
            continue
        for instant in transitions_after(case.zone, time - timedelta(days=3), days=6):
            before = (instant - timedelta(seconds=1)).astimezone(info)
            jump = instant.astimezone(info).utcoffset() - before.utcoffset()
            if jump % timedelta(hours=1) or (before.minute, before.second) != (59, 59):
                return True
    return False


def expanded(case):
    """croniter's own reading of the two fields of days."""
    fields = croniter.expand(" ".join(case.fields), second_at_beginning=True)[0]
    return fields[2], fields[4]


# The results of the libraries: a list of instants, or None if a library rejects the expression.


def ask_cronsim(case):
    try:
        walk = CronSim(case.expression, case.start.astimezone(ZoneInfo(case.zone)), reverse=case.reverse)
        return collect(walk, case.times)
    except CronSimError:
        return None


def ask_croniter(case):
    fields = list(case.fields)
    # croniter writes the last Friday as L5.
    if fields[-1].endswith("L"):
        fields[-1] = "L" + fields[-1][:-1]
    try:
        start = case.start.astimezone(ZoneInfo(case.zone))
        walk = croniter(" ".join(fields), start, ret_type=datetime, second_at_beginning=True, max_years_between_matches=CRONITER_YEARS)
        step = walk.get_prev if case.reverse else walk.get_next
        return collect(iter(step, object()), case.times)
    except (ValueError, KeyError):
        return None


def collect(walk, count):
    times = []
    try:
        for time in walk:
            times.append(time.astimezone(UTC))
            if len(times) == count:
                break
    except Exception as error:
        if type(error).__name__ not in ("CroniterBadDateError", "StopIteration"):
            raise
    return times


# Years are limited to 1970 to 2199 here (OCPS 1.2, section 4.3).
FIRST = datetime(1970, 1, 1, tzinfo=UTC) - timedelta(hours=26)

# Library, reason, and a test whether the reason explains the first difference (ours, theirs; None if one has no more
# times).
DIFFERENCES = [
    (
        "cronsim", "a day field that begins with * is no restriction in Debian's cron: */2 beside a weekday means AND. "
        "OCPS 1.0, section 6.1: only an exact * is none, so it means OR",
        lambda case, ours, theirs: case.step_beside_a_restricted_day(),
    ),
    (
        "cronsim", "a fixed time with a seconds field follows the clock: nothing in the gap, twice in the overlap. "
        "Here the seconds field makes no difference to the daylight policy",
        lambda case, ours, theirs: case.has_seconds and case.is_fixed and near_a_transition(case, ours, theirs),
    ),
    (
        "cronsim", "a fixed time is worked out without the fold of its start: from within a repeated hour, and before a gap "
        "that is walked backwards, the search begins at another instant",
        lambda case, ours, theirs: case.is_fixed and near_a_transition(case, case.start),
    ),
    (
        "cronsim", "a fixed time is walked on the local clock, where a clock that is set back by more or less than an hour, or "
        "by a whole day, is not seen",
        lambda case, ours, theirs: case.is_fixed and near_a_transition(case, ours, theirs)
        and case.zone in ("Pacific/Apia", "Australia/Lord_Howe", "Antarctica/Troll"),
    ),
    (
        "cronsim", "a step after a range of one value (5-5/10) goes on to the end of the field, as after a value. "
        "OCPS 1.0, section 5: a step stays within its range",
        lambda case, ours, theirs: case.has_range_of_one(with_step=True),
    ),
    (
        "croniter", "a range of one value (5-5) goes all the way round. OCPS 1.0, section 5: it is that value",
        lambda case, ours, theirs: case.has_range_of_one(with_step=False),
    ),
    (
        "cronsim", "a search steps by whole hours, and in an hour that a clock change partly skips or repeats "
        "(half an hour, or at one minute past) it misses times",
        lambda case, ours, theirs: changes_within_an_hour(case, case.start, ours, theirs),
    ),
    (
        "croniter", "a field that lists all its values is a * there, and restricts nothing beside another day field. "
        "OCPS 1.0, section 6.1: only an exact * is none, so it means OR",
        lambda case, ours, theirs: case.restricts_both_days() and ["*"] in expanded(case),
    ),
    (
        "cronsim", "a search ends after 50 years",
        lambda case, ours, theirs: theirs is None and abs((ours - case.start).days) > 49 * 365,
    ),
    (
        "croniter", f"a search ends after {CRONITER_YEARS} years, as configured here",
        lambda case, ours, theirs: theirs is None,
    ),
    (
        "croniter", "a search over a change of the clock adds hours to the local time, and can land in the gap, beside it, or "
        "in the other one of two repeated hours",
        lambda case, ours, theirs: case.zone != "UTC" and near_a_transition(case, case.start, ours, theirs),
    ),
]


# The extensions, computed with Python's calendar alone: dates in local time, one after the other.


class Extension:
    """A question about one of the extensions, and the local times that answer it."""

    def __init__(self, rng):
        self.zone = rng.choice(ZONES)
        start = datetime(1980, 1, 1) + timedelta(days=rng.randrange(60 * 365), minutes=rng.randrange(24 * 60))
        transitions = transitions_after(self.zone, start.replace(tzinfo=UTC))
        if transitions and rng.random() < 0.6:
            # A local time that the clock skips or repeats.
            near = transitions[0].astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
            start = near - timedelta(days=rng.randrange(30), minutes=rng.choice([0, 30, 60, 90]))
        self.start = start.replace(second=0, microsecond=0)
        self.kind = rng.choice(["weekday", "days", "weeks"])
        self.back = rng.randint(0, 22)
        self.period = rng.randint(1, 40) if self.kind == "days" else rng.randint(1, 4)
        self.weekdays = sorted(rng.sample(range(7), rng.randint(1, 4)))

    @property
    def expression(self):
        start = self.start.strftime("%Y-%m-%dT%H:%M")
        if self.kind == "weekday":
            return f"{self.start.minute} {self.start.hour} LW{'-%d' % self.back if self.back else ''} * *"
        if self.kind == "days":
            return f"@every {self.period}d from {start}"
        names = ",".join("MON TUE WED THU FRI SAT SUN".split()[day] for day in self.weekdays)
        return f"@every {self.period}w on {names} from {start}"

    def is_due(self, date):
        """Whether a date from the start on is one of the schedule."""
        if self.kind == "days":
            return (date - self.start.date()).days % self.period == 0
        if self.kind == "weeks":
            monday = self.start.date() - timedelta(days=self.start.weekday())
            return date.weekday() in self.weekdays and (date - monday).days // 7 % self.period == 0
        later = [date + timedelta(days=days) for days in range(1, 32)]
        weekdays = [day for day in later if day.month == date.month and day.weekday() < 5]
        return date.weekday() < 5 and len(weekdays) == self.back

    def times(self, count):
        """The first instants; a time in a gap is the gap's end, of a repeated one the first counts."""
        found, date = [], self.start.date()
        for _ in range(count * 400):
            if self.is_due(date):
                instant = reached(self.zone, datetime.combine(date, self.start.time()))
                if instant not in found:
                    found.append(instant)
                if len(found) == count:
                    break
            date += timedelta(days=1)
        return found


def reached(zone, local):
    """The first instant at which the zone's clock shows a local time or a later one."""
    instant = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local:
        return instant
    return transitions_after(zone, instant - timedelta(days=2), days=4)[0]


def compare_extensions(carillon, rng, count):
    cases = [Extension(rng) for _ in range(count)]
    lines = ""
    for case in cases:
        before = reached(case.zone, case.start) - timedelta(seconds=1)
        question = {"expression": case.expression, "time_zone": case.zone, "from": before.strftime("%Y-%m-%dT%H:%M:%SZ"), "count": 5}
        lines += json.dumps(question) + "\n"
    answer = subprocess.run([carillon, "cron", "next", "--stdin"], input=lines, capture_output=True, text=True, check=True)
    failures = 0
    for case, line in zip(cases, answer.stdout.splitlines(), strict=True):
        found = [datetime.fromisoformat(time.replace("Z", "+00:00")) for time in json.loads(line).get("times", [])]
        expected = case.times(5)
        if found[:len(expected)] != expected:
            failures += 1
            print(f"extension: {case.expression} in {case.zone}\n  ours   {found}\n  python {expected} {line if not found else ''}")
    print(f"extensions: {count - failures} of {count} the same (5 times each)")
    return failures


class TooSlow(BaseException):
    pass


def give_up(number, frame):
    raise TooSlow


def within_patience(ask, case):
    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECONDS)
    try:
        return ask(case)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def first_difference(ours, theirs):
    theirs = [time for time in theirs if time >= FIRST]
    for index in range(max(len(ours), len(theirs))):
        left = ours[index] if index < len(ours) else None
        right = theirs[index] if index < len(theirs) else None
        if left != right:
            return left, right
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("carillon", help="path of the carillon program")
    parser.add_argument("--cases", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    failures = compare_extensions(options.carillon, rng, options.cases // 5)
    libraries = {}
    if CronSim:
        libraries["cronsim"] = ask_cronsim
    if croniter:
        libraries["croniter"] = ask_croniter
    if not libraries:
        print("neither cronsim nor croniter is installed: nothing to compare with (pip install cronsim croniter)")
        return 1 if failures else 0

    cases = [Case(rng) for _ in range(options.cases)]
    lines = "".join(json.dumps(case.question) + "\n" for case in cases)
    answer = subprocess.run(
        [options.carillon, "cron", "next", "--stdin"], input=lines, capture_output=True, text=True, check=True
    )
    answers = [json.loads(line) for line in answer.stdout.splitlines()]
    assert len(answers) == len(cases), f"{len(cases)} questions, {len(answers)} answers"

    for name, ask in libraries.items():
        equal, refused, slow, explained = 0, 0, 0, collections.Counter()
        for case, answer in zip(cases, answers):
            try:
                theirs = within_patience(ask, case)
            except TooSlow:
                slow += 1
                continue
            if theirs is None:
                # croniter rejects a date that does not exist; here (OCPS 1.0, section 6.2) the expression is valid and
                # never due.
                refused += 1
                if answer.get("times") == [] or "error" in answer:
                    continue
                difference = (datetime.fromisoformat(answer["times"][0].replace("Z", "+00:00")), None)
            else:
                ours = [datetime.fromisoformat(time.replace("Z", "+00:00")) for time in answer.get("times", [])]
                difference = first_difference(ours, theirs)
                if difference is None:
                    equal += 1
                    continue
            for library, reason, explains in DIFFERENCES:
                if library == name and explains(case, *difference):
                    explained[reason] += 1
                    break
            else:
                failures += 1
                if failures <= 20:
                    print(f"{name}: {json.dumps(case.question)}\n  ours   {difference[0]}\n  theirs {difference[1]}")
                    if "error" in answer:
                        print(f"  error  {answer['error']}")
        print(f"{name}: {equal} of {len(cases)} the same (6 times each), {refused} refused by it, {slow} given up")
        for reason, count in explained.most_common():
            print(f"  {count:5} {reason}")
    if failures:
        print(f"{failures} differences without a reason (seed {options.seed})")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
