internal import ArgumentParser

/// Reads a count from the command line.
enum WholeNumber {
    /// Reads the value of an option.
    /// - Throws: `ValidationError` with the valid forms.
    static func read(_ text: String) throws -> Int {
        if let number = Int(text) { return number }
        let isNumber = !text.isEmpty && text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        throw ValidationError(
            isNumber ? "the number is too large; the maximum is \(Int.max)" : "a whole number such as 5 is needed"
        )
    }
}
