import CarillonCore
import CarillonCron
import CarillonWire

/// Messages with random content, covering every case.
struct Samples {
    var random: SeededGenerator

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    /// The number of cases that `message` creates.
    static let caseCount = 21 + 19 + 9

    mutating func message(_ index: Int) -> Message {
        switch index {
        case 0: return .hello(hello())
        case 1: return .welcome(welcome())
        case 2: return .ping(sentMicroseconds: random.next(upperBound: UInt64(Int64.max)).signed)
        case 3: return .pong(pingSentMicroseconds: -5, answeredMicroseconds: 1_700_000_000_000_000)
        case 4: return .goodbye(why: text())
        case 5: return .error(error())
        case 6: return .lead(lead(), shards: (0..<small()).map { UInt8($0) })
        case 7: return .holding(epoch: number(), running: list { $0.held() })
        case 8: return .credit(granted: random.next())
        case 9: return .dispatch(clusterTime: time(), list { $0.call() })
        case 10: return .started(list { $0.token() })
        case 11: return .outcome(list { $0.outcome() })
        case 12: return .outcomeAck(list { AcknowledgedOutcome($0.token(), $0.one(AckResult.self)) })
        case 13: return .cancel(list { $0.token() })
        case 14: return .drain
        case 15: return .unknown
        case 16: return .dispatch(clusterTime: time(), [])
        case 17: return .leadRefused(epoch: number(), shards: list { UInt8($0.small()) }, highest: lead())
        case 18: return .claimQuery(list { $0.claim() })
        case 19:
            return .claimAnswer(
                rememberedMs: random.next(),
                list { AnsweredClaim($0.claim(), $0.one(ClaimState.self)) }
            )
        case 20:
            return .pong(pingSentMicroseconds: 5, answeredMicroseconds: number(), clockMicroseconds: random.next())
        case 21..<40: return .request(request(index - 21))
        default: return .answer(answer(index - 40))
        }
    }

    mutating func lead() -> LeadProof {
        LeadProof(epoch: number(), incarnation: random.next(), proof: code())
    }

    mutating func code() -> AuthenticationCode {
        AuthenticationCode(high: random.next() | 1, low: random.next())
    }

    mutating func claim() -> QueriedClaim {
        QueriedClaim(token: token(), executionID: execution(), attempt: small() + 1, shard: shard())
    }

    mutating func request(_ index: Int) -> Request {
        switch index {
        case 0: return .createJob(settings(), idempotencyKey: maybe { $0.text() }, fingerprint: maybe { $0.text() })
        case 1: return .getJob(job())
        case 2:
            var list = ListJobs()
            list.active = maybe { $0.bool() }
            list.name = maybe { $0.text() }
            list.tag = maybe { $0.text() }
            list.lastStatus = maybe { $0.one(ExecutionStatus.self) }
            list.limit = maybe { UInt32($0.small()) }
            list.cursor = maybe { $0.text() }
            return .listJobs(list)
        case 3: return .updateJob(job(), settings(), ifVersion: list { $0.number() })
        case 4: return .deleteJob(job(), ifVersion: list { $0.number() })
        case 5: return .pauseJob(job())
        case 6: return .resumeJob(job())
        case 7: return .runJob(job(), idempotencyKey: maybe { $0.text() }, fingerprint: maybe { $0.text() })
        case 8:
            var list = ListExecutions()
            list.jobID = maybe { $0.job() }
            list.statuses = self.list { $0.one(ExecutionStatus.self) }
            list.from = maybe { $0.time() }
            list.to = maybe { $0.time() }
            list.limit = maybe { UInt32($0.small()) }
            list.cursor = maybe { $0.text() }
            return .listExecutions(list)
        case 9: return .getExecution(job(), execution())
        case 10: return .getLatestExecution(job())
        case 11: return .getExecutionStats(job(), from: maybe { $0.time() }, to: maybe { $0.time() })
        case 12: return .cancelExecution(job(), execution())
        case 13: return .watchExecutions(maybe { $0.job() })
        case 14: return .stopWatching
        case 15: return .executeNow(settings(), wait: bool())
        case 16: return .refreshSchedule
        case 17:
            var preview = PreviewSchedule(schedule: text())
            preview.timeZone = maybe { $0.text() }
            preview.from = maybe { $0.time() }
            preview.count = maybe { UInt32($0.small()) }
            preview.daylightPolicy = maybe { $0.element(["CRON", "SKIP", "BOTH"]) }
            return .previewSchedule(preview)
        default: return .getCluster
        }
    }

