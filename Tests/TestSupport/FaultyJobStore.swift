package import CarillonCore
internal import Synchronization

/// What a batch meets at its commit, when all of it has been written.
package enum CommitFault: String, CaseIterable, Sendable {
    /// Other transactions are in the way, and the server takes it back.
    case serializationFailure, deadlock
    /// The session ends before the commit is made.
    case lostBeforeMade
    /// The commit is made, and the session ends before its answer comes.
    case answerLost

    /// Whether the store has to find out what became of the batch.
    package var endsSession: Bool {
        switch self {
        case .serializationFailure, .deadlock: false
        case .lostBeforeMade, .answerLost: true
        }
    }
}

/// The in-memory twin with a server and a network that fail. What the port promises holds: one commit is in flight at a
/// time, and one whose answer was lost is settled before it is answered.
package final class FaultyJobStore: JobStore {
    private let database: MemoryDatabase
    private let store: MemoryJobStore
    private let state = Mutex(State())

    private struct Commit: Sendable {
        var batch: WriteBatch
        var answer: @Sendable (StoreAnswer) -> Void
    }

    private struct State: Sendable {
        /// What the next commit meets.
        var fault: CommitFault?
        /// The commit that met its fault, and what is not answered before it is.
        var struck: Commit?
        var waiting: [Commit] = []
        var isWriting = false
    }

    package init(_ database: MemoryDatabase, onLeaseConnectionLost: @escaping @Sendable (String) -> Void) {
        self.database = database
        store = MemoryJobStore(database, onLeaseConnectionLost: onLeaseConnectionLost)
    }

    /// Lets the next commit meet a fault. One that comes to no commit, because it is fenced off or refused, meets none.
    package func strike(_ fault: CommitFault) {
        state.withLock { $0.fault = fault }
    }

    /// Whether a commit has met its fault, and nothing came of it yet.
    package var isStruck: Bool { state.withLock { $0.struck != nil } }

    /// The store can go on: what was lost is settled, what was not made is written, and then what waits behind it.
    package func recover() {
        guard let commit = state.withLock({ $0.struck.take() }) else { return }
        if let result = database.outcome(of: commit.batch) {
            commit.answer(.commit(result))
        } else {
            store.submit(.commit(commit.batch), answer: commit.answer)
        }
        writeWaiting()
    }

    package func submit(_ request: StoreRequest, answer: @escaping @Sendable (StoreAnswer) -> Void) {
        guard case .commit(let batch) = request else { return store.submit(request, answer: answer) }
        let isFirst = state.withLock { state in
            state.waiting.append(Commit(batch: batch, answer: answer))
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if isFirst { writeWaiting() }
    }

    package func shutdown() { store.shutdown() }

    /// Only whoever set `isWriting` gets here, until nothing waits any more.
    private func writeWaiting() {
        while true {
            let next = state.withLock { state -> (commit: Commit, fault: CommitFault?)? in
                guard !state.waiting.isEmpty else {
                    state.isWriting = false
                    return nil
                }
                return (state.waiting.removeFirst(), state.fault.take())
            }
            guard let (commit, fault) = next else { return }
            if let fault, database.wouldWrite(commit.batch) {
                if fault == .answerLost { store.submit(.commit(commit.batch)) { _ in } }
                return state.withLock { $0.struck = commit }
            }
            store.submit(.commit(commit.batch), answer: commit.answer)
        }
    }
}
