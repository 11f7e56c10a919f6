internal import CarillonCore

/// One migration of the schema: `migrations/NNN_name.up.sql` and `.down.sql`.
package struct Migration: Sendable, Hashable {
    package var version: Int
    package var name: String
    package var up: String
    package var down: String

    package init(version: Int, name: String, up: String, down: String) {
        self.version = version
        self.name = name
        self.up = up
        self.down = down
    }

    /// SHA-256 of the up script in hexadecimal. The applied script must equal the shipped one.
    package var checksum: String {
        let digits = Array("0123456789abcdef")
        return String(SHA256.digest(of: Array(up.utf8)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    /// `001_init`.
    package var title: String {
        let number = String(version)
        return String(repeating: "0", count: max(0, 3 - number.count)) + number + "_" + name
    }

    /// An SQL condition from the script's line `-- Applied when: …`, true once the script was applied. It detects scripts that were
    /// applied manually with psql.
    var probe: String? {
        let marker = "-- Applied when: "
        return up.split(separator: "\n").first { $0.hasPrefix(marker) }.map { String($0.dropFirst(marker.count)) }
    }
}
