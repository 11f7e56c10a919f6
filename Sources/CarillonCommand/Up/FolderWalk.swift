internal import Glibc

/// Opens a folder step by step along its path. Each step is held by a descriptor, so that a checked folder cannot be
/// replaced. Symbolic links are followed only if they belong to the current user or to root.
enum FolderWalk {
    /// Not imported from <fcntl.h>, which defines it only under _GNU_SOURCE.
    private static let pathOnly: Int32 = 0o10_000_000
    /// The limit of the kernel.
    private static let maxLinks = 40

    private enum Step {
        case folder(Int32)
        case link(to: String)
    }

    /// - Parameters:
    ///   - path: an absolute path.
    ///   - mode: the permissions of folders that are created on the path; `nil` to create none.
    /// - Returns: a descriptor to read the folder with, and its path without symbolic links.
    static func open(_ path: String, makingWith mode: mode_t?) throws(FileProblem) -> (descriptor: Int32, path: String)
    {
        var here = try root()
        defer { close(here) }
        var parts: [String] = []
        var pending = Array(path.split(separator: "/").map(String.init).reversed())
        var links = 0
        while let name = pending.popLast() {
            if name == "." { continue }
            let shown = "/" + (parts + [name]).joined(separator: "/")
            switch try step(from: here, to: name, shown, makingWith: mode) {
            case .folder(let next):
                close(here)
                here = next
                if name != ".." { parts.append(name) } else if !parts.isEmpty { parts.removeLast() }
            case .link(let target):
                links += 1
                guard links <= maxLinks else { throw FileProblem("\(path) has more than \(maxLinks) symbolic links") }
                pending += target.split(separator: "/").map(String.init).reversed()
                guard target.hasPrefix("/") else { continue }
                let top = try root()
                close(here)
                here = top
                parts = []
            }
        }
        let real = "/" + parts.joined(separator: "/")
        let descriptor = openat(here, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileProblem(errno: errno, "the folder \(real) cannot be read") }
        return (descriptor, real)
    }

    private static func root() throws(FileProblem) -> Int32 {
        let descriptor = Glibc.open("/", pathOnly | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileProblem(errno: errno, "/ cannot be opened") }
        return descriptor
    }

    private static func step(
        from here: Int32,
        to name: String,
        _ shown: String,
        makingWith mode: mode_t?
    ) throws(FileProblem) -> Step {
        let flags = pathOnly | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        var next = openat(here, name, flags)
        if next < 0, errno == ENOENT, let mode {
            try FolderHandle.make(name, in: here, shown, mode: mode)
            next = openat(here, name, flags)
        }
        if next >= 0 { return .folder(next) }
        let code = errno
        var status = stat()
        guard code == ENOTDIR || code == ELOOP, fstatat(here, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw FileProblem(errno: code, "the folder \(shown) cannot be opened")
        }
        guard status.st_mode & S_IFMT == S_IFLNK else { throw FileProblem("\(shown) exists and is not a folder") }
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw FileProblem(
                "\(shown) is a symbolic link of \(Account.shown(status.st_uid)), which carillon up does not follow when it "
                    + "runs as \(Account.shown(geteuid())); give the folder that it points to with --data-dir"
            )
        }
        var buffer = [CChar](repeating: 0, count: 4_097)
        let count = readlinkat(here, name, &buffer, buffer.count - 1)
        guard count > 0 else { throw FileProblem(errno: errno, "the symbolic link \(shown) cannot be read") }
        return .link(to: String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    /// The first folder on the path, excluding the path itself, in which a user other than root can replace the next
    /// folder.
    static func weakness(onTheWayTo path: String) -> String? {
        var folder = ""
        for part in [""] + path.split(separator: "/").map(String.init).dropLast() {
            folder += part.isEmpty ? "/" : (folder.hasSuffix("/") ? part : "/" + part)
            var status = stat()
            guard lstat(folder, &status) == 0 else { return folder }
            let isShared = status.st_mode & 0o022 != 0 && status.st_mode & S_ISVTX == 0
            if status.st_uid != 0 || isShared { return folder }
        }
        return nil
    }
}
