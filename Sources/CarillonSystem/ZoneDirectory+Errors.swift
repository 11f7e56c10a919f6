internal import CarillonCore
internal import CarillonCron

/// Errors about names of zones.
extension ZoneDirectory {
    /// The error for a well-formed name without a zone.
    func unknown(_ name: String) -> ZoneError {
        if let advice = ZoneNameAdvice.advice(for: name) { return error(name, advice) }
        return error(name, "There is no time zone \"\(name)\"", like: name)
    }

    /// The error for a text that cannot be a name, because of its characters or its length.
    func notAName(_ name: String) -> ZoneError {
        let short = String(name.prefix(64))
        if let advice = ZoneNameAdvice.advice(for: short) { return error(name, advice) }
        if let joined = ZoneNameAdvice.withoutSpaces(short) {
            if let advice = ZoneNameAdvice.advice(for: joined) { return error(name, advice) }
            return error(name, "\"\(short)\" has spaces, and names of time zones have underscores", like: joined)
        }
        return ZoneError(
            name: name,
            nearest: [],
            message: "\"\(short)\" is not the name of a time zone; names are written as in Europe/Berlin or UTC."
        )
    }

    private func error(_ name: String, _ advice: (text: String, zones: [String])) -> ZoneError {
        ZoneError(name: name, nearest: Array(advice.zones.prefix(3)), message: advice.text + ".")
    }

    private func error(_ name: String, _ problem: String, like other: String) -> ZoneError {
        let nearest = nearest(to: other)
        let hint = nearest.isEmpty ? "." : ". Did you mean \(nearest.joined(separator: ", "))?"
        return ZoneError(name: name, nearest: nearest, message: problem + hint)
    }

    // MARK: Similar names

    private func nearest(to name: String) -> [String] {
        let wanted = Array(name.lowercased().utf8)
        let limit = max(2, wanted.count / 3)
        var found: [(distance: Int, name: String)] = []
        for candidate in names {
            let whole = Array(candidate.lowercased().utf8)
            // "Berlin" matches Europe/Berlin.
            let city = Array(whole[(whole.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0)...])
            let distance = min(EditDistance.between(wanted, whole), EditDistance.between(wanted, city))
            if distance <= limit { found.append((distance, candidate)) }
        }
        return found.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
    }
}
