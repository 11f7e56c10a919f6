/// The database's address, and the number of connections for history queries.
package struct PostgresConfiguration: Sendable, Hashable {
    /// A libpq connection URI or string (PostgreSQL documentation, section 34.1.2), with one host or several.
    package var url: String
    /// The address for reads of history, for example a replica; `nil` for the same address.
    package var readURL: String?
    /// The reader's connections, 1 to 64; with a `readURL` this many to each address.
    package var connections: Int

    package init(url: String, readURL: String? = nil, connections: Int = 4) {
        self.url = url
        self.readURL = readURL
        self.connections = min(max(connections, 1), 64)
    }

    /// The sessions that a scheduler opens at `url`: the store's and the reader's.
    package var sessions: Int { 4 + connections }

    /// Why a connection URI or string cannot be used, without quoting any part of it; `nil` when it can.
    package static func problem(with url: String) -> String? {
        do throws(DatabaseError) {
            _ = try ConnectionSettings.parse(url)
            return nil
        } catch {
            return error.message
        }
    }
}
