import CarillonCore
import CarillonPostgres
import TestSupport
import Testing

/// The catalogue of settings must agree with the SQL of the migrations.
@Suite struct JobFieldTests {
    private static let types = [
        "text": "text", "boolean": "flag", "integer": "number", "timestamp with time zone": "time", "ARRAY": "list",
    ]

    @Test func `each setting has a column, and there are no unknown columns`() throws {
        let fixture = try Fixture()
        let rows = try fixture.psql(
            "SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = 'jobs'"
        ).split(separator: "\n").map { $0.split(separator: "|").map(String.init) }
        let columns = Dictionary(rows.map { ($0[0], (type: $0[1], isNullable: $0[2] == "YES")) }) { first, _ in first }
        for field in JobField.all {
            let column = try #require(columns[field.column], "\(field.name)")
            #expect(Self.types[column.type] == field.storedAs, "\(field.name)")
            #expect(column.isNullable == field.isNullable, "\(field.name)")
        }
        let own = [
            "job_id", "namespace", "hidden", "shard", "effective_from", "version", "created_at", "updated_at",
            "deleted_at",
        ]
        #expect(Set(columns.keys) == Set(own + JobField.all.map(\.column)))
    }

    @Test func `a row inserted manually has the defaults of the catalogue`() async throws {
        let fixture = try Fixture()
        try fixture.psql("INSERT INTO jobs (schedule, api_url) VALUES ('@hourly', 'http://localhost/x')")
        let job = try #require(try await fixture.store.jobs(.loadJobs).first)
        for field in JobField.all where !field.isRequired {
            #expect(field.value(of: job) == field.defaultValue, "\(field.name)")
        }
    }

    @Test func `each setting is stored and read back`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        var job = Sample.job(1)
        for field in JobField.all { field.set(field.sample, of: &job) }
        let made = job
        _ = try await fixture.store.commit(
            fixture.batch(1, epoch: epoch) { $0.changes = [JobChange(job: made, isNew: true)] }
        )
        #expect(try await fixture.store.jobs(.loadJobs) == [made])
        for field in JobField.all { field.copy(from: Sample.job(1), to: &job) }
        job.version += 1
        let changed = job
        _ = try await fixture.store.commit(
            fixture.batch(2, epoch: epoch) { $0.changes = [JobChange(job: changed, isNew: false)] }
        )
        #expect(try await fixture.store.jobs(.loadJobs) == [changed])
    }

    /// The table's trigger must restart the schedule for the same settings as the scheduler.
    @Test func `a manual change restarts the schedule where the catalogue says so`() async throws {
        let fixture = try Fixture()
        try fixture.psql("INSERT INTO jobs (schedule, api_url) VALUES ('@hourly', 'http://localhost/x')")
        for field in JobField.all {
            let before = try fixture.psql("SELECT effective_from FROM jobs")
            try fixture.psql("UPDATE jobs SET \(field.column) = \(field.sampleInSQL)")
            let after = try fixture.psql("SELECT effective_from FROM jobs")
            #expect((before != after) == field.restartsSchedule, "\(field.name)")
        }
        let job = try #require(try await fixture.store.jobs(.loadJobs).first)
        for field in JobField.all { #expect(field.value(of: job) == field.sample, "\(field.name)") }
    }
}

extension JobField {
    fileprivate var storedAs: String {
        switch kind {
        case .text, .word: "text"
        case .seconds, .integer: "number"
        case .time: "time"
        case .flag: "flag"
        case .list, .map: "list"
        }
    }

    fileprivate var sampleInSQL: String {
        switch sample {
        case .text(let text): "'\(text)'"
        case .integer(let number): "\(number)"
        case .seconds(let seconds): "\(Int(seconds * 1_000))"
        case .time(let time): "to_timestamp(\(time.milliseconds / 1_000))"
        case .flag(let flag): "\(flag)"
        case .list(let texts): "ARRAY[\(texts.map { "'\($0)'" }.joined(separator: ", "))]"
        case .headers(let headers): "ARRAY[\(headers.map { "'\($0.name): \($0.value)'" }.joined(separator: ", "))]"
        }
    }
}
