#!/bin/sh
# Fails for words and names that must not be used: .ci/vocabulary.sh [--advice]
# Prints file and line of each forbidden word. With --advice discouraged words are printed too; they are no failure.
set -eu
cd "$(dirname "$0")/.."

# Migrations up to this number are exempt: their text is part of a checksum.
shipped=007

case "${1:-}" in
    "") mode=check ;;
    --advice) mode=advice ;;
    *) echo "usage: .ci/vocabulary.sh [--advice]" >&2; exit 2 ;;
esac
failed=0

newer=$(for file in migrations/*.sql; do
    number=${file#migrations/}
    if [ "${number%%_*}" -gt "$shipped" ] 2>/dev/null; then echo "$file"; fi
done)

# search FLAGS PATTERN PATHSPEC...: without generated code, embedded migrations, results, fuzzer inputs and this file.
search() {
    flags=$1 pattern=$2
    shift 2
    git grep $flags -E -e "$pattern" -- "$@" \
        ':!Sources/CCarillonProto' ':!Sources/CarillonPostgres/Migrations+Embedded.swift' \
        ':!Tests/Benchmarks/results' ':!Tests/Fuzzing/Seeds' ':!.ci/vocabulary.sh' ':!*.json' || [ $? -eq 1 ]
}

# rule CLASS FLAGS PATTERN INSTEAD [PATHSPEC...]
rule() {
    class=$1 flags=$2 pattern=$3 instead=$4
    shift 4
    # Without paths the rule applies to all texts.
    case "${1:-:!}" in
        ':!'*) set -- "$@" Sources Tests .ci deploy proto Makefile Package.swift docker-compose.yml README.md CHANGELOG.md $newer ;;
    esac
    [ "$class" = forbidden ] || [ $mode = advice ] || return 0
    found=$(search "-n $flags" "$pattern" "$@")
    [ -n "$found" ] || return 0
    echo "$found" | sed "s|\$|    [write: $instead]|"
    [ "$class" = advised ] || failed=1
}

name() { rule forbidden -w "$@"; }
word() { rule forbidden -wi "$@"; }
advise() { rule advised -wi "$@"; }

# ---- Names of types, properties and files
name 'Agenda|agenda' JobTable
name 'ExecutionLedger|ledger' ExecutionTable
name 'WorkerDesk[A-Za-z]*|RequestDesk|DeskBox|desks?' 'WorkerEngine, RequestHandler'
name 'DispatcherBox' LockedDispatcher
name 'Slab' SlotMap
name 'Canary[A-Za-z]*|[Cc]anar(y|ies)|sings?|singing' 'InjectedFault, isActive'
name '[Tt]ickets?|(has|take|last|next|unknown)Tickets?' 'RequestID, PendingReplies'
# Exempt: PostgresCluster.watchers in Tests/TestSupport, processes that watch.
name '[Ww]atchers?' Subscriptions Sources Tests ':!Tests/TestSupport'
name 'QueryTurns[A-Za-z]*|takeTurns' RequestLimiter
name 'StatusBoard|HealthBoard' 'StatusSnapshot, HealthSnapshot'
name 'Pump[A-Za-z]*|pumps?' EventLoopThread
name 'Milestone' Latch
name 'LinkID' ConnectionID
name 'parted|endParting' 'disconnected, workerDisconnected'
name 'freest|unheard|isHeard' 'leastLoaded, unacknowledged'
name 'takeBack|passOn|holdMarks|makeUp|makeAhead|makeAgain|lineUp|isMadeAgain|takeEarly|forgetAwaited' \
    'rollBack, mergeIntoNext, delayWatermarks, insertMissed, prematerialize, recreateRow, enqueue'
# Exempt: cron, where a gap is a skipped local time.
name 'Gap|GapReading|GapRow|NotedGap|gapReading|gapRows[A-Za-z]*|loadGapRows|openGap|workOffGap|gap(Opened|Closed|Read|NotRead)' \
    'Outage, OutageScan, OutageRow' Sources Tests ':!Sources/CarillonCron' ':!Tests/CarillonCronTests'
name 'gaps?' outage Sources/CarillonCore Sources/CarillonScheduler Sources/CarillonPostgres Sources/CarillonWire Tests/CarillonCoreTests \
    Tests/SimulationTests Tests/CarillonPostgresTests ':!Sources/CarillonCore/Decisions/CreditShare.swift' \
    ':!Sources/CarillonCore/CarillonCore.docc/Guarantees.md'
name 'makeHidden|deleteHidden|hidden jobs?' 'ad-hoc job'
name 'WorkerNote' WorkerLogEvent
name 'Note' DispatcherLogEvent 'Sources/CarillonCore/Decisions/Event.swift' 'Sources/CarillonScheduler'
rule forbidden '' '(^|[^A-Za-z0-9_])Figures[.(?]|(struct|enum|extension) Figures' \
    'Counters (counts), Summary (of a statistic), ValueFormat (text)' '*.swift'
name 'Token' DispatchToken 'Sources/*.swift'
name '[Ii]nquir(y|ies)' RequestContext
name 'Reply' RouteResponse Sources/CarillonGateway Tests/CarillonGatewayTests
name 'FactSheet|TimeWord' 'DetailTable, TimeArgument'
rule forbidden '' '(^|[^A-Za-z0-9_])(Display|Text|Span)[.(?]|(struct|enum|extension) (Display|Text|Span) ' \
    'TerminalText, TextFormat, DurationArgument' 'Sources/CarillonCommand/*.swift' 'Tests/CarillonCommandTests/*.swift'
# Names in camel case that hold old words.
name '[A-Za-z]*[a-z](ForEver|Whoever|Nobody|InVain|Anew|Mended)([A-Z0-9][A-Za-z0-9]*)?|(whoever|nobody|nobodys)[A-Z][A-Za-z]*' 'the plain term' \
    '*.swift' Tests/SimulationTests

# ---- Words
word 'anew' again
word 'in vain' 'without success'
word "nobody's" 'name the owner'
word 'for ever' 'forever, indefinitely'
word 'whoever|whosoever|whomever' 'name the subject'
word '(made|make|makes|making) up for' 'catch up on, insert missed'
word '(work|works|worked|working) off' 'process, catch up on'
word 'mend(s|ed|ing)?' 'fix, correct, repair'
word '(the |than |but |as )?one that' 'name the thing'
word '(that|what|which) is none|that are none|one that is none' 'invalid'
word 'bear(s|ing)?|borne|bore' 'have, carry'
word 'be it|lest|hence|thereof|whereupon|henceforth|aught|naught|save for' 'plain English'
word 'for want of' 'because there is no'
word '(what|all that) (came|comes|became|becomes) of' 'the outcome of'
word 'cannot be had' 'is unavailable'
word 'takes? it for|took it for' 'treats it as'
# Metaphors
word 'rooms' modules
name 'room' module Package.swift .ci Makefile '*.md'
word 'doors?|houses?|arrows?' 'executable, structure, dependency'
word 'clocks? of quartz|the living' 'name the thing'

# ---- Discouraged words: not always wrong
advise 'those that|those who|those which' 'name the things'
advise 'that of|those of' 'name the thing'
advise 'nobody|somebody|everybody|anybody' 'name the process or person'
advise 'whatever' 'any, every'
advise 'stranger(s)?' 'untrusted client, third-party implementation'
advise 'obey(s|ed)?|disobedient' 'follow, accept commands of'
advise 'liar|lied|lies|lying' 'misreport'
advise 'complain(s|t|ts|ed)?' 'report an error'
advise 'knock(s|ed)?' 'wake-up'
advise 'farewells?' 'final message'
advise 'owe[sd]?' 'unacknowledged'
advise 'heard|hears?' 'received'
advise 'told|tells?' 'notify, report'
advise 'give(n|s)? back|gave back|taken? back' 'return, roll back'
advise 'a word|its word|their word|the word of' 'report, claim'
advise 'goes by|stands? for|but for' 'plain English'
advise 'all the same|likewise|the like' 'plain English'
advise 'of its own|of their own|on its own' 'separate, own'
advise 'so many|so much|so long' 'plain English'
advise 'in line' queued
advise 'lets' 'allow, make'
advise 'begun|ceased?' 'started, stopped'
advise 'by hand' 'manually'
advise 'unless told|is told|are told' 'by default, is notified'
advise 'design §' 'a link to a guide; the design document is not in the repository'
advise 'is not known' unknown
rule advised '' '^[[:space:]]*(///?|#|--|\*)[[:space:]]+(- [A-Za-z ]+:[[:space:]]+)?(It|What|Who|Whose|Whoever|One|That|Those|This one|They) ' \
    'a sentence that names its subject'
rule advised '' 'func `?(what|who|whose|whoever|those|one|it)([A-Z]| )|@(Test|Suite)\("(what|who|whose|those|one|it) ' 'a test name with a subject' 'Tests/*.swift'

[ $failed -eq 0 ] || { echo "vocabulary: replace the words above; the table of words is in .ci/vocabulary.sh" >&2; exit 1; }
echo "vocabulary: ok"
