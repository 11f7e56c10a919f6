/// A resource that a process needs is not available yet, so a later start may succeed. The text names the setting and the
/// remedy.
package struct StartFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
