internal import CarillonCore
internal import CarillonRuntime
internal import Logging
internal import Synchronization

/// Writes batches one at a time on a separate thread. Each batch is one fenced transaction in one round trip. An ambiguous commit is
/// resolved before anything else is done.
final class BatchWriter: Sendable {
    struct Request: Sendable {
        var batch: WriteBatch
        var answer: @Sendable (StoreAnswer) -> Void
    }

    private let mailbox = Mailbox<Request>()
    private let context: StoreContext
    private let onCommit: @Sendable (UInt64, Int) -> Void
    private let connected = Atomic<Bool>(false)

    init(_ context: StoreContext, onCommit: @escaping @Sendable (_ microseconds: UInt64, _ rows: Int) -> Void) {
        self.context = context
        self.onCommit = onCommit
    }

    var isConnected: Bool { connected.load(ordering: .relaxed) }

    func start() {
        NativeThread.startDetached(name: "pg-writer") { self.loop() }
    }

    func submit(_ request: Request) {
        let number = context.health.began(.batch)
        var request = request
        request.answer = { [health = context.health, answer = request.answer] result in
            health.ended(.batch, number)
            answer(result)
        }
        _ = mailbox.post(request)
    }

    func shutdown() {
        mailbox.close()
    }

    private func loop() {
        let keeper = context.keeper(.writer)
        var days: Set<Day> = []
        var limit = WriteLimit(watch: context.watch)
        while !mailbox.isClosed {
            // The connection stays open while nothing is written, so that its state is known.
            let session = open(keeper)
            connected.store(session != nil, ordering: .relaxed)
            let waitMs = session == nil ? max(1, keeper.waitMs) : -1
            let (hasRequests, socketIsReady) = mailbox.wait(socket: session?.socket ?? -1, limitMs: waitMs)
            if socketIsReady, let session {
                do throws(DatabaseError) { try session.checkIdle() } catch { keeper.failed(error) }
            }
            guard hasRequests else { continue }
            for request in mailbox.takeAll() {
                var commit = BatchCommit(batch: request.batch, keeper: keeper, context: context)
                let began = SystemClock.bootMicroseconds()
                let result = commit.run(days: &days, limit: &limit) { waitMs in
                    connected.store(keeper.session != nil, ordering: .relaxed)
                    return mailbox.sleep(ms: waitMs)
                }
                guard let result else { return }
                if case .committed = result { onCommit(SystemClock.bootMicroseconds() - began, request.batch.count) }
                connected.store(keeper.session != nil, ordering: .relaxed)
                request.answer(.commit(result))
            }
        }
    }

    private func open(_ keeper: SessionKeeper) -> Connection? {
        do throws(DatabaseError) {
            return try keeper.open()
        } catch {
            context.health.failed(.writer, error)
            return nil
        }
    }
}