    mutating func answer(_ index: Int) -> Answer {
        switch index {
        case 0: return .job(jobView())
        case 1:
            return .jobList(list { $0.jobView() }, nextCursor: maybe { $0.text() }, totalCount: maybe { $0.number() })
        case 2: return .deleted(job())
        case 3:
            let execution = executionRow()
            let attempts = list { $0.attempt(of: execution.id) }
            return .execution(execution, failedAttempts: attempts, url: maybe { $0.text() })
        case 4: return .executionList(list { $0.executionRow() }, nextCursor: maybe { $0.text() })
        case 5: return .executionStats(job(), from: time(), to: time(), stats())
        case 6: return .scheduleRefreshed(status: text(), jobs: number())
        case 7:
            return .schedulePreview(
                SchedulePreview(
                    schedule: text(),
                    timeZone: text(),
                    scheduleDescription: text(),
                    times: list { SchedulePreview.PreviewedTime(time: $0.time(), localTime: $0.text()) }
                )
            )
        default: return .cluster(cluster())
        }
    }

    // MARK: Parts

    mutating func hello() -> Hello {
        Hello(
            role: one(Role.self),
            name: text(),
            bootID: id(),
            features: list { $0.text() },
            maxWorkers: maybe { UInt32($0.small()) },
            version: maybe { $0.text() }
        )
    }

    mutating func welcome() -> Welcome {
        Welcome(
            serverID: id(),
            leading: bool(),
            epoch: maybe { $0.number() },
            shards: (0..<16).map { UInt8($0) },
            heartbeatMs: 2_000,
            maxFrameBytes: 1 << 22,
            serverTime: time(),
            version: maybe { $0.text() },
            leaderAddress: maybe { $0.text() }
        )
    }

    mutating func error() -> ClientError {
        ClientError(
            one(ClientError.Code.self),
            text(),
            errors: list { FieldError(field: $0.text(), message: $0.text()) },
            retryable: bool(),
            reason: maybe { $0.one(ClientError.Reason.self) },
            leaderAddress: maybe { $0.text() }
        )
    }

    mutating func held() -> HeldCall {
        HeldCall(
            token: token(),
            code: code(),
            shard: shard(),
            executionID: execution(),
            jobID: job(),
            attempt: small()
        )
    }

    mutating func call() -> DispatchedCall {
        DispatchedCall(
            token: token(),
            code: code(),
            shard: shard(),
            executionID: execution(),
            jobID: job(),
            attempt: 1 + small(),
            scheduledTime: time(),
            startAfterMicroseconds: bool() ? 0 : random.next(),
            startBeforeClockMicroseconds: maybe { $0.random.next() },
            kind: small() == 0 ? .unsupported : .http(httpCall()),
            timeoutMs: 1 + small() * 1000,
            connectTimeoutMs: 1 + small(),
            atMostOnce: bool(),
            responseLimit: small()
        )
    }

    mutating func httpCall() -> HTTPCall {
        HTTPCall(
            url: text(),
            method: "PUT",
            headers: list { HTTPHeader(name: $0.text(), value: $0.text()) },
            body: maybe { $0.text() }
        )
    }

    mutating func outcome() -> CallOutcome {
        CallOutcome(
            token: token(),
            code: code(),
            shard: shard(),
            executionID: execution(),
            jobID: job(),
            attempt: small(),
            kind: one(OutcomeKind.self),
            startedAfterMicroseconds: random.next(),
            durationMicroseconds: random.next(),
            httpStatus: maybe { 200 + $0.small() },
            response: maybe { $0.text() },
            errorMessage: maybe { $0.text() },
            retryAfterMs: maybe { $0.random.next() },
            startedClockMicroseconds: maybe { $0.random.next() }
        )
    }

