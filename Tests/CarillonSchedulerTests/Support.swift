import CarillonCore
import CarillonCron
import CarillonWire
import Logging
import Synchronization
import TestSupport

@testable import CarillonScheduler

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// The scheduler's end of a client's connection; keeps the messages that the scheduler sends.
struct ClientLink: PeerLink {
    let sent = Journal<Envelope>()

    func send(_ envelopes: [Envelope]) {
        for envelope in envelopes { sent.append(envelope) }
    }

    func send(_ envelopes: [Envelope], before deadline: BootTime) { send(envelopes) }

    func deliver(_ envelopes: [Envelope]) async { send(envelopes) }

    func close(why: String) {}
}

/// A client with one connection.
final class TestClient: Sendable {
    let link = ClientLink()
    let peer: AcceptedPeer
    private let lastID = Atomic<UInt64>(0)
    private let send: @Sendable (Envelope) -> Void

    /// - Parameter send: passes a message of this client to the scheduler.
    init(_ connection: ConnectionID, send: @escaping @Sendable (Envelope, AcceptedPeer) -> Void) {
        let hello = Hello(role: .client, name: "client", bootID: UniqueID(high: 9, low: UInt64(connection)))
        let peer = AcceptedPeer(id: connection, hello: hello, address: "client.test:1", link: link)
        self.peer = peer
        self.send = { send($0, peer) }
    }

    /// Sends a request without waiting for its answer; returns the request's id.
    @discardableResult
    func post(_ request: Request, id: UInt64? = nil) -> UInt64 {
        let id = id ?? lastID.wrappingAdd(1, ordering: .relaxed).newValue
        send(Envelope(id: id, .request(request)))
        return id
    }

    /// The answer to a request.
    func ask(_ request: Request) async throws(ClientError) -> Answer {
        try await answer(to: post(request))
    }

    func answer(to id: UInt64) async throws(ClientError) -> Answer {
        switch await link.sent.first(where: { $0.id == id }).message {
        case .answer(let answer): return answer
        case .error(let error): throw error
        default: throw ClientError(.internal, "no answer")
        }
    }

    /// Sends a request and returns the job in its answer.
    func job(_ request: Request) async throws(ClientError) -> Job {
        guard case .job(let view) = try await ask(request) else { throw ClientError(.internal, "no job") }
        return view.job
    }

    /// Sends a request and returns the error in its answer; `nil` if the answer is not an error.
    func error(_ request: Request) async -> ClientError? {
        do throws(ClientError) {
            _ = try await ask(request)
            return nil
        } catch {
            return error
        }
    }
}

/// Knows only the zone UTC.
struct StubZones: ZoneSource {
    var version: String { "test" }

    func rules(named name: String) throws(ZoneUnknown) -> TimeZoneRules {
        guard name == "UTC" else { throw ZoneUnknown(message: "is no time zone") }
        return .utc
    }

    func reload() -> Set<String> { [] }
}

extension JobSettings {
    /// The required settings of a new job.
    static func new(name: String? = nil) -> JobSettings {
        var settings = JobSettings()
        settings.schedule = "0 0 1 1 *"
        settings.url = "http://target.test/"
        settings.name = name
        return settings
    }

    static func priority(_ priority: Int) -> JobSettings {
        var settings = JobSettings()
        settings.priority = priority
        return settings
    }
}
