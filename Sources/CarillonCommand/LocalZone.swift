internal import CarillonCron

/// The time zone of this machine, or of the process that asks.
enum LocalZone {
    /// - Parameters:
    ///   - variable: The value of TZ; `nil` when it is not set.
    ///   - directory: Where the compiled time zones are.
    ///   - machine: The file with the zone of the machine.
    /// - Returns: UTC where the zone cannot be read, as the C library does.
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
