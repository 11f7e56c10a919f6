import Glibc
import TestSupport
import Testing

/// `carillon up` with real processes: the visibility of the database's password, and the rights of its role.
@Suite(.serialized, .alone, .timeLimit(.minutes(5)))
struct UpTests {
    private func url(_ run: LocalRun) throws -> String {
        let text = try run.run([run.bin + "/carillon", "up", "--print-database-url", "--data-dir", run.data])
        #expect(text.hasPrefix("postgresql://carillon:") && text.hasSuffix("/job_scheduler\nstatus 0\n"), "\(text)")
        return String(text.prefix { $0 != "\n" })
    }

    private func password(_ run: LocalRun) -> String {
        String(TextFile.contents(of: run.data + "/database-password").prefix { $0 != "\n" })
    }

    @Test func aDatabaseOfItsOwn() async throws {
        let run = try LocalRun()
        let foreign = ["PGPASSWORD": "leak-1", "PGHOST": "leak-2", "GITHUB_TOKEN": "leak-3", "LOG_LEVEL": "DEBUG"]
        try await run.start(environment: foreign)
        let (url, password) = (try url(run), password(run))
        #expect(password.utf8.count == 32 && url.contains(":\(password)@"))
        #expect(!run.text.contains(password) && run.text.contains("database postgresql://carillon:***@127.0.0.1:"))

        let processes = run.processes
        let names = Set(processes.map(\.name))
        #expect(
            names.isSuperset(of: ["carillon", "carillon-schedu", "carillon-worker", "carillon-gatewa", "postgres"])
        )
        for process in processes {
            #expect(!process.arguments.contains(password), "\(process.name)")
            let isScheduler = process.name == "carillon-schedu"
            #expect(process.environment.contains { $0.contains(password) } == isScheduler, "\(process.name)")
            guard process.name != "carillon" else { continue }
            #expect(!process.environment.contains { $0.contains("leak-") }, "\(process.name): \(process.environment)")
            let isOurs = process.name.hasPrefix("carillon-")
            #expect(process.environment.contains("LOG_LEVEL=DEBUG") == isOurs, "\(process.name)")
        }
        for name in ["scheduler", "worker-1", "gateway", "database"] {
            #expect(!TextFile.contents(of: run.data + "/logs/\(name).log").contains(password), "\(name)")
        }
        let gateway = TextFile.contents(of: run.data + "/gateway-url")
        #expect(gateway.hasPrefix("http://127.0.0.1:") && run.text.contains("ready \(gateway)"))
        let schedulers = TextFile.contents(of: run.data + "/schedulers").prefix { $0 != "\n" }
        #expect(schedulers.hasPrefix("127.0.0.1:") && run.text.contains("export SCHEDULERS=\(schedulers))"))
        try expectOrdinaryRole(run, url)
        try await run.stop()
        // The URL is also available while the system is stopped, and stays the same after the next start.
        #expect(try self.url(run) == url)
        try await run.start()
        #expect(try self.url(run) == url && !run.text.contains("superuser right"))
        try await run.stop()
    }

    private func expectOrdinaryRole(_ run: LocalRun, _ url: String) throws {
        let rights = "rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolcanlogin"
        #expect(
            try run.psql(url, "SELECT \(rights) FROM pg_roles WHERE rolname = current_user") == "f|f|f|f|f|t"
        )
        #expect(
            try run.psql(
                url,
                "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
            ) == "carillon"
        )
        let foreign = """
            SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
            AND relowner <> 'carillon'::regrole
            UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            AND proowner <> 'carillon'::regrole
            """
        #expect(try run.psql(url, foreign) == "")
        #expect(try run.psql(url, "SELECT count(*) > 0 FROM pg_inherits") == "t")
        // No client can connect as the superuser.
        let superuser = try run.psql(url, "SELECT rolname FROM pg_roles WHERE rolsuper")
        #expect(superuser == "postgres")
        let address = "postgresql://\(superuser):\(password(run))@" + (url.split(separator: "@").last ?? "")
        #expect(throws: (any Error).self) { try run.psql(address, "SELECT 1") }
    }

    /// A cluster as earlier versions created it: the scheduler's role is the superuser and owns everything.
    @Test func aDatabaseOfAnEarlierVersion() async throws {
        let run = try LocalRun()
        let port = try FreePort.take()
        let bin = try PostgresCluster.shared.binaries
        let script = """
            set -e
            mkdir -p "$1"; cd "$1"
            printf '%s\\n' "it's 0ld" >database-password; chmod 600 database-password
            echo "$1/postgres" >database-folder; echo \(port) >database-port
            mkdir postgres; cp database-password secret
            as=
            if [ "$(id -u)" = 0 ]; then chown postgres postgres secret; as="runuser -u postgres --"; fi
            $as "$2/initdb" -D "$1/postgres" -U carillon --auth=scram-sha-256 --pwfile="$1/secret" --encoding=UTF8 \\
                --no-locale --no-instructions --no-sync
            echo 'CREATE DATABASE job_scheduler' | $as "$2/postgres" --single -D "$1/postgres" postgres
            $as "$2/pg_ctl" -D "$1/postgres" -w -s -l /dev/null start \\
                -o "-c port=\(port) -c listen_addresses=127.0.0.1 -c unix_socket_directories="
            DATABASE_URL="host=127.0.0.1 port=\(port) user=carillon dbname=job_scheduler" PGPASSWORD="it's 0ld" \\
                "$3/carillon-scheduler" migrate up
            PGPASSWORD="it's 0ld" psql -XAtqw -h 127.0.0.1 -p \(port) -U carillon job_scheduler \\
                -c "CREATE TYPE mood AS ENUM ('good')" -c 'CREATE TABLE notes (id serial, mood mood)' \\
                -c "INSERT INTO notes (mood) VALUES ('good')" -c 'CREATE VIEW seen AS SELECT * FROM notes'
            $as "$2/pg_ctl" -D "$1/postgres" -w -s -m immediate stop
            rm secret
            """
        try ChildProgram.run("/bin/sh", ["-c", script, "sh", run.data, bin, run.bin])
        try await run.start()
        #expect(run.text.contains("removing the superuser right of the database role carillon"))
        let url = try url(run)
        #expect(url.contains(":it%27s%200ld@127.0.0.1:\(port)/"), "\(url)")
        #expect(!run.text.contains("0ld"))
        try expectOrdinaryRole(run, url)
        #expect(try run.psql(url, "SELECT count(*), max(mood) FROM seen") == "1|good")
        #expect(try run.psql(url, "SELECT count(*) FROM shards") == "16")
        try run.psql(url, "SELECT carillon_make_day(current_date + 50); DROP TABLE notes CASCADE; DROP TYPE mood")
        try await run.stop()
        try await run.start()
        #expect(!run.text.contains("superuser right"))
        try await run.stop()
    }

    @Test(arguments: [true, false])
    func anotherDatabase(isNamedByFlag: Bool) async throws {
        let run = try LocalRun()
        let cluster = try PostgresCluster.shared
        let name = String(try cluster.makeDatabase().split(separator: "/").last ?? "")
        let url = "postgresql://postgres:hunter2@127.0.0.1:\(cluster.port)/\(name)?password=hunter3"
        let variables = ["DATABASE_URL": isNamedByFlag ? "postgresql://nobody:hunter4@127.0.0.1:1/none" : url]
        try await run.start(
            isNamedByFlag ? ["--database-url", url] : [],
            environment: variables.merging(["PGOPTIONS": "-c work_mem=8MB"]) { $1 }
        )
        #expect(
            run.text.contains("database postgresql://postgres:***@127.0.0.1:\(cluster.port)/\(name)?password=***\n")
        )
        #expect(!run.text.contains("hunter"))
        let processes = run.processes
        #expect(processes.count == 4 && processes.map(\.name).contains("carillon"))
        for process in processes {
            #expect(!process.arguments.contains("hunter"), "\(process)")
            let isScheduler = process.name == "carillon-schedu"
            #expect(process.environment.contains("DATABASE_URL=\(url)") == (isScheduler || process.name == "carillon"))
            guard process.name != "carillon" else { continue }
            #expect(process.environment.contains("PGOPTIONS=-c work_mem=8MB") == isScheduler, "\(process.name)")
        }
        try await run.stop()
        let text = try run.run([run.bin + "/carillon", "up", "--print-database-url", "--data-dir", run.data])
        #expect(text.contains("has no private database") && text.hasSuffix("status 66\n"), "\(text)")
    }

    @Test(.enabled(if: geteuid() == 0, "only root can be asked to use another user's folder"))
    func theFolderOfAnotherUser() async throws {
        let run = try LocalRun()
        let script = """
            set -e
            mkdir "$1"; echo untouched >"$2"
            ln -s "$2" "$1/lock"; ln -s "$2" "$1/database-password.new"; ln -s "$3" "$1/logs"
            chown -h nobody "$1" "$1"/*
            """
        try ChildProgram.run("/bin/sh", ["-c", script, "sh", run.data, run.folder + "/victim", run.folder])
        let text = try run.run([run.bin + "/carillon", "up", "--data-dir", run.data])
        #expect(text.contains("data belongs to the user nobody, but carillon up runs as root"), "\(text)")
        #expect(text.hasSuffix("status 66\n"), "\(text)")
        #expect(TextFile.contents(of: run.folder + "/victim") == "untouched\n")
    }

    /// The server finds its folder by path, so a folder of root that another user can replace is not used.
    @Test(.enabled(if: geteuid() == 0, "only root has a server of another user"))
    func theServerIsNotStartedInAFolderThatAnotherUserCanExchange() async throws {
        let run = try LocalRun()
        chown(run.folder, 65_534, 65_534)
        try await run.start()
        let place = String(TextFile.contents(of: run.data + "/database-folder").prefix { $0 != "\n" })
        #expect(run.text.contains("users other than root can change \(run.folder): the database is kept in \(place)"))
        #expect(place.hasPrefix("/var/lib/carillon/") && access(place + "/PG_VERSION", F_OK) == 0)
        try await run.stop()
        let home = String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)])
        try ChildProgram.run("/bin/rm", ["-rf", home])
    }
}
