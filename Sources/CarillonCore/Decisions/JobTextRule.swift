/// The rules for the texts of a job.
enum JobTextRule {
    static let nameBytes = 1...200
    static let maxDescriptionBytes = 4_000
    static let tags = JobField.ListLimits(maxCount: 32, bytes: 1...64)

    static func problems(withName name: String) -> [String] {
        var problems: [String] = []
        if UniqueID(name) != nil { problems.append("looks like an id; ids identify jobs too, so choose another name") }
        if !nameBytes.contains(name.utf8.count) || name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            problems.append(
                "must have \(nameBytes.lowerBound) to \(nameBytes.upperBound) bytes and no control characters"
            )
        } else if name.allSatisfy(\.isWhitespace) {
            problems.append("is blank; choose a name or leave it out")
        }
        return problems
    }

    static func problem(withDescription description: String) -> String? {
        let count = description.utf8.count
        return count > maxDescriptionBytes ? "has \(count) bytes; at most \(maxDescriptionBytes) are allowed" : nil
    }

    static func problems(withBody body: String) -> [String] {
        var problems: [String] = []
        if body.utf8.count > JobRules.maxBodyBytes {
            problems.append("has \(body.utf8.count) bytes; at most \(JobRules.maxBodyBytes) (1 MiB) are allowed")
        }
        if body.utf8.contains(0) { problems.append("contains a NUL character, which cannot be stored") }
        return problems
    }

    static func problems(withTags list: [String]) -> [FieldError] {
        var problems: [String] = []
        if list.count > tags.maxCount {
            problems.append("are \(list.count); at most \(tags.maxCount) are allowed")
        }
        if Set(list).count != list.count { problems.append("contain the same tag twice") }
        // Tags beyond the limit are not checked individually.
        for tag in list.prefix(tags.maxCount)
        where !tags.bytes.contains(tag.utf8.count) || tag.utf8.contains(where: { $0 < 0x20 }) {
            problems.append(
                """
                contain '\(tag.prefix(70))'; a tag has \(tags.bytes.lowerBound) to \(tags.bytes.upperBound) bytes and no control \
                characters
                """
            )
        }
        return problems.map { FieldError(field: "tags", message: $0) }
    }
}
