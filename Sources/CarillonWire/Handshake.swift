package import CarillonCore

/// Who dialled.
package enum Role: Sendable, Hashable, CaseIterable {
    case client
    case worker
}

/// The first message of whoever dialled.
package struct Hello: Sendable, Hashable {
    package var protocolVersion: UInt32
    package var role: Role
    /// A worker's name is its identity across restarts; a client's only appears in logs.
    package var name: String
    /// Random, new at each process start.
    package var bootID: UniqueID
    /// What the process can do beyond the protocol's version. Words that are not known here have no effect.
    package var features: [String]
    /// Of a worker: how many calls it runs at a time.
    package var maxWorkers: UInt32?
    package var version: String?

    static let maxFeatures = 64
    static let maxFeatureBytes = 64

    package init(
        protocolVersion: UInt32 = ProtocolVersion.current,
        role: Role,
        name: String,
        bootID: UniqueID,
        features: [String] = [],
        maxWorkers: UInt32? = nil,
        version: String? = nil
    ) {
        self.protocolVersion = protocolVersion
        self.role = role
        self.name = name
        self.bootID = bootID
        self.features = features
        self.maxWorkers = maxWorkers
        self.version = version
    }
}

/// The answer to Hello.
package struct Welcome: Sendable, Hashable {
    /// The least that a peer must accept as the largest payload of a frame.
    static let minFrameBytes: UInt32 = 65_536

    package var protocolVersion: UInt32
    package var serverID: UniqueID
    package var leading: Bool
    package var epoch: Int64?
    package var shards: [UInt8]
    package var heartbeatMs: UInt32
    package var maxFrameBytes: UInt32
    package var serverTime: Timestamp
    package var version: String?
    package var leaderAddress: String?

    package init(
        protocolVersion: UInt32 = ProtocolVersion.current,
        serverID: UniqueID,
        leading: Bool,
        epoch: Int64?,
        shards: [UInt8],
        heartbeatMs: UInt32,
        maxFrameBytes: UInt32,
        serverTime: Timestamp,
        version: String?,
        leaderAddress: String?
    ) {
        self.protocolVersion = protocolVersion
        self.serverID = serverID
        self.leading = leading
        self.epoch = epoch
        self.shards = shards
        self.heartbeatMs = heartbeatMs
        self.maxFrameBytes = maxFrameBytes
        self.serverTime = serverTime
        self.version = version
        self.leaderAddress = leaderAddress
    }
}

package enum ProtocolVersion {
    /// The version that this code speaks.
    package static let current: UInt32 = 1
    /// The oldest version that it still understands.
    package static let oldest: UInt32 = 1
}
