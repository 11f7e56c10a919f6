/// What a dispatched call asks a worker to do.
package enum CallKind: Sendable, Hashable {
    case http(HTTPCall)
    /// A kind of a later version. The worker returns the call without having begun it.
    case unsupported

    /// The features that a worker must have announced in Hello to be given the call. A plain HTTP call needs none.
    package var requiredFeatures: Set<String> {
        switch self {
        case .http, .unsupported: []
        }
    }
}
