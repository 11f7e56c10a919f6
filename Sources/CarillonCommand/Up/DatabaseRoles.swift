/// The roles of the private cluster: an ordinary role for the scheduler, which owns the database, and a superuser
/// without a password, so that no client can connect as superuser. Superuser rights need PostgreSQL's single-user mode,
/// while the server is stopped.
enum DatabaseRoles {
    /// Statements for single-user mode in the scheduler's database, one a line, in one transaction. In a cluster of an
    /// earlier version the scheduler's role was the superuser and owned the tables; the statements change that too.
    /// They can be run repeatedly.
    static func script(role: String, database: String, password: String) -> String {
        let secret = "'" + SecretQuote.doubled(password) + "'"
        return [
            "BEGIN",
            // The first role of a cluster must be a superuser, and a role cannot rename itself.
            """
            DO $$ DECLARE name text := 'postgres'; BEGIN
            IF EXISTS (SELECT FROM pg_authid WHERE rolname = '\(role)' AND oid = 10) THEN
            IF EXISTS (SELECT FROM pg_authid WHERE rolname = name) THEN name := '\(role)_superuser'; END IF;
            CREATE ROLE \(role)_setup SUPERUSER; SET SESSION AUTHORIZATION \(role)_setup;
            EXECUTE format('ALTER ROLE \(role) RENAME TO %I', name); END IF; END $$
            """,
            // RESET has no effect in single-user mode.
            """
            DO $$ BEGIN EXECUTE (SELECT format('SET SESSION AUTHORIZATION %I', rolname) FROM pg_authid WHERE oid = 10);
            END $$
            """,
            "DROP ROLE IF EXISTS \(role)_setup",
            """
            DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_authid WHERE rolname = '\(role)') THEN CREATE ROLE \(role); END IF;
            EXECUTE (SELECT format('ALTER ROLE %I PASSWORD NULL', rolname) FROM pg_authid WHERE oid = 10); END $$
            """,
            "ALTER ROLE \(role) LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD \(secret)",
            "ALTER DATABASE \(database) OWNER TO \(role)",
            """
            DO $$ DECLARE command text; BEGIN FOR command IN \(ownershipChanges(to: role)) LOOP EXECUTE command; END LOOP;
            END $$
            """,
            "COMMIT",
        ].map { $0.split(separator: "\n").joined(separator: " ") + "\n" }.joined()
    }

    /// A query for statements that transfer the superuser's objects to the role, except objects of PostgreSQL and of
    /// extensions. Indexes and column sequences are transferred with their table.
    private static func ownershipChanges(to role: String) -> String {
        let isOurs = "nspname !~ '^pg_' AND nspname <> 'information_schema'"
        func isFree(_ catalog: String, _ object: String, _ orElse: String = "") -> String {
            """
            NOT EXISTS (SELECT FROM pg_depend WHERE classid = '\(catalog)'::regclass AND objid = \(object)
            AND (deptype = 'e'\(orElse)))
            """
        }
        return """
            SELECT format('ALTER SCHEMA %I OWNER TO \(role)', nspname) FROM pg_namespace AS n
            WHERE nspowner = 10 AND \(isOurs) AND \(isFree("pg_namespace", "n.oid"))
            UNION ALL
            SELECT format('ALTER %s %I.%I OWNER TO \(role)', CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW'
            WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, nspname, relname)
            FROM pg_class AS r JOIN pg_namespace AS n ON n.oid = relnamespace
            WHERE relowner = 10 AND relkind IN ('r', 'p', 'S', 'v', 'm', 'f') AND \(isOurs)
            AND \(isFree("pg_class", "r.oid", " OR relkind = 'S' AND deptype IN ('a', 'i')"))
            UNION ALL
            SELECT format('ALTER ROUTINE %s OWNER TO \(role)', p.oid::regprocedure)
            FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = pronamespace
            WHERE proowner = 10 AND \(isOurs) AND \(isFree("pg_proc", "p.oid"))
            UNION ALL
            SELECT format('ALTER TYPE %I.%I OWNER TO \(role)', nspname, typname)
            FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = typnamespace
            WHERE typowner = 10 AND \(isOurs) AND (typtype IN ('e', 'd', 'r')
            OR typtype = 'c' AND EXISTS (SELECT FROM pg_class WHERE oid = typrelid AND relkind = 'c'))
            AND \(isFree("pg_type", "t.oid"))
            """
    }
}

/// Quotes text for SQL and for URLs.
enum SecretQuote {
    /// For a string constant of SQL in single quotes.
    static func doubled(_ text: String) -> String {
        text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
    }

    /// For the user information of a URL.
    static func percentEncoded(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                String(UnicodeScalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }
}
