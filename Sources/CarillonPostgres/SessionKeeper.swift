internal import CarillonRuntime
internal import Logging
internal import Synchronization

/// Opens a session, and opens it again with backoff after a failure. Used by one thread.
final class SessionKeeper {
    private let url: String
    private let role: ConnectionRole
    private let logger: Logger
    private let outage: OutageLog
    private let listener: LeaseWatch?
    private var backoff = Backoff()
    private var random = SystemRandomNumberGenerator()
    /// The time of the next allowed attempt.
    private var notBefore: Int64 = 0
    private var lastError = DatabaseError(.connection, "not connected yet")
    private(set) var session: Connection?

    /// - Parameter listener: notified whenever the server answers.
    init(url: String, role: ConnectionRole, logger: Logger, outage: OutageLog, listener: LeaseWatch? = nil) {
        self.url = url
        self.role = role
        self.logger = logger
        self.outage = outage
        self.listener = listener
    }

    /// Milliseconds until the next allowed attempt to connect; 0 when it is allowed now.
    var waitMs: Int64 { max(0, notBefore - SystemClock.bootMilliseconds()) }

    /// The session. Makes one attempt to open it, unless the last attempt has just failed.
    func open() throws(DatabaseError) -> Connection {
        if let session { return session }
        guard waitMs == 0 else { throw lastError }
        do throws(DatabaseError) {
            let settings = try ConnectionSettings(url: url, role: role)
            let opened = try Connection(settings, listener: listener, logger: logger)
            backoff.succeeded()
            outage.connected(role)
            session = opened
            return opened
        } catch {
            failed(error)
            throw error
        }
    }

    /// Abandons the session; the next attempt is delayed.
    func failed(_ error: DatabaseError) {
        session = nil
        lastError = error
        outage.failed(role, error)
        notBefore = SystemClock.bootMilliseconds() + backoff.failed(using: &random)
    }

    /// Closes the session without an error.
    func close() {
        session = nil
    }

    /// Runs statements. The session is abandoned if the error requires a new connection.
    func run(_ steps: [Step], _ patience: Patience = Patience()) throws(DatabaseError) -> [QueryResult] {
        let session = try open()
        do throws(DatabaseError) {
            return try session.run(steps, patience)
        } catch {
            if error.endsConnection || error.remedy == .reconnect || error.remedy == .settle {
                failed(error)
                // After the loss of an established session, the first attempt is immediate.
                notBefore = 0
            }
            throw error
        }
    }
}
