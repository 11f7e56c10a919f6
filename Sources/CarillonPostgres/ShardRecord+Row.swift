internal import CarillonCore

/// Conversion of shards from rows.
extension ShardRecord {
    /// The selected columns, in the order in which `init(row:)` reads them. `s` is the table.
    static func columns(of table: String) -> String {
        [
            "shard", "owner", "address", "epoch", "lease_expires_at", "materialized_through", "settled_through",
            "gap_from", "gap_to", "workers", "incarnation", "cluster_key",
        ].map { "\(table).\($0)" }.joined(separator: ", ")
    }

    init(row: inout RowReader) {
        self.init(
            shard: UInt8(clamping: row.integer() ?? 0),
            owner: row.uuid(),
            address: row.text(),
            epoch: row.integer() ?? 0,
            leaseExpiresAt: row.timestamp(),
            materializedThrough: row.timestamp(),
            settledThrough: row.timestamp(),
            outage: nil
        )
        // Both columns must be read, because the reader is sequential.
        let (from, to) = (row.timestamp(), row.timestamp())
        if let from, let to { outage = Outage(from: from, to: to) }
        workers = row.texts()
        incarnation = UInt64(bitPattern: row.integer() ?? 0)
        clusterSecret = row.bytes()
    }
}
