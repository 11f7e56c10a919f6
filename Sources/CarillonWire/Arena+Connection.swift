internal import CCarillonProto
internal import CarillonCore

/// Messages about the connection, as protobuf-c's structs.
extension Arena {
    func hello(_ hello: Hello) -> UnsafeMutablePointer<Carillon__V1__Hello> {
        let wire = one(carillon__v1__hello__init)
        wire.pointee.protocol_version = hello.protocolVersion
        wire.pointee.role = hello.role.wire
        wire.pointee.name = string(hello.name)
        wire.pointee.boot_id = id(hello.bootID)
        (wire.pointee.n_features, wire.pointee.features) = strings(hello.features)
        if let maxWorkers = hello.maxWorkers {
            wire.pointee.has_max_workers = 1
            wire.pointee.max_workers = maxWorkers
        }
        wire.pointee.version = string(hello.version)
        return wire
    }

    func welcome(_ welcome: Welcome) -> UnsafeMutablePointer<Carillon__V1__Welcome> {
        let wire = one(carillon__v1__welcome__init)
        wire.pointee.protocol_version = welcome.protocolVersion
        wire.pointee.server_id = id(welcome.serverID)
        wire.pointee.leading = welcome.leading ? 1 : 0
        if let epoch = welcome.epoch {
            wire.pointee.has_epoch = 1
            wire.pointee.epoch = epoch
        }
        (wire.pointee.n_shards, wire.pointee.shards) = numbers(welcome.shards) { UInt32($0) }
        wire.pointee.heartbeat_ms = welcome.heartbeatMs
        wire.pointee.max_frame_bytes = welcome.maxFrameBytes
        wire.pointee.server_time = welcome.serverTime.milliseconds
        wire.pointee.version = string(welcome.version)
        wire.pointee.leader_address = string(welcome.leaderAddress)
        return wire
    }

    func error(_ error: ClientError) -> UnsafeMutablePointer<Carillon__V1__Error> {
        let wire = one(carillon__v1__error__init)
        wire.pointee.code = error.code.wire
        wire.pointee.text = string(error.text)
        (wire.pointee.n_errors, wire.pointee.errors) = list(error.errors, carillon__v1__field_error__init) {
            $1.pointee.field = string($0.field)
            $1.pointee.message = string($0.message)
        }
        wire.pointee.retryable = error.retryable ? 1 : 0
        wire.pointee.reason = string(error.reason?.rawValue)
        wire.pointee.leader_address = string(error.leaderAddress)
        return wire
    }

    func ping(_ sent: Int64) -> UnsafeMutablePointer<Carillon__V1__Ping> {
        let wire = one(carillon__v1__ping__init)
        wire.pointee.sent_us = sent
        return wire
    }

    func pong(_ sent: Int64, _ answered: Int64, _ clock: UInt64?) -> UnsafeMutablePointer<Carillon__V1__Pong> {
        let wire = one(carillon__v1__pong__init)
        wire.pointee.ping_sent_us = sent
        wire.pointee.answered_us = answered
        if let clock {
            wire.pointee.has_clock_us = 1
            wire.pointee.clock_us = clock
        }
        return wire
    }

    func goodbye(_ why: String) -> UnsafeMutablePointer<Carillon__V1__Goodbye> {
        let wire = one(carillon__v1__goodbye__init)
        wire.pointee.why = string(why)
        return wire
    }
}
