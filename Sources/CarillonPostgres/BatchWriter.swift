internal import CarillonCore
internal import Logging
internal import Synchronization

/// Writes batches, one at a time, on a thread of its own: each is one fenced transaction in one round trip. A commit
/// whose answer was lost is settled before anything else is done.
final class BatchWriter: Sendable {
    struct Request: Sendable {
        var batch: WriteBatch
        var answer: @Sendable (StoreAnswer) -> Void
    }

    private let mailbox = Mailbox<Request>()
    private let url: String
    private let logger: Logger
    private let outage: OutageLog
    private let onCommit: @Sendable (UInt64, Int) -> Void
    private let connected = Atomic<Bool>(false)

    init(
        url: String,
        logger: Logger,
        outage: OutageLog,
        onCommit: @escaping @Sendable (_ microseconds: UInt64, _ rows: Int) -> Void
    ) {
        self.url = url
        self.logger = logger
        self.outage = outage
        self.onCommit = onCommit
    }

    var isConnected: Bool { connected.load(ordering: .relaxed) }

    func start() {
        WorkThread.start("pg-writer") { self.loop() }
    }

    func submit(_ request: Request) {
        _ = mailbox.post(request)
    }

    func shutdown() {
        mailbox.close()
    }

    private func loop() {
        let keeper = SessionKeeper(url: url, role: .writer, logger: logger, outage: outage)
        var days: Set<Day> = []
        while !mailbox.isClosed {
            // The connection is kept open while nothing is written, so that its state is known.
            let session = try? keeper.open()
            connected.store(session != nil, ordering: .relaxed)
            let limit = session == nil ? max(1, keeper.waitMs) : -1
            let (hasRequests, socketIsReady) = mailbox.wait(socket: session?.socket ?? -1, limitMs: limit)
            if socketIsReady, let session {
                do throws(DatabaseError) { try session.checkIdle() } catch { keeper.failed(error) }
            }
            guard hasRequests else { continue }
            for request in mailbox.takeAll() {
                var commit = BatchCommit(batch: request.batch, keeper: keeper, logger: logger)
                let began = Clock.microseconds()
                let result = commit.run(days: &days) { waitMs in
                    connected.store(keeper.session != nil, ordering: .relaxed)
                    return mailbox.sleep(ms: waitMs)
                }
                guard let result else { return }
                if case .committed = result { onCommit(Clock.microseconds() - began, request.batch.count) }
                connected.store(keeper.session != nil, ordering: .relaxed)
                request.answer(.commit(result))
            }
        }
    }
}
