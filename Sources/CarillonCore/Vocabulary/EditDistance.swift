/// The number of characters to change, add or remove to turn one word into another (Levenshtein 1966).
package enum EditDistance {
    /// The distance between two words. Only their first 64 bytes are compared.
    package static func between(_ left: String, _ right: String) -> Int {
        between(Array(left.utf8.prefix(64)), Array(right.utf8.prefix(64)))
    }

    /// The distance between two byte sequences.
    package static func between(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (index, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in right.enumerated() {
                let above = row[column + 1]
                row[column + 1] = min(diagonal + (byte == other ? 0 : 1), above + 1, row[column] + 1)
                diagonal = above
            }
        }
        return row[right.count]
    }
}
