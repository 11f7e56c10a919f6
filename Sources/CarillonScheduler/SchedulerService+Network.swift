package import CarillonCore
internal import CarillonRuntime
package import CarillonWire
internal import Logging

/// Events of the connections to workers and clients.
extension SchedulerService: PeerReceiver {
    package func answer(to hello: Hello) -> Result<Welcome, ClientError> {
        if hello.role == .worker, isNameInUse(by: hello) {
            log.workerNameInUse(hello.name)
            return .failure(.workerNameInUse(hello.name))
        }
        return .success(welcome)
    }

    /// Whether another process is connected under this name. The dispatcher checks again, for workers that connect meanwhile.
    private func isNameInUse(by hello: Hello) -> Bool {
        peers.workers.contains { $0.peer.hello.name == hello.name && $0.peer.hello.bootID != hello.bootID }
    }

    private var welcome: Welcome {
        let current = status.current
        return Welcome(
            serverID: configuration.dispatcher.owner,
            leading: current.isLeading,
            epoch: current.epoch,
            shards: current.isLeading ? Array(0..<16) : [],
            heartbeatMs: UInt32(configuration.heartbeatMs),
            maxFrameBytes: UInt32(configuration.maxFrameBytes),
            serverTime: status.clusterTime(),
            version: configuration.version,
            leaderAddress: current.isLeading ? status.ownAddress : status.leaderAddress
        )
    }

    /// Notifies clients of a take-over through the Lead message; only workers get the proof.
    func tellClients(_ before: Status, _ after: Status) {
        if let epoch = after.epoch {
            peers.sendToClients(.lead(LeadProof(epoch: epoch), shards: Array(0..<16)))
        } else if let epoch = before.epoch {
            peers.sendToClients(.lead(LeadProof(epoch: epoch), shards: []))
        }
    }

    package func connected(_ peer: AcceptedPeer) {
        if peer.hello.role == .client { requests.open(peer.id) }
        peers.add(peer)
        logger.debug("connected", metadata: ["peer": "\(peer.hello.name)", "address": "\(peer.address)"])
        guard peer.hello.role == .worker else { return }
        logger.info("worker connected", metadata: ["worker": "\(peer.hello.name)", "address": "\(peer.address)"])
        eventLoop.post(
            .workerJoined(
                peer.id,
                name: peer.hello.name,
                bootID: peer.hello.bootID,
                maxWorkers: Int(peer.hello.maxWorkers ?? 0),
                features: Set(peer.hello.features)
            )
        )
    }

    package func received(_ envelopes: [Envelope], from connection: ConnectionID) {
        for envelope in envelopes {
            switch envelope.message {
            case .holding(let epoch, let running): eventLoop.post(.workerHeld(connection, epoch: epoch, running))
            case .credit(let granted): eventLoop.post(.workerGranted(connection, granted))
            case .started(let tokens): eventLoop.post(.workerStarted(connection, tokens))
            case .outcome(let outcomes): eventLoop.post(.workerReported(connection, outcomes))
            case .drain: eventLoop.post(.workerDrained(connection))
            case .leadRefused(let epoch, _, let highest):
                eventLoop.post(.workerRefusedLead(connection, epoch: epoch, highest: highest))
            case .claimAnswer(let rememberedMs, let claims):
                eventLoop.post(.workerAnsweredClaims(connection, rememberedMs: rememberedMs, claims))
            case .request(let request):
                if let peer = peers.peer(connection) { requests.handle(request, id: envelope.id, from: peer) }
            case .unknown:
                let error = ClientError(
                    .unimplemented,
                    "unknown message; this scheduler may be older than the client"
                )
                peers.link(connection)?.send([Envelope(id: envelope.id, .error(error))])
            default:
                break
            }
        }
    }

    package func measured(_ reading: PeerClockReading, of connection: ConnectionID) {
        peers.setSkew(reading.skewMs, of: connection)
        guard let microseconds = reading.clockMicroseconds else { return }
        eventLoop.post(
            .workerClockRead(
                connection,
                microseconds: microseconds,
                sentAt: reading.sentAt,
                receivedAt: reading.receivedAt
            )
        )
    }

    package func filled(_ connection: ConnectionID, _ isFull: Bool) {
        requests.hold(connection, isFull)
    }

    package func disconnected(_ connection: ConnectionID, why: String) {
        requests.forget(connection)
        guard let peer = peers.remove(connection) else { return }
        guard peer.hello.role == .worker else { return }
        logger.info("worker disconnected", metadata: ["worker": "\(peer.hello.name)", "why": "\(why)"])
        eventLoop.post(.workerLeft(connection))
    }
}
