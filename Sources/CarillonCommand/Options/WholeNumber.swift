internal import ArgumentParser

/// A number of things on the command line.
enum WholeNumber {
    /// An option's value.
    /// - Throws: `ValidationError`, which says what would be one.
    static func read(_ text: String) throws -> Int {
        guard let number = Int(text) else { throw ValidationError("a whole number such as 5 is needed") }
        return number
    }
}
