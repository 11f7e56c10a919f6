internal import Glibc

/// An open folder. Other users cannot replace the folder while its files are used.
///
/// Files are opened by their name in the folder. Symbolic links are not followed. Anything but a regular file, and a
/// file that another user can change, is an error. Otherwise `carillon up` as root would write wherever the folder's
/// user wants.
final class FolderHandle: Sendable {
    /// Absolute, without symbolic links.
    let path: String
    private let descriptor: Int32
    /// The allowed owners of the folder and its files.
    private let owners: Set<uid_t>

    private init(path: String, descriptor: Int32, owners: Set<uid_t>) {
        self.path = path
        self.descriptor = descriptor
        self.owners = owners
    }

    deinit { close(descriptor) }

    /// Opens a folder that belongs to the current user or to root.
    /// - Parameter mode: the permissions of a new folder; `nil` if the folder must exist.
    static func open(_ path: String, makingWith mode: mode_t? = nil) throws(FileProblem) -> FolderHandle {
        let (descriptor, real) = try FolderWalk.open(path, makingWith: mode)
        let handle = FolderHandle(path: real, descriptor: descriptor, owners: [0, geteuid()])
        try handle.checkRights()
        return handle
    }

    /// Opens a folder in this folder.
    /// - Parameters:
    ///   - mode: the permissions of a new folder; `nil` to create none.
    ///   - owner: an additional allowed owner of the folder and its files.
    /// - Returns: `nil` if the folder does not exist.
    func folder(_ name: String, makingWith mode: mode_t? = nil, owner: uid_t? = nil) throws(FileProblem)
        -> FolderHandle?
    {
        let inner = "\(path)/\(name)"
        if let mode { try FolderHandle.make(name, in: descriptor, inner, mode: mode) }
        let opened = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard opened >= 0 else {
            switch errno {
            case ENOENT: return nil
            case ENOTDIR, ELOOP:
                throw FileProblem("\(inner) must be a folder and not a file or a symbolic link; remove it")
            default: throw FileProblem(errno: errno, "the folder \(inner) cannot be opened")
            }
        }
        let handle = FolderHandle(path: inner, descriptor: opened, owners: owners.union(owner.map { [$0] } ?? []))
        try handle.checkRights()
        return handle
    }

    /// Creates a folder with these permissions, independent of the umask. An existing folder is not changed.
    static func make(_ name: String, in parent: Int32, _ shown: String, mode: mode_t) throws(FileProblem) {
        guard mkdirat(parent, name, mode) == 0 else {
            guard errno == EEXIST else { throw FileProblem(errno: errno, "the folder \(shown) cannot be created") }
            return
        }
        let made = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard made >= 0 else { throw FileProblem(errno: errno, "the folder \(shown) cannot be opened") }
        defer { close(made) }
        var status = stat()
        if fstat(made, &status) == 0, status.st_uid == geteuid() { fchmod(made, mode) }
    }

    // MARK: Files

    /// Opens a regular file of this folder.
    /// - Parameters:
    ///   - flags: the flags of open(2).
    ///   - mode: the permissions of a new file.
    /// - Returns: `nil` if the file does not exist.
    func file(_ name: String, _ flags: Int32, mode: mode_t = 0o600) throws(FileProblem) -> Int32? {
        let shown = "\(path)/\(name)"
        // Do not block if the file is a named pipe.
        let opened = openat(descriptor, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode)
        guard opened >= 0 else {
            switch errno {
            case ENOENT where flags & O_CREAT == 0: return nil
            case ELOOP: throw FileProblem("\(shown) is a symbolic link, which carillon up does not follow; remove it")
            default: throw FileProblem(errno: errno, "\(shown) cannot be opened")
            }
        }
        do throws(FileProblem) {
            var status = stat()
            guard fstat(opened, &status) == 0 else { throw FileProblem(errno: errno, "\(shown) cannot be read") }
            guard status.st_mode & S_IFMT == S_IFREG, status.st_nlink <= 1 else {
                throw FileProblem("\(shown) must be a regular file without further hard links; remove it")
            }
            try checkOwner(status, shown)
            return opened
        } catch {
            close(opened)
            throw error
        }
    }

