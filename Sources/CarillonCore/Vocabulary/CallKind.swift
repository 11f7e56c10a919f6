/// The kind of work that a dispatched call requests from a worker.
package enum CallKind: Sendable, Hashable {
    case http(HTTPCall)
    /// A kind from a later version. The worker returns the call without starting it.
    case unsupported

    /// Features that a worker must announce in Hello to receive the call. A plain HTTP call needs none.
    package var requiredFeatures: Set<String> {
        switch self {
        case .http, .unsupported: []
        }
    }
}
