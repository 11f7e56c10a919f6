import CarillonPostgres
import Foundation
import Logging
import TestSupport
import Testing

@Suite struct MigratorTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func `the embedded migrations equal the files in the folder`() throws {
        let folder = root.appendingPathComponent("migrations")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".up.sql") }
            .sorted()
        #expect(names == Migration.all.map { $0.title + ".up.sql" })
        for migration in Migration.all {
            let up = try String(contentsOf: folder.appendingPathComponent(migration.title + ".up.sql"), encoding: .utf8)
            let down = try String(
                contentsOf: folder.appendingPathComponent(migration.title + ".down.sql"),
                encoding: .utf8
            )
            #expect(up == migration.up + "\n", "run .ci/embed-migrations.sh")
            #expect(down == migration.down + "\n", "run .ci/embed-migrations.sh")
        }
    }

    @Test func `migrations go up, down to nothing, and up again`() throws {
        let cluster = try PostgresCluster.shared
        let url = try cluster.makeDatabase()
        let migrator = Migrator(url: url, logger: logger)
        #expect(try migrator.state() == .behind(version: 0, pending: Migration.all))
        for _ in 0..<2 {
            #expect(try migrator.up() == Migration.all)
            #expect(try migrator.up() == [])
            #expect(try migrator.state() == .current(version: Migration.all.count))
            #expect(try migrator.status().map(\.isApplied) == Migration.all.map { _ in true })
            #expect(try cluster.psql("SELECT count(*) FROM shards", url: url) == "16")
            #expect(try migrator.down(to: 0) == Migration.all.reversed())
            #expect(try migrator.state() == .behind(version: 0, pending: Migration.all))
            let left = try cluster.psql(
                """
                SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S', 'v')
                UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
                """,
                url: url
            )
            #expect(left == "schema_migrations")
        }
    }

    @Test func `existing sessions continue after a migration`() async throws {
        let cluster = try PostgresCluster.shared
        let url = try cluster.makeDatabase()
        try Migrator(url: url, logger: logger, migrations: [Migration.all[0]]).up()
        // A leader's prepared and planned statements, under the old schema.
        let held = "SELECT held, (taken).shard, (taken).owner FROM"
        let text = try cluster.psql(
            """
            PREPARE renew AS \(held) carillon_renew_lease('00000000-0000-4000-8000-000000000001', 1, 5000);
            SELECT count(*) FROM carillon_acquire_lease('00000000-0000-4000-8000-000000000001', 'old', 5000) WHERE held;
            EXECUTE renew;
            \(Migration.all[1].up)
            EXECUTE renew;
            SELECT carillon_fence('00000000-0000-4000-8000-000000000001', 1, 1, now(), NULL, false, NULL, NULL);
            """,
            url: url
        )
        #expect(text.split(separator: "\n").count { $0.hasPrefix("t|") } == 32)
    }

    @Test func `many schedulers that start at the same time migrate once`() async throws {
        let url = try PostgresCluster.shared.makeDatabase()
        let logger = logger
        let applied = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 { group.addTask { try Migrator(url: url, logger: logger).up().count } }
            return try await group.reduce(0, +)
        }
        #expect(applied == Migration.all.count)
    }

    @Test func `a schema that was applied with psql is detected and recorded`() throws {
        let cluster = try PostgresCluster.shared
        let url = try cluster.makeDatabase()
        let database = String(url.split(separator: "/").last ?? "")
        let migrator = Migrator(url: url, logger: logger)
        for migration in Migration.all {
            let file = root.appendingPathComponent("migrations/\(migration.title).up.sql")
            try cluster.psql(file: file.path, database: database)
            let pending = Array(Migration.all[migration.version...])
            #expect(
                try migrator.state()
                    == (pending.isEmpty
                        ? .current(version: Migration.all.count)
                        : .behind(version: migration.version, pending: pending))
            )
        }
        try migrator.verify()
        let before = try migrator.status()
        #expect(before.allSatisfy(\.isApplied) && before.allSatisfy { $0.appliedAt == nil })
        #expect(try migrator.up() == [])
        #expect(try migrator.status().allSatisfy { $0.appliedAt != nil })
        let recorded = try cluster.psql("SELECT version, name FROM schema_migrations ORDER BY version", url: url)
        #expect(recorded == Migration.all.map { "\($0.version)|\($0.name)" }.joined(separator: "\n"))
    }

    @Test func `a script that changed after it was applied is an error with a remedy`() throws {
        let cluster = try PostgresCluster.shared
        let url = try cluster.makeDatabase()
        let migrator = Migrator(url: url, logger: logger)
        try migrator.up()
        try cluster.psql("UPDATE schema_migrations SET checksum = 'abc'", url: url)
        let error = #expect(throws: MigrationError.self) { try migrator.up() }
        #expect(error?.message.contains("001_init was applied from another script") == true)
        #expect(error?.message.contains(Migration.all[0].checksum) == true)
    }

    @Test func `a scheduler that may not migrate names the command to run`() throws {
        let cluster = try PostgresCluster.shared
        let url = try cluster.makeDatabase()
        let migrator = Migrator(url: url, logger: logger)
        let error = #expect(throws: MigrationError.self) { try migrator.verify() }
        #expect(error?.message.contains("carillon-scheduler migrate up") == true)
        #expect(error?.message.contains("001_init") == true)
        try migrator.up()
        try cluster.psql("INSERT INTO schema_migrations VALUES (9, 'later', 'x')", url: url)
        #expect(try migrator.state() == .newer(version: 9, known: Migration.all.count))
        #expect(throws: MigrationError.self) { try migrator.verify() }
    }

    @Test func `a failed migration leaves nothing behind`() throws {
        let cluster = try PostgresCluster.shared
        let url = try cluster.makeDatabase()
        let broken = Migration(
            version: Migration.all.count + 1,
            name: "broken",
            up: "CREATE TABLE half (); SELECT 1/0",
            down: ""
        )
        let migrator = Migrator(url: url, logger: logger, migrations: Migration.all + [broken])
        let error = #expect(throws: MigrationError.self) { try migrator.up() }
        #expect(error?.message.contains("_broken") == true && error?.message.contains("division by zero") == true)
        #expect(
            try cluster.psql("SELECT to_regclass('half') IS NULL, count(*) FROM schema_migrations", url: url)
                == "t|\(Migration.all.count)"
        )
    }

    @Test func `an unreachable database is an error, or is waited for on request`() throws {
        let nowhere = Migrator(url: "postgresql://postgres@127.0.0.1:1/none", logger: logger)
        #expect(throws: MigrationError.self) { try nowhere.up() }
        var asked = 0
        #expect(throws: MigrationError.self) {
            try nowhere.up(waits: true) {
                asked += 1
                return asked > 3
            }
        }
        #expect(asked == 4)
        #expect(throws: MigrationError.self) { try Migrator(url: "postgresql://[", logger: logger).state() }
    }
}
