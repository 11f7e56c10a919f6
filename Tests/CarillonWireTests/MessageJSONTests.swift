import CarillonCore
import CarillonCron
import CarillonJSON
import CarillonWire
import Testing

@Suite struct MessageJSONTests {
    private let id = "0191e0a0-1234-7abc-8def-0123456789ab"

    private func request(_ name: String, _ arguments: JSONValue) throws -> Request {
        let payload = try MessageJSON.encodeRequest(name: name, arguments: arguments, id: 5)
        let envelope = try MessageCodec().decode(payload: payload)
        #expect(envelope.id == 5)
        guard case .request(let request) = envelope.message else { throw WireError(.invalid, "not a request") }
        return request
    }

    private func errors(_ name: String, _ arguments: JSONValue) -> [String] {
        do throws(ClientError) {
            _ = try MessageJSON.encodeRequest(name: name, arguments: arguments, id: 5)
            return []
        } catch {
            #expect(error.code == .invalidArgument)
            return error.errors.isEmpty ? [error.text] : error.errors.map { "\($0.field): \($0.message)" }
        }
    }

    private func answer(_ answer: Answer) throws -> JSONValue {
        let frame = MessageCodec.frame(of: Envelope(id: 8, .answer(answer)))
        let (id, name, value) = try MessageJSON.decodeAnswer(Array(frame[4...]))
        #expect(id == 8)
        #expect(name == answer.name)
        return value
    }

    // MARK: Requests

