internal import Glibc

/// The server programs of PostgreSQL on this machine.
struct PostgresPrograms: Sendable, Hashable {
    /// The folder of `postgres` and `initdb`.
    var folder: String
    /// The major version, such as 15.
    var major: Int

    var postgres: String { folder + "/postgres" }
    var initdb: String { folder + "/initdb" }

    /// - Parameters:
    ///   - major: the version of an existing cluster; `nil` for the newest installed version.
    ///   - runner: the path of `carillon`.
    static func find(
        major: Int?,
        environment: [String: String],
        runner: String
    ) throws -> PostgresPrograms {
        var found: [PostgresPrograms] = []
        for folder in candidates(environment, runner) where !found.contains(where: { $0.folder == folder }) {
            let programs = PostgresPrograms(folder: folder, major: 0)
            guard access(programs.postgres, X_OK) == 0, access(programs.initdb, X_OK) == 0,
                let version = version(of: programs.postgres, environment, runner)
            else { continue }
            found.append(PostgresPrograms(folder: folder, major: version))
        }
        guard let first = found.first else {
            throw CommandFailure(
                status: .failure,
                text:
                    "no PostgreSQL server found on this machine (searched pg_config, /usr/lib/postgresql and PATH); "
                    + "install one (apt-get install postgresql), or set DATABASE_URL"
            )
        }
        guard let major else { return found.max { $0.major < $1.major } ?? first }
        guard let match = found.first(where: { $0.major == major }) else {
            throw CommandFailure(
                status: .failure,
                text:
                    "the database was created by PostgreSQL \(major), but this machine has \(found.map { "\($0.major)" }.joined(separator: ", ")); "
                    + "install postgresql-\(major), or move the data with pg_dump to a new --data-dir"
            )
        }
        return match
    }

    private static func candidates(_ environment: [String: String], _ runner: String) -> [String] {
        let path = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":").map(String.init)
        var folders: [String] = []
        if let config = path.map({ $0 + "/pg_config" }).first(where: { access($0, X_OK) == 0 }) {
            let launch = Launch(program: config, arguments: ["--bindir"], environment: environment)
            if let answer = try? ChildProcess.run(launch, runner: runner), answer.status == 0 {
                folders.append(TextFormat.trimmed(answer.output))
            }
        }
        folders += Folder.names(in: "/usr/lib/postgresql").map { "/usr/lib/postgresql/\($0)/bin" }
        folders += Folder.names(in: "/usr").filter { $0.hasPrefix("pgsql-") }.map { "/usr/\($0)/bin" }
        folders.append("/usr/local/pgsql/bin")
        return folders + path
    }

    /// `postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)` → 15.
    private static func version(of program: String, _ environment: [String: String], _ runner: String) -> Int? {
        let launch = Launch(program: program, arguments: ["--version"], environment: environment)
        guard let answer = try? ChildProcess.run(launch, runner: runner), answer.status == 0 else { return nil }
        return major(ofVersionText: answer.output)
    }

    static func major(ofVersionText text: String) -> Int? {
        guard let end = text.firstIndex(of: ")") else { return nil }
        return Int(text[text.index(after: end)...].drop { $0 == " " }.prefix { $0.isNumber })
    }
}
