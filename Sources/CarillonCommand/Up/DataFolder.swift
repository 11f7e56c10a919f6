internal import CarillonCore
internal import Glibc

/// The folder where `carillon up` keeps what it must remember: a lock, the logs, the database's password, port and place.
struct DataFolder: Sendable {
    /// Absolute, without links.
    let path: String

    /// Makes the folder if there is none. People and the user `postgres` may pass through; what is secret has its own rights.
    init(_ given: String) throws(FileProblem) {
        let absolute = given.hasPrefix("/") ? given : Folder.current() + "/" + given
        try Folder.make(absolute, mode: 0o755)
        guard let real = realpath(absolute, nil) else { throw FileProblem(errno: errno, "\(absolute) cannot be read") }
        path = String(cString: real)
        free(real)
        try Folder.make(path + "/logs", mode: 0o700)
    }

    /// A short name for this folder, for use in other places.
    var hash: String {
        SHA256.digest(of: Array(path.utf8)).prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    func log(of name: String) -> String { "\(path)/logs/\(name).log" }

    /// A remembered line, such as the port.
    func recall(_ name: String) -> String? {
        FileText.line(at: "\(path)/\(name)")
    }

    func remember(_ name: String, _ value: String, isSecret: Bool = false) throws(FileProblem) {
        try FileText.replace("\(path)/\(name)", with: value + "\n", mode: isSecret ? 0o600 : 0o644)
    }

    /// Takes the folder for this process until it ends.
    /// - Returns: the open lock file, which must stay open.
    func lock() throws -> Int32 {
        let file = path + "/lock"
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileProblem(errno: errno, "\(file) cannot be opened") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            guard code == EWOULDBLOCK else { throw FileProblem(errno: code, "\(file) cannot be locked") }
            let holder = FileText.line(at: file).map { "process \($0)" } ?? "another process"
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

/// Folders and what is in them.
enum Folder {
    static func current() -> String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }

    /// Makes a folder and those on the way to it; one that is there stays as it is.
    static func make(_ path: String, mode: mode_t) throws(FileProblem) {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else { throw FileProblem("\(path) is there but is no folder") }
            return
        }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try make(String(path[..<slash]), mode: 0o755)
        }
        guard mkdir(path, mode) == 0 || errno == EEXIST else {
            throw FileProblem(errno: errno, "the folder \(path) cannot be made")
        }
        // Whatever the umask is.
        chmod(path, mode)
    }

    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// Removes a folder with all that is in it; links are removed and not followed.
    static func remove(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            unlink(path)
            return
        }
        for name in names(in: path) { remove(path + "/" + name) }
        rmdir(path)
    }

    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
