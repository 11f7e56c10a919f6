/// How the database's schema stands to the one that this program needs.
package enum SchemaState: Sendable, Hashable {
    case current(version: Int)
    /// These are still to be applied, oldest first.
    case behind(version: Int, pending: [Migration])
    /// A newer program has been here: its version, and the one that this program knows.
    case newer(version: Int, known: Int)
}

/// A migration as the database knows it.
package struct MigrationStatus: Sendable, Hashable {
    package var migration: Migration
    package var isApplied: Bool
    /// RFC 3339; `nil` when it is not applied, or was applied by hand and is not recorded yet.
    package var appliedAt: String?
}

/// Why the schema could not be read or changed: one sentence or two, with what to do.
package struct MigrationError: Error, Sendable, Hashable, CustomStringConvertible {
    package var message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
