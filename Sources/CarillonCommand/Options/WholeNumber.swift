internal import ArgumentParser

/// A number of things on the command line.
enum WholeNumber {
    /// An option's value.
    /// - Throws: `ValidationError`, which says what would be one.
    static func read(_ text: String) throws -> Int {
        if let number = Int(text) { return number }
        let isNumber = !text.isEmpty && text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        throw ValidationError(
            isNumber ? "it is too great; at most \(Int.max) can be read" : "a whole number such as 5 is needed"
        )
    }
}
