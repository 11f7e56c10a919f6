internal import CarillonCron

/// The local time zone of this process.
enum LocalZone {
    /// - Parameters:
    ///   - variable: the value of TZ; `nil` if it is not set.
    ///   - directory: the folder of the compiled time zones.
    ///   - machine: the file with the machine's time zone.
    /// - Returns: UTC if the zone cannot be read, like the C library.
    static func rules(_ variable: String?, directory: String, machine: String = "/etc/localtime") -> TimeZoneRules {
        var path = machine
        if let variable {
            let name = variable.hasPrefix(":") ? String(variable.dropFirst()) : variable
            if name.isEmpty { return .utc }
            path = name.hasPrefix("/") ? name : "\(directory)/\(name)"
        }
        guard let bytes = try? FileText.bytes(at: path) else { return .utc }
        return (try? TimeZoneRules(name: "local", tzif: bytes)) ?? .utc
    }
}
