/// Creates the private cluster and its roles with PostgreSQL's programs.
struct ClusterMaker {
    let programs: PostgresPrograms
    /// The server's user; `nil` for the current user.
    let account: Account?
    /// The password of the scheduler's role.
    let password: String
    let environment: [String: String]
    let runner: String

    /// The version of the roles that this program creates.
    static let rolesVersion = "1"
    private static let superuser = "postgres"

    /// Creates a cluster atomically: in a temporary folder that is then renamed.
    func make(_ name: String, in home: FolderHandle) throws -> FolderHandle {
        let (new, secret) = (name + ".new", name + ".secret")
        home.remove(new)
        guard let folder = try home.folder(new, makingWith: 0o700, owner: account?.user) else {
            throw FileProblem("\(home.path)/\(new) was removed while it was created")
        }
        if let account { try folder.give(to: account) }
        do {
            // initdb requires a password for the superuser, which is removed again.
            var random = SystemRandomNumberGenerator()
            let unused = (0..<32).map { _ in String(Int.random(in: 0..<16, using: &random), radix: 16) }.joined()
            try home.make(secret, with: unused + "\n", mode: 0o600, for: account)
            defer { home.remove(secret) }
            try run(
                programs.initdb,
                [
                    "-D", folder.path, "-U", Self.superuser, "--auth=scram-sha-256",
                    "--pwfile=\(home.path)/\(secret)", "--encoding=UTF8", "--no-locale", "--no-instructions",
                ],
                in: folder
            )
            try runSingle("CREATE DATABASE \(PrivateDatabase.databaseName)\n", database: "postgres", in: folder)
            try arrangeRoles(in: folder)
            try folder.append(Self.settings, to: "postgresql.conf")
        } catch {
            home.remove(new)
            throw error
        }
        try home.rename(new, to: name)
        guard let made = try home.folder(name, owner: account?.user) else {
            throw FileProblem("\(home.path)/\(name) was removed while it was created")
        }
        return made
    }

    /// Sets the roles of the cluster, independent of their previous state. The server must be stopped.
    func arrangeRoles(in cluster: FolderHandle) throws {
        try runSingle(
            DatabaseRoles.script(
                role: PrivateDatabase.userName,
                database: PrivateDatabase.databaseName,
                password: password
            ),
            database: PrivateDatabase.databaseName,
            in: cluster
        )
    }

    /// Single-user mode needs no client programs, no port and no password.
    private func runSingle(_ statements: String, database: String, in cluster: FolderHandle) throws {
        try run(programs.postgres, ["--single", "-D", cluster.path, database], in: cluster, input: statements)
    }

    private func run(_ program: String, _ arguments: [String], in folder: FolderHandle, input: String = "") throws {
        let launch = Launch(
            program: program,
            arguments: arguments,
            environment: environment,
            account: account,
            directory: folder.path
        )
        let answer = try ChildProcess.run(launch, runner: runner, input: input)
        let isBad = ["ERROR:", "FATAL:", "PANIC:"].contains { answer.output.contains($0) }
        guard answer.status == 0, !isBad else {
            throw CommandFailure(
                status: .internal,
                text: "\(program) failed (status \(answer.status)):\n\(withoutStatements(answer.output))"
            )
        }
    }

    /// Removes statements from the output: PostgreSQL logs the statement of an error, which can contain the password.
    private func withoutStatements(_ output: String) -> String {
        output.split(separator: "\n").filter {
            !$0.contains("STATEMENT:") && !$0.contains(SecretQuote.doubled(password))
        }
        .joined(separator: "\n")
    }

    /// Written once at creation; operators may change them.
    private static let settings = """

        # For Carillon. Address and port are given on the command line.
        shared_buffers = 256MB
        max_wal_size = 2GB
        synchronous_commit = on
        timezone = 'UTC'
        log_timezone = 'UTC'
        log_line_prefix = '%m [%p] %u '

        """
}