    /// The content of a file; `nil` if the file does not exist.
    func bytes(_ name: String) throws(FileProblem) -> [UInt8]? {
        guard let opened = try file(name, O_RDONLY) else { return nil }
        defer { close(opened) }
        return try FileText.bytes(of: opened, name: "\(path)/\(name)")
    }

    /// The first line of a file without surrounding white space; `nil` if the file does not exist or the line is empty.
    func line(_ name: String) throws(FileProblem) -> String? {
        try bytes(name).flatMap { FileText.firstLine(of: $0) }
    }

    /// Creates a new file and replaces an existing file.
    /// - Parameter account: the owner of the file; `nil` for the current user.
    func make(_ name: String, with text: String, mode: mode_t, for account: Account? = nil) throws(FileProblem) {
        let shown = "\(path)/\(name)"
        unlinkat(descriptor, name, 0)
        guard let opened = try file(name, O_WRONLY | O_CREAT | O_EXCL, mode: mode) else { return }
        defer { close(opened) }
        try FileText.write(text, to: opened, name: shown)
        guard fchmod(opened, mode) == 0 else {
            throw FileProblem(errno: errno, "the permissions of \(shown) cannot be set")
        }
        if let account, fchown(opened, account.user, account.group) != 0 {
            throw FileProblem(errno: errno, "the owner of \(shown) cannot be changed to the user \(account.name)")
        }
    }

    /// Replaces a file atomically.
    func replace(_ name: String, with text: String, mode: mode_t) throws(FileProblem) {
        try make(name + ".new", with: text, mode: mode)
        try rename(name + ".new", to: name)
    }

    /// Appends text to an existing file.
    func append(_ text: String, to name: String) throws(FileProblem) {
        guard let opened = try file(name, O_WRONLY | O_APPEND) else { throw FileProblem("\(path)/\(name) is missing") }
        defer { close(opened) }
        try FileText.write(text, to: opened, name: "\(path)/\(name)")
    }

    // MARK: Names

    func exists(_ name: String) -> Bool {
        var status = stat()
        return fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0
    }

    func rename(_ name: String, to other: String) throws(FileProblem) {
        guard renameat(descriptor, name, descriptor, other) == 0 else {
            throw FileProblem(errno: errno, "\(path)/\(name) cannot be renamed to \(path)/\(other)")
        }
    }

    /// Removes a file, or a folder with its content. Symbolic links are removed and not followed.
    func remove(_ name: String) {
        FolderHandle.remove(name, in: descriptor)
    }

    private static func remove(_ name: String, in parent: Int32) {
        if unlinkat(parent, name, 0) == 0 || errno == ENOENT { return }
        let inner = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard inner >= 0 else { return }
        for entry in names(in: inner) { remove(entry, in: inner) }
        close(inner)
        unlinkat(parent, name, AT_REMOVEDIR)
    }

    private static func names(in folder: Int32) -> [String] {
        guard let stream = fdopendir(dup(folder)) else { return [] }
        defer { closedir(stream) }
        return Folder.names(of: stream)
    }

    // MARK: Permissions

    /// Changes the owner of the folder itself.
    func give(to account: Account) throws(FileProblem) {
        guard fchown(descriptor, account.user, account.group) == 0 else {
            throw FileProblem(errno: errno, "the owner of \(path) cannot be changed to the user \(account.name)")
        }
    }

    private func checkRights() throws(FileProblem) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileProblem(errno: errno, "\(path) cannot be read") }
        try checkOwner(status, path)
        // Group write permission is accepted, because users often have a private group. Root has none.
        let shared: mode_t = geteuid() == 0 ? 0o022 : 0o002
        guard status.st_mode & shared == 0 else {
            throw FileProblem(
                "other users can write to \(path) and could replace its files; remove that permission "
                    + "(chmod go-w \(path)), or give a folder in it with --data-dir"
            )
        }
    }

    private func checkOwner(_ status: stat, _ shown: String) throws(FileProblem) {
        guard !owners.contains(status.st_uid) else { return }
        let (owner, own) = (Account.shown(status.st_uid), Account.shown(geteuid()))
        throw FileProblem(
            "\(shown) belongs to \(owner), but carillon up runs as \(own) and must not use files that another user can change; "
                + "run it as \(owner), or give another folder with --data-dir"
        )
    }
}
