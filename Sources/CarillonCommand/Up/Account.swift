internal import Glibc

/// A user of this machine.
struct Account: Sendable, Hashable {
    var name: String
    var user: uid_t
    var group: gid_t

    static func named(_ name: String) -> Account? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return Account(name: name, user: entry.pw_uid, group: entry.pw_gid)
    }

    /// `the user bob`, or `user 1000` if the user has no name.
    static func shown(_ user: uid_t) -> String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwuid_r(user, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return "user \(user)" }
        return user == 0 ? "root" : "the user \(String(cString: entry.pw_name))"
    }

    /// The first folder on the path (or the path itself) that this user may not traverse; `nil` if all can be
    /// traversed. Folders that do not exist yet are skipped. Only owner, group and other permissions are checked, not
    /// access control lists.
    func obstacle(onTheWayTo path: String) -> String? {
        var folder = ""
        for part in [""] + path.split(separator: "/").map(String.init) {
            folder += part.isEmpty ? "/" : (folder.hasSuffix("/") ? part : "/" + part)
            var status = stat()
            guard stat(folder, &status) == 0 else { return nil }
            guard mayPass(status) else { return folder }
        }
        return nil
    }

    private func mayPass(_ status: stat) -> Bool {
        if user == 0 { return true }
        let bit: mode_t = status.st_uid == user ? 0o100 : status.st_gid == group ? 0o010 : 0o001
        return status.st_mode & bit != 0
    }
}
