/// Where the database is, and how many connections history queries may use.
package struct PostgresConfiguration: Sendable, Hashable {
    /// A connection URI or string as libpq takes it (PostgreSQL documentation, section 34.1.1), of one host or several.
    package var url: String
    /// Where history is read, a replica for example; `nil` for the same place.
    package var readURL: String?
    /// Connections of the reader, 1 to 64; twice as many with a `readURL`, that many to each.
    package var connections: Int

    package init(url: String, readURL: String? = nil, connections: Int = 4) {
        self.url = url
        self.readURL = readURL
        self.connections = min(max(connections, 1), 64)
    }

    /// How many sessions a scheduler opens at `url`: those of the store, and the reader's.
    package var sessions: Int { 4 + connections }

    /// Why a connection URI or string cannot be used, in a sentence that quotes no part of it; `nil`: it can.
    package static func problem(with url: String) -> String? {
        do throws(DatabaseError) {
            _ = try ConnectionSettings.parse(url)
            return nil
        } catch {
            return error.message
        }
    }
}
