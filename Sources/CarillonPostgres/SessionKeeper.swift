internal import CarillonRuntime
internal import Logging
internal import Synchronization

/// Opens a session and opens it again: with backoff, and with one story about it in the log. Used by one thread.
final class SessionKeeper {
    private let url: String
    private let role: ConnectionRole
    private let logger: Logger
    private let outage: OutageLog
    private let listener: LeaseWatch?
    private var backoff = Backoff()
    private var random = SystemRandomNumberGenerator()
    /// No attempt before this.
    private var notBefore: Int64 = 0
    private var lastError = DatabaseError(.connection, "not connected yet")
    private(set) var session: Connection?

    /// - Parameter listener: is told whenever the server answers.
    init(url: String, role: ConnectionRole, logger: Logger, outage: OutageLog, listener: LeaseWatch? = nil) {
        self.url = url
        self.role = role
        self.logger = logger
        self.outage = outage
        self.listener = listener
    }

    /// How long until the next attempt to connect is allowed, in milliseconds; 0 when it is.
    var waitMs: Int64 { max(0, notBefore - SystemClock.bootMilliseconds()) }

    /// The session; makes one attempt to open it, unless the last one failed just now.
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

    /// Gives the session up; the next attempt waits a little.
    func failed(_ error: DatabaseError) {
        session = nil
        lastError = error
        outage.failed(role, error)
        notBefore = SystemClock.bootMilliseconds() + backoff.failed(using: &random)
    }

    /// Closes the session in peace.
    func close() {
        session = nil
    }

    /// Runs statements; when that needs a new connection next time, the session is given up.
    func run(_ steps: [Step], _ patience: Patience = Patience()) throws(DatabaseError) -> [QueryResult] {
        let session = try open()
        do throws(DatabaseError) {
            return try session.run(steps, patience)
        } catch {
            if error.endsConnection || error.remedy == .reconnect || error.remedy == .settle {
                failed(error)
                // A session that was there and went is looked for again at once.
                notBefore = 0
            }
            throw error
        }
    }
}
