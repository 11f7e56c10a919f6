internal import CarillonCore
internal import Synchronization

/// Those who wait for what the dispatcher makes of their change.
final class Tickets: Sendable {
    private struct Held {
        var next: Ticket = 1
        var waiting: [Ticket: CheckedContinuation<ChangeResult, Never>] = [:]
    }

    private let held = Mutex(Held())

    /// Waits for the answer to the request that `post` sends off with its ticket.
    func wait(_ post: (Ticket) -> Void) async -> ChangeResult {
        await withCheckedContinuation { continuation in
            let ticket = held.withLock { held in
                let ticket = held.next
                held.next += 1
                held.waiting[ticket] = continuation
                return ticket
            }
            post(ticket)
        }
    }

    func answer(_ ticket: Ticket, _ result: ChangeResult) {
        held.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume(returning: result)
    }

    func refuseAll(_ error: ClientError) {
        let waiting = held.withLock { held in
            defer { held.waiting = [:] }
            return held.waiting
        }
        for continuation in waiting.values { continuation.resume(returning: .refused(error)) }
    }
}