    mutating func settings() -> JobSettings {
        var settings = JobSettings()
        settings.schedule = maybe { $0.text() }
        settings.url = maybe { $0.text() }
        settings.executionType = maybe { $0.one(ExecutionType.self) }
        settings.name = maybe { $0.text() }
        settings.description = maybe { $0.text() }
        settings.timeZone = maybe { $0.text() }
        settings.daylightPolicy = maybe { $0.element([DaylightPolicy.cron, .skip, .both]) }
        settings.method = maybe { $0.text() }
        settings.headers = maybe { $0.filled { HTTPHeader(name: $0.text(), value: $0.text()) } }
        settings.body = maybe { $0.text() }
        settings.timeoutSeconds = maybe { Double($0.small()) / 7 }
        settings.maxRetries = maybe { $0.small() }
        settings.retryInitialDelaySeconds = maybe { Double($0.small()) / 3 }
        settings.retryMaxDelaySeconds = maybe { Double($0.small()) }
        settings.catchUpPolicy = maybe { $0.one(CatchUpPolicy.self) }
        settings.catchUpWindowSeconds = maybe { Double($0.small()) }
        settings.overlapPolicy = maybe { $0.one(OverlapPolicy.self) }
        settings.priority = maybe { -$0.small() }
        settings.startsAt = maybe { $0.time() }
        settings.endsAt = maybe { $0.time() }
        settings.tags = maybe { $0.filled { $0.text() } }
        settings.active = maybe { $0.bool() }
        settings.cleared = bool() ? ["description", "body"] : []
        return settings
    }

    mutating func jobView() -> JobView {
        let created = time()
        return JobView(
            job: Job(
                id: job(),
                name: maybe { $0.text() },
                description: maybe { $0.text() },
                schedule: text(),
                timeZone: "Europe/Berlin",
                daylightPolicy: element([DaylightPolicy.cron, .skip, .both]),
                call: HTTPCall(
                    url: text(),
                    method: "GET",
                    headers: list { HTTPHeader(name: $0.text(), value: $0.text()) },
                    body: maybe { $0.text() }
                ),
                executionType: one(ExecutionType.self),
                timeoutMs: 1 + small() * 37,
                maxRetries: small(),
                retryInitialDelayMs: 1 + small(),
                retryMaxDelayMs: 3 + small(),
                catchUpPolicy: one(CatchUpPolicy.self),
                catchUpWindowMs: small() * 13,
                overlapPolicy: one(OverlapPolicy.self),
                priority: -small(),
                active: bool(),
                startsAt: maybe { $0.time() },
                endsAt: maybe { $0.time() },
                tags: list { $0.text() },
                effectiveFrom: created,
                version: number(),
                createdAt: created,
                updatedAt: time()
            ),
            scheduleDescription: text(),
            nextRunTime: maybe { $0.time() }
        )
    }

    mutating func executionRow() -> Execution {
        var row = Execution(
            id: execution(),
            jobID: job(),
            trigger: one(Trigger.self),
            scheduledTime: time(),
            status: one(ExecutionStatus.self),
            reason: maybe { $0.one(Reason.self) },
            attempts: small(),
            lostAttempts: maybe { 1 + $0.small() } ?? 0,
            createdAt: time()
        )
        row.actualStartTime = maybe { $0.time() }
        row.finishedAt = maybe { $0.time() }
        row.httpStatus = maybe { 200 + $0.small() }
        row.durationMicroseconds = maybe { Int64($0.small()) * 1_237 }
        row.driftMicroseconds = maybe { -Int64($0.small()) * 17 }
        row.response = maybe { $0.text() }
        row.errorMessage = maybe { $0.text() }
        row.worker = maybe { $0.text() }
        row.nextAttemptAt = maybe { $0.time() }
        row.skippedCount = maybe { $0.number() }
        row.skippedFrom = maybe { $0.time() }
        return row
    }

    mutating func attempt(of execution: ExecutionID) -> Attempt {
        Attempt(
            executionID: execution,
            number: small(),
            token: DispatchToken(epoch: 0, sequence: 0),
            startedAt: time(),
            finishedAt: time(),
            durationMicroseconds: Int64(small()) * 999,
            httpStatus: maybe { 500 + $0.small() },
            response: maybe { $0.text() },
            errorMessage: maybe { $0.text() },
            worker: maybe { $0.text() }
        )
    }