    @Test func createJobWithEverything() throws {
        let arguments = try JSONText.read(
            #"""
            {"schedule": "*/2 * * * * *", "api_url": "http://h/x", "execution_type": "AT_MOST_ONCE", "name": "n",
             "description": "d", "time_zone": "Europe/Berlin", "dst_policy": "BOTH", "http_method": "PUT",
             "headers": {"X-A": "1", "X-B": "2"}, "body": "{}", "timeout_seconds": 2.5, "max_retries": 4,
             "retry_initial_delay_seconds": 1, "retry_max_delay_seconds": 9, "catch_up_policy": "ALL",
             "catch_up_window_seconds": 7, "overlap_policy": "SKIP", "priority": -3,
             "starts_at": "2026-03-01T12:00:00+01:00", "ends_at": "2027-03-01T12:00:00.250Z", "tags": ["a", "b"],
             "active": false, "idempotency_key": "k", "fingerprint": "f"}
            """#
        )
        var settings = JobSettings()
        settings.schedule = "*/2 * * * * *"
        settings.url = "http://h/x"
        settings.executionType = .atMostOnce
        settings.name = "n"
        settings.description = "d"
        settings.timeZone = "Europe/Berlin"
        settings.daylightPolicy = .both
        settings.method = "PUT"
        settings.headers = [HTTPHeader(name: "X-A", value: "1"), HTTPHeader(name: "X-B", value: "2")]
        settings.body = "{}"
        settings.timeoutSeconds = 2.5
        settings.maxRetries = 4
        settings.retryInitialDelaySeconds = 1
        settings.retryMaxDelaySeconds = 9
        settings.catchUpPolicy = .all
        settings.catchUpWindowSeconds = 7
        settings.overlapPolicy = .skip
        settings.priority = -3
        settings.startsAt = Timestamp(milliseconds: 1_772_362_800_000)
        settings.endsAt = Timestamp(milliseconds: 1_803_902_400_250)
        settings.tags = ["a", "b"]
        settings.active = false
        #expect(try request("create_job", arguments) == .createJob(settings, idempotencyKey: "k", fingerprint: "f"))
    }

    @Test func nullAndEmptyListsClear() throws {
        var settings = JobSettings()
        settings.cleared = ["name", "headers", "tags", "timeout_seconds"]
        let arguments: JSONValue = [
            "job_id": .string(id), "name": nil, "headers": [:], "tags": [], "timeout_seconds": nil, "if_version": nil,
        ]
        let uuid = try #require(UniqueID(id))
        #expect(try request("update_job", arguments) == .updateJob(JobID(uuid), settings, ifVersion: []))
    }

    @Test func otherRequests() throws {
        let uuid = try #require(UniqueID(id))
        #expect(try request("get_cluster", [:]) == .getCluster)
        #expect(try request("get_job", ["job_id": .string(id)]) == .getJob(JobID(uuid)))
        var list = ListExecutions()
        list.statuses = [.failed, .unknown]
        list.from = Timestamp(seconds: 0)
        list.limit = 7
        #expect(
            try request(
                "list_executions",
                ["status": ["FAILED", "UNKNOWN"], "from": "1970-01-01T00:00:00Z", "limit": .number(7)]
            ) == .listExecutions(list)
        )
        #expect(
            try request("cancel_execution", ["job_id": .string(id), "execution_id": .string(id.uppercased())])
                == .cancelExecution(JobID(uuid), ExecutionID(uuid))
        )
    }

    @Test func everyErrorIsNamed() {
        #expect(
            errors(
                "create_job",
                [
                    "schedule": 5, "timeout_seconds": "3", "max_retries": .number(1.5), "priority": 99_999_999_999,
                    "execution_type": "WHATEVER", "headers": ["X-A": 1], "tags": ["a", 2], "active": "yes",
                    "starts_at": "yesterday", "name": "a\u{0}b", "tag": "x", "cleared_fields": ["name"],
                ]
            ) == [
                "schedule: expected a string, found a number",
                "timeout_seconds: expected a number, found a string",
                "max_retries: expected a whole number, found 1.5",
                "priority: must be -2147483648 to 2147483647",
                "execution_type: \"WHATEVER\" is not one of AT_LEAST_ONCE, AT_MOST_ONCE",
                "headers.X-A: expected a string, found a number",
                "tags[1]: expected a string, found a number",
                "active: expected a boolean, found a string",
                "starts_at: \"yesterday\" is not an RFC 3339 time such as 2026-03-01T12:00:00Z",
                "name: must not contain a NUL character",
                "tag: is not a field of create_job; did you mean tags?",
                "cleared_fields: is not a field of create_job",
            ]
        )
        #expect(errors("get_job", [:]) == ["job_id: is required"])
        #expect(errors("get_job", ["job_id": nil]) == ["job_id: is required"])
        #expect(
            errors("get_job", ["job_id": "x"])
                == ["job_id: \"x\" is not a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057"]
        )
        #expect(errors("get_cluster", ["a": 1]) == ["a: is not a field of get_cluster, which has none"])
        #expect(errors("get_cluster", [1]) == ["the arguments of get_cluster must be an object, not an array"])
        #expect(errors("list_jobs", ["limit": -1]) == ["limit: must be 0 to 4294967295"])
        #expect(errors("list_jobs", ["limit": 1, "active": 1]) == ["active: expected a boolean, found a number"])
        #expect(errors("create_job", ["headers": ["a"]]) == ["headers: expected an object of strings, found an array"])
        #expect(
            errors("no_such", [:]).first?.hasPrefix("there is no request \"no_such\"; the requests are create_job, ")
                == true
        )
        // The envelope has this message, but it is not a request.
        #expect(errors("dispatch", [:]).first?.hasPrefix("there is no request") == true)
        let twice = JSONValue.object([JSONValue.Member("limit", 1), JSONValue.Member("limit", 2)])
        #expect(errors("list_jobs", twice) == ["limit: is given twice"])
    }

    /// Many errors must fit into one answer.
    @Test func errorsOfManyWrongFieldsAreBounded() throws {
        let unknown = (0..<300).map { JSONValue.Member("u\($0)", 1) }
        let texts = [
            errors("create_job", .object(unknown)),
            errors("create_job", ["tags": .array(Array(repeating: 1, count: 300))]),
            errors("create_job", ["headers": .object(unknown)]),
            // The error for a missing required field depends on the rest, which is not read.
            errors("update_job", .object(unknown + [.init("job_id", .string(id))])),
        ]
        for text in texts { #expect(text.count == ClientError.maxFieldErrors) }
        #expect(texts[1].last == "tags[99]: expected a string, found a number")
        #expect(texts[3].allSatisfy { $0.hasSuffix("is not a field of update_job") })
        do throws(ClientError) {
            _ = try MessageJSON.encodeRequest(name: "create_job", arguments: .object(unknown), id: 5)
        } catch {
            #expect(error.text.hasPrefix("100 or more fields are invalid: u0, u1"))
        }
    }

    @Test func descriptions() throws {
        let fields = try #require(MessageJSON.describe("list_executions"))
        #expect(fields.map(\.field) == ["job_id", "status", "from", "to", "limit", "cursor", "namespace"])
        #expect(fields[0].type == "UUID")
        #expect(fields[1].type.hasPrefix("array of one of PENDING, RUNNING"))
        #expect(fields[2].type == "time (RFC 3339)")
        #expect(MessageJSON.describe("get_job")?.first?.required == true)
        #expect(MessageJSON.describe("create_job")?.map(\.field).contains("api_url") == true)
        #expect(MessageJSON.describe("get_cluster")?.isEmpty == true)
        #expect(MessageJSON.describe("job") == nil)
    }

    // MARK: Answers

    @Test func aJobHasAllItsFields() throws {
        let created = Timestamp(milliseconds: 1_700_000_000_000)
        let uuid = try #require(UniqueID(id))
        let job = Job(
            id: JobID(uuid),
            schedule: "0 * * * * *",
            call: HTTPCall(url: "http://h/"),
            effectiveFrom: created,
            createdAt: created,
            updatedAt: created
        )
        let value = try answer(
            .job(JobView(job: job, scheduleDescription: "every minute", nextRunTime: Timestamp(seconds: 1_700_000_040)))
        )
        #expect(
            JSONText.write(value) == """
                {"job_id":"\(id)","schedule":"0 * * * * *","schedule_description":"every minute",\
                "api_url":"http://h/","execution_type":"AT_LEAST_ONCE","name":null,"description":null,\
                "time_zone":"UTC","dst_policy":"CRON","http_method":"POST","headers":{},"body":null,\
                "timeout_seconds":30,"max_retries":3,"retry_initial_delay_seconds":2,"retry_max_delay_seconds":30,\
                "catch_up_policy":"LATEST","catch_up_window_seconds":60,"overlap_policy":"ALLOW","priority":0,\
                "starts_at":null,"ends_at":null,"tags":[],"active":true,"start_deadline_seconds":0,"version":1,\
                "created_at":"2023-11-14T22:13:20Z","updated_at":"2023-11-14T22:13:20Z",\
                "next_run_time":"2023-11-14T22:14:00Z"}
                """
        )
    }

    @Test func anExecutionHasAllItsFields() throws {
        let uuid = try #require(UniqueID(id))
        var row = Execution(
            id: ExecutionID(uuid),
            jobID: JobID(uuid),
            trigger: .schedule,
            scheduledTime: Timestamp(seconds: 0),
            status: .success,
            attempts: 1,
            createdAt: Timestamp(milliseconds: -1)
        )
        row.durationMicroseconds = 12_345
        row.driftMicroseconds = 2_000
        let value = try answer(.execution(row, failedAttempts: [], url: nil))
        #expect(
            JSONText.write(value) == """
                {"execution_id":"\(id)","job_id":"\(id)","trigger":"SCHEDULE",\
                "scheduled_time":"1970-01-01T00:00:00Z","actual_start_time":null,"finished_at":null,\
                "status":"SUCCESS","reason":null,"attempts":1,"http_status":null,"duration_ms":12.345,"drift_ms":2,\
                "response":null,"error_message":null,"worker":null,"created_at":"1969-12-31T23:59:59.999Z"}
                """
        )
        row.skippedCount = 3
        row.skippedFrom = Timestamp(seconds: -60)
        let attempt = Attempt(
            executionID: row.id,
            number: 1,
            token: DispatchToken(epoch: 0, sequence: 0),
            startedAt: Timestamp(seconds: 0),
            finishedAt: Timestamp(seconds: 1),
            durationMicroseconds: 1_000_000,
            httpStatus: 503,
            response: nil,
            errorMessage: nil,
            worker: "w"
        )
        let more = try answer(.execution(row, failedAttempts: [attempt], url: "http://h/"))
        #expect(more["skipped_count"] == 3)
        #expect(more["skipped_from"] == "1969-12-31T23:59:00Z")
        #expect(more["api_url"] == "http://h/")
        #expect(
            more["failed_attempts"] == [
                [
                    "attempt": 1, "started_at": "1970-01-01T00:00:00Z", "finished_at": "1970-01-01T00:00:01Z",
                    "http_status": 503, "duration_ms": .number(1_000), "worker": "w",
                ]
            ]
        )
    }

    @Test func listsStatsAndErrors() throws {
        #expect(try answer(.jobList([], nextCursor: nil, totalCount: 0)) == ["jobs": [], "total_count": 0])
        #expect(try answer(.executionList([], nextCursor: "c")) == ["executions": [], "next_cursor": "c"])
        let stats = try answer(
            .executionStats(JobID(.zero), from: Timestamp(seconds: 0), to: Timestamp(seconds: 1), ExecutionStats())
        )
        guard case .object(let members) = stats else {
            Issue.record("not an object")
            return
        }
        #expect(
            members.map(\.name) == [
                "job_id", "from", "to", "total_executions", "success_count", "failure_count", "success_rate",
                "avg_duration_ms", "avg_drift_ms", "p50_duration_ms", "p95_duration_ms", "p99_duration_ms",
                "p50_drift_ms", "p95_drift_ms", "p99_drift_ms",
            ]
        )
        #expect(stats["success_rate"] == .null)
        let error = ClientError(.notFound, "no such job")
        let frame = MessageCodec.frame(of: Envelope(id: 8, .error(error)))
        let (_, name, value) = try MessageJSON.decodeAnswer(Array(frame[4...]))
        #expect(name == "error")
        #expect(value == ["code": "NOT_FOUND", "text": "no such job", "errors": [], "retryable": false])
    }

    @Test func headersOfOneNameAreOneMember() throws {
        let created = Timestamp(seconds: 0)
        let headers = [HTTPHeader(name: "X", value: "1"), HTTPHeader(name: "X", value: "2")]
        let job = Job(
            id: JobID(.zero),
            schedule: "x",
            call: HTTPCall(url: "u", headers: headers),
            effectiveFrom: created,
            createdAt: created,
            updatedAt: created
        )
        let value = try answer(.job(JobView(job: job, scheduleDescription: "", nextRunTime: nil)))
        #expect(value["headers"] == ["X": "1, 2"])
    }

    @Test func onlyAnswersAreDecoded() {
        let frame = MessageCodec.frame(of: Envelope(id: 8, .credit(granted: 1)))
        #expect(throws: WireError.self) { try MessageJSON.decodeAnswer(Array(frame[4...])) }
    }

    @Test(arguments: 40..<49) func everyAnswerBecomesJSON(index: Int) throws {
        for seed in 0..<20 {
            var samples = Samples(seed: UInt64(seed))
            let frame = MessageCodec.frame(of: Envelope(id: 1, samples.message(index)))
            let (_, _, value) = try MessageJSON.decodeAnswer(Array(frame[4...]))
            #expect(try JSONText.read(JSONText.write(value)).kindInWords == "an object")
        }
    }
}
