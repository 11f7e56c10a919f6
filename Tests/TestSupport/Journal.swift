internal import Synchronization

/// Records events and allows tests to wait for further ones.
package final class Journal<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var waiting: [(isEnough: @Sendable ([Element]) -> Bool, continuation: CheckedContinuation<[Element], Never>)] =
            []
    }

    private let state = Mutex(State())

    package init() {}

    package var elements: [Element] { state.withLock { $0.elements } }

    package func append(_ element: Element) { append(contentsOf: [element]) }

    package func append(contentsOf elements: [Element]) {
        let (ready, all) = state.withLock { state in
            state.elements += elements
            let all = state.elements
            let ready = state.waiting.filter { $0.isEnough(all) }
            state.waiting.removeAll { $0.isEnough(all) }
            return (ready, all)
        }
        for waiting in ready { waiting.continuation.resume(returning: all) }
    }

    /// Waits until there are enough elements, and returns them.
    @discardableResult
    package func until(_ isEnough: @escaping @Sendable ([Element]) -> Bool) async -> [Element] {
        await withCheckedContinuation { continuation in
            let found: [Element]? = state.withLock { state in
                if isEnough(state.elements) { return state.elements }
                state.waiting.append((isEnough, continuation))
                return nil
            }
            if let found { continuation.resume(returning: found) }
        }
    }

    /// The first matching element, past or future.
    @discardableResult
    package func first(where fits: @escaping @Sendable (Element) -> Bool) async -> Element {
        let elements = await until { $0.contains(where: fits) }
        guard let first = elements.first(where: fits) else { preconditionFailure("the wait ended without a match") }
        return first
    }

    /// The elements after the first `count`; waits until there is one.
    package func elements(after count: Int) async -> [Element] {
        let elements = await until { $0.count > count }
        return Array(elements[count...])
    }
}
