/// A setting that cannot be. Its text names the setting, the value, and what is allowed.
package struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    package var message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