    mutating func stats() -> ExecutionStats {
        var stats = ExecutionStats()
        stats.total = Int64(small())
        stats.successes = Int64(small())
        stats.failures = Int64(small())
        stats.duration = maybe {
            ExecutionStats.Summary(average: Double($0.small()) * 1000, p50: 2000, p95: 3000, p99: 250)
        }
        stats.drift = maybe { ExecutionStats.Summary(average: 0, p50: Double($0.small()) * 1000, p95: 0, p99: 125) }
        return stats
    }

    mutating func cluster() -> ClusterView {
        ClusterView(
            serverID: id(),
            leading: bool(),
            epoch: maybe { $0.number() },
            leaderAddress: maybe { $0.text() },
            clusterTime: time(),
            databaseSkewMs: -number(),
            databaseConnected: bool(),
            jobs: number(),
            activeJobs: number(),
            heapSize: number(),
            readyQueueDepth: number(),
            openExecutions: number(),
            shards: list {
                ShardRecord(
                    shard: UInt8($0.small()),
                    owner: $0.maybe { $0.id() },
                    address: $0.maybe { $0.text() },
                    epoch: $0.number(),
                    leaseExpiresAt: $0.maybe { $0.time() },
                    materializedThrough: $0.maybe { $0.time() },
                    settledThrough: $0.maybe { $0.time() },
                    outage: $0.maybe { Outage(from: $0.time(), to: $0.time()) }
                )
            },
            workers: list {
                WorkerView(
                    name: $0.text(),
                    bootID: $0.id(),
                    address: $0.text(),
                    draining: $0.bool(),
                    maxWorkers: $0.small(),
                    inFlight: $0.small(),
                    freeSlots: $0.small(),
                    skewMs: $0.maybe { Double($0.small()) / 8 },
                    version: $0.maybe { $0.text() }
                )
            },
            version: text(),
            timeZoneDataVersion: text(),
            startedAt: maybe { $0.time() }
        )
    }

    // MARK: Values

    mutating func bool() -> Bool { random.next() & 1 == 0 }
    mutating func small() -> Int { Int(random.next(upperBound: UInt64(100))) }
    mutating func number() -> Int64 { random.next(upperBound: UInt64(1) << 50).signed }
    mutating func time() -> Timestamp {
        Timestamp(milliseconds: random.next(upperBound: UInt64(4_000_000_000_000)).signed)
    }
    mutating func shard() -> UInt8 { UInt8(truncatingIfNeeded: random.next()) }
    mutating func id() -> UniqueID { UniqueID(high: random.next(), low: random.next()) }
    mutating func job() -> JobID { JobID(id()) }
    mutating func execution() -> ExecutionID { ExecutionID(id()) }
    mutating func token() -> DispatchToken {
        DispatchToken(epoch: number(), sequence: random.next(), incarnation: random.next())
    }
    mutating func maybe<T>(_ make: (inout Samples) -> T) -> T? { bool() ? make(&self) : nil }
    mutating func element<T>(_ values: [T]) -> T { values[Int(random.next(upperBound: UInt64(values.count)))] }
    mutating func one<T: CaseIterable>(_ type: T.Type) -> T { element(Array(T.allCases)) }

    mutating func list<T>(_ make: (inout Samples) -> T) -> [T] {
        let count = Int(random.next(upperBound: UInt64(4)))
        return (0..<count).map { _ in make(&self) }
    }

    mutating func filled<T>(_ make: (inout Samples) -> T) -> [T] {
        let count = 1 + Int(random.next(upperBound: UInt64(3)))
        return (0..<count).map { _ in make(&self) }
    }

    mutating func text() -> String {
        let alphabet: [Character] = ["a", "Z", "7", " ", "é", "漢", "🎐", "\"", "\\", "\n", "{", "\u{7F}", "\u{800}"]
        let count = small() / 4
        return String((0..<count).map { _ in element(alphabet) })
    }
}

extension UInt64 {
    var signed: Int64 { Int64(truncatingIfNeeded: self) }
}
