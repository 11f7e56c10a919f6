/// Something that a process needs is not there yet, or not free yet: another start may do. Its text names the setting, and what
/// would help.
package struct StartFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
