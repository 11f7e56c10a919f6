internal import CarillonCore
internal import Glibc

/// The data folder of `carillon up`: a lock, the logs, and the password, port and location of the database.
struct DataFolder: Sendable {
    let handle: FolderHandle

    /// Absolute, without symbolic links.
    var path: String { handle.path }

    /// Opens the folder and creates it if it does not exist. Other users may traverse the folder; files with secrets
    /// have stricter permissions.
    init(_ given: String) throws(FileProblem) {
        handle = try FolderHandle.open(Folder.absolute(given), makingWith: 0o755)
    }

    /// Opens the folder of a system that was started before.
    init(existing given: String) throws(FileProblem) {
        let path = Folder.absolute(given)
        guard Folder.exists(path) else {
            throw FileProblem(
                "the data folder \(path) does not exist; give the folder of a `carillon up` with --data-dir"
            )
        }
        handle = try FolderHandle.open(path)
    }

    /// A short digest of the path, for use as a name elsewhere.
    var hash: String {
        SHA256.digest(of: Array(path.utf8)).prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// The folder of the logs, which is created if it does not exist.
    func logs() throws(FileProblem) -> FolderHandle {
        guard let logs = try handle.folder("logs", makingWith: 0o700) else {
            throw FileProblem("\(path)/logs was removed while carillon up started")
        }
        return logs
    }

    /// A remembered value, such as the port.
    func recall(_ name: String) throws(FileProblem) -> String? {
        try handle.line(name)
    }

    func remember(_ name: String, _ value: String, isSecret: Bool = false) throws(FileProblem) {
        try handle.replace(name, with: value + "\n", mode: isSecret ? 0o600 : 0o644)
    }

    /// Locks the folder for this process until it ends.
    /// - Returns: the lock file, which must stay open.
    func lock() throws -> Int32 {
        let file = path + "/lock"
        guard let descriptor = try handle.file("lock", O_RDWR | O_CREAT, mode: 0o644) else {
            throw FileProblem("\(file) cannot be opened")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            guard code == EWOULDBLOCK else { throw FileProblem(errno: code, "\(file) cannot be locked") }
            let holder = try handle.line("lock").map { "process \($0)" } ?? "another process"
            throw CommandFailure(
                status: .conflict,
                text:
                    "\(path) is in use by \(holder), another `carillon up`; stop that one first, or choose another --data-dir"
            )
        }
        let text = Array("\(getpid())\n".utf8)
        ftruncate(descriptor, 0)
        pwrite(descriptor, text, text.count, 0)
        return descriptor
    }
}

/// Read-only helpers for folders given by path.
enum Folder {
    static func current() -> String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }

    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : current() + "/" + path
    }

    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    static func names(in path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        return names(of: stream)
    }

    static func names(of stream: OpaquePointer) -> [String] {
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
