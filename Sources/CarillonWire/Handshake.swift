package import CarillonCore

/// The role of the dialling process.
package enum Role: Sendable, Hashable, CaseIterable {
    case client
    case worker
}

/// The first message of the dialling process.
package struct Hello: Sendable, Hashable {
    package var protocolVersion: UInt32
    package var role: Role
    /// Identifies a worker across restarts; a client's name only appears in logs.
    package var name: String
    /// Random, new at each process start.
    package var bootID: UniqueID
    /// Capabilities beyond the protocol version. Unknown features have no effect.
    package var features: [String]
    /// A worker's limit of concurrent calls.
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
    /// The smallest allowed maximum for the payload of a frame.
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
    /// The version of this code.
    package static let current: UInt32 = 1
    /// The oldest supported version.
    package static let oldest: UInt32 = 1
}
