package import CarillonCore
internal import Synchronization

/// A fault at the commit of a batch, after all of its statements.
package enum CommitFault: String, CaseIterable, Sendable {
    /// A conflict with other transactions; the server rolls the transaction back.
    case serializationFailure, deadlock
    /// The session ends before the commit.
    case lostBeforeMade
    /// The commit succeeds, and the session ends before the response arrives.
    case answerLost

    /// Whether the store must find out whether the batch was committed.
    package var endsSession: Bool {
        switch self {
        case .serializationFailure, .deadlock: false
        case .lostBeforeMade, .answerLost: true
        }
    }
}

/// The in-memory store with a failing server and network. It keeps the promises of `JobStore`: one commit is in flight
/// at a time, and an ambiguous commit is resolved before it is answered.
package final class FaultyJobStore: JobStore {
    private let database: MemoryDatabase
    private let store: MemoryJobStore
    private let state = Mutex(State())

    private struct Commit: Sendable {
        var batch: WriteBatch
        var answer: @Sendable (StoreAnswer) -> Void
    }

    private struct State: Sendable {
        /// The fault of the next commit.
        var fault: CommitFault?
        /// The commit with the fault, while it is unanswered.
        var struck: Commit?
        var waiting: [Commit] = []
        var isWriting = false
    }

    package init(_ database: MemoryDatabase, onLeaseConnectionLost: @escaping @Sendable (String) -> Void) {
        self.database = database
        store = MemoryJobStore(database, onLeaseConnectionLost: onLeaseConnectionLost)
    }

    /// Sets a fault for the next commit. A batch that is fenced off or refused does not reach its commit and has no
    /// fault.
    package func strike(_ fault: CommitFault) {
        state.withLock { $0.fault = fault }
    }

    /// Whether a commit has failed and is not resolved yet.
    package var isStruck: Bool { state.withLock { $0.struck != nil } }

    /// Ends the fault: the lost commit is resolved, a commit that failed is repeated, and then queued batches are
    /// written.
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

    /// Only the caller that set `isWriting` runs this, until the queue is empty.
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
