package import CarillonCron
internal import Glibc
internal import Synchronization

/// There is no time zone with this name, or its file cannot be read.
package struct ZoneError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The requested name.
    package let name: String
    /// Similar names, the most similar first; at most three.
    package let nearest: [String]
    /// A sentence with the error and similar names.
    package let message: String

    package var description: String { message }
}

/// The system's compiled time zones: the directory TZDIR, or /usr/share/zoneinfo.
///
/// A zone is read on first use and cached; `reload` reads cached zones again. Links are followed.
package final class ZoneDirectory: Sendable {
    private struct Entry {
        var bytes: [UInt8]
        var rules: TimeZoneRules
    }

    private struct State {
        var zones: [String: Entry] = [:]
        var version: String?
        var names: [String]?
    }

    /// The directory of the files.
    package let path: String
    private let state = Mutex(State())

    /// A size limit; the largest compiled zones have about 3,500 bytes.
    private static let largestFile = 1 << 20

    /// - Parameter path: a directory of TZif files; by default TZDIR from the environment, or /usr/share/zoneinfo.
    package init(path: String? = nil) {
        self.path = path ?? getenv("TZDIR").map { String(cString: $0) } ?? "/usr/share/zoneinfo"
    }

    /// The rules of a zone.
    ///
    /// - Parameter name: an IANA name such as `Europe/Berlin`, case-sensitive. `UTC` exists even without files.
    /// - Throws: `ZoneError` when the zone does not exist; the error suggests similar names.
    package func zone(named name: String) throws(ZoneError) -> TimeZoneRules {
        if let entry = state.withLock({ $0.zones[name] }) { return entry.rules }
        if let refusal = ZoneNameAdvice.refusal(of: String(name.prefix(64))) {
            throw ZoneError(name: name, nearest: [], message: refusal + ".")
        }
        guard Self.isName(name) else { throw notAName(name) }
        guard let bytes = contents(of: name) else {
            if name == "UTC" { return .utc }
            throw unknown(name)
        }
        // The directory also contains other files: tables, leap seconds, sources.
        guard bytes.starts(with: "TZif".utf8) else { throw unknown(name) }
        let rules: TimeZoneRules
        do {
            rules = try TimeZoneRules(name: name, tzif: bytes)
        } catch {
            throw ZoneError(name: name, nearest: [], message: error.message)
        }
        return state.withLock { state in
            if let winner = state.zones[name] { return winner.rules }
            state.zones[name] = Entry(bytes: bytes, rules: rules)
            return rules
        }
    }

    /// The release of the time zone data, such as `2026a`: from tzdata.zi, from +VERSION, or from Debian's package database; otherwise
    /// `unknown`.
    package var version: String {
        if let version = state.withLock({ $0.version }) { return version }
        let version = findVersion()
        state.withLock { $0.version = version }
        return version
    }

    /// Reads all cached zones and the version again.
    ///
    /// - Returns: the names of the zones whose rules changed. A file that is missing or unreadable, for example during an update,
    ///   leaves its zone unchanged.
    package func reload() -> Set<String> {
        let known = state.withLock { state in
            state.version = nil
            state.names = nil
            return state.zones.mapValues(\.bytes)
        }
        var changed: [String: Entry] = [:]
        for (name, old) in known {
            guard let bytes = contents(of: name), bytes != old,
                let rules = try? TimeZoneRules(name: name, tzif: bytes)
            else { continue }
            changed[name] = Entry(bytes: bytes, rules: rules)
        }
        state.withLock { $0.zones.merge(changed) { _, new in new } }
        return Set(changed.keys)
    }

    /// All names of zones and links, in alphabetical order.
    package var names: [String] {
        if let names = state.withLock({ $0.names }) { return names }
        let names = findNames().filter { ZoneNameAdvice.refusal(of: $0) == nil }.sorted()
        state.withLock { $0.names = names }
        return names
    }

    // MARK: Names

    /// Letters, digits and `_ + - .` in parts separated by `/`; never a path out of the directory.
    private static func isName(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= 64 else { return false }
        return name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && part.first != UInt8(ascii: ".")
                && part.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"),
                        UInt8(ascii: "."):
                        true
                    default: false
                    }
                }
        }
    }

    private func findNames() -> [String] {
        guard let bytes = contents(of: "tzdata.zi", limit: 1 << 24) else { return walk("", depth: 0) }
        var names: [String] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "))
            // "Z name ..." starts a zone, "L target name" a link.
            if words.count > 1, words[0].elementsEqual("Z".utf8) {
                names.append(String(decoding: words[1], as: UTF8.self))
            }
            if words.count > 2, words[0].elementsEqual("L".utf8) {
                names.append(String(decoding: words[2], as: UTF8.self))
            }
        }
        return names
    }

    /// The files in a directory and its subdirectories whose names are valid zone names.
    private func walk(_ prefix: String, depth: Int) -> [String] {
        guard depth < 4, let directory = opendir("\(path)/\(prefix)") else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.first != ".", depth > 0 || (name != "right" && name != "posix") else { continue }
            let whole = prefix.isEmpty ? name : "\(prefix)/\(name)"
            if let bytes = contents(of: whole) {
                if bytes.starts(with: "TZif".utf8) { names.append(whole) }
            } else {
                names += walk(whole, depth: depth + 1)
            }
        }
        return names
    }

    // MARK: Version

    private func findVersion() -> String {
        if let line = contents(of: "tzdata.zi", limit: 1 << 24)?.prefix(while: { $0 != UInt8(ascii: "\n") }) {
            let words = line.split(separator: UInt8(ascii: " "))
            if words.count >= 3, words[1].elementsEqual("version".utf8) {
                return String(decoding: words[2], as: UTF8.self)
            }
        }
        if let line = contents(of: "+VERSION")?.prefix(while: { $0 > UInt8(ascii: " ") }), !line.isEmpty {
            return String(decoding: line, as: UTF8.self)
        }
        return Self.packageVersion() ?? "unknown"
    }

    /// Debian's tzdata version `2026a-0+deb12u1` is the release 2026a.
    private static func packageVersion() -> String? {
        guard let bytes = contents(ofFile: "/var/lib/dpkg/status", limit: 1 << 26) else { return nil }
        var isInPackage = false
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if line.isEmpty { isInPackage = false }
            if line.elementsEqual("Package: tzdata".utf8) { isInPackage = true }
            guard isInPackage, line.starts(with: "Version: ".utf8) else { continue }
            return String(decoding: line.dropFirst(9).prefix { $0 != UInt8(ascii: "-") }, as: UTF8.self)
        }
        return nil
    }

    // MARK: Files

    private func contents(of name: String, limit: Int = largestFile) -> [UInt8]? {
        Self.contents(ofFile: "\(path)/\(name)", limit: limit)
    }

    /// `nil` when it is not a file, cannot be read or is larger than `limit`.
    private static func contents(ofFile path: String, limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else {
            return nil
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var count = 0
        while count < bytes.count {
            let part = bytes.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            }
            if part < 0, errno == EINTR { continue }
            guard part > 0 else { return nil }
            count += part
        }
        return bytes
    }
}
