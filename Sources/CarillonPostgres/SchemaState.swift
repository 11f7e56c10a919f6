/// The state of the database's schema, compared with the program's.
package enum SchemaState: Sendable, Hashable {
    case current(version: Int)
    /// Migrations are pending, oldest first.
    case behind(version: Int, pending: [Migration])
    /// A newer program has migrated the schema: its version, and the version that this program knows.
    case newer(version: Int, known: Int)
}

/// The state of a migration in the database.
package struct MigrationStatus: Sendable, Hashable {
    package var migration: Migration
    package var isApplied: Bool
    /// RFC 3339; `nil` when the migration is not applied, or was applied manually and is not recorded yet.
    package var appliedAt: String?
}

/// Why the schema could not be read or changed, with the remedy.
package struct MigrationError: Error, Sendable, Hashable, CustomStringConvertible {
    package var message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
