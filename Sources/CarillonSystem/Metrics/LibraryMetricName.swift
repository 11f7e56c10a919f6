/// Converts names and labels of libraries' metrics to valid Prometheus names.
enum LibraryMetricName {
    /// The limit of names and values; longer ones are cut.
    private static let longest = 128

    static func counter(_ label: String) -> String {
        let name = plain(label)
        return name.hasSuffix("_total") ? name : name + "_total"
    }

    static func gauge(_ label: String) -> String {
        let name = plain(label)
        return name.hasSuffix("_total") ? name + "_value" : name
    }

    static func timer(_ label: String) -> String {
        let name = plain(label)
        return name.hasSuffix("_seconds") ? name : name + "_seconds"
    }

    /// Alternating names and values, ordered by name, without duplicate names.
    static func labels(_ dimensions: [(String, String)]) -> [String] {
        var values: [String: String] = [:]
        for (name, value) in dimensions {
            var name = plain(name)
            while name.hasPrefix("__") { name.removeFirst() }
            values[name == "le" ? "le_" : name] = String(value.prefix(longest))
        }
        return values.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
    }

    /// Letters, digits and underscores, not starting with a digit.
    private static func plain(_ label: String) -> String {
        var name = ""
        for scalar in label.unicodeScalars.prefix(longest) {
            let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
            name.unicodeScalars.append(isPlain ? scalar : "_")
        }
        guard let first = name.unicodeScalars.first else { return "_" }
        return ("0"..."9").contains(first) ? "_" + name : name
    }
}
