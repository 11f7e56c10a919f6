import Glibc
import TestSupport
import Testing

@testable import CarillonCommand

/// The files of `carillon up` in a folder that another user may have prepared.
@Suite final class DataFolderTests {
    private let root: String
    private var folder: String { root + "/data" }

    init() throws {
        var template = Array("/tmp/carillon-folder-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        mkdir(root + "/data", 0o755)
        close(open(root + "/victim", O_WRONLY | O_CREAT, 0o644))
        write("untouched\n", to: root + "/victim")
    }

    deinit { _ = try? ChildProgram.run("/bin/rm", ["-rf", root]) }

    private func write(_ text: String, to path: String) {
        let file = fopen(path, "w")
        if let file {
            fputs(text, file)
            fclose(file)
        }
    }

    private var victim: String { TextFile.contents(of: root + "/victim") }

    private func problem(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: ["victim", "new-file"])
    func linksAreNotFollowed(_ target: String) throws {
        symlink("\(root)/\(target)", folder + "/lock")
        symlink("\(root)/\(target)", folder + "/database-password.new")
        symlink("\(root)/\(target)", folder + "/database-port")
        symlink(root, folder + "/logs")
        let data = try DataFolder(folder)
        #expect(problem { _ = try data.lock() }.contains("/lock is a symbolic link, which carillon up does not follow"))
        #expect(problem { _ = try data.recall("database-port") }.contains("is a symbolic link"))
        #expect(problem { _ = try data.logs() }.contains("/logs must be a folder and not a file or a symbolic link"))
        // The file replaces the link itself.
        try data.remember("database-password", "x", isSecret: true)
        try data.remember("database-port", "1")
        #expect(try data.recall("database-password") == "x" && data.recall("database-port") == "1")
        #expect(victim == "untouched\n" && access(root + "/new-file", F_OK) != 0)
        var status = stat()
        #expect(lstat(folder + "/database-password", &status) == 0 && status.st_mode == S_IFREG | 0o600)
    }

    @Test func aSecondNameOfAFileIsNoFileOfOurs() throws {
        link(root + "/victim", folder + "/lock")
        let data = try DataFolder(folder)
        #expect(problem { _ = try data.lock() }.contains("/lock must be a regular file without further hard links"))
        #expect(victim == "untouched\n")
    }

    @Test func aPipeIsNotWaitedFor() throws {
        mkfifo(folder + "/database-port", 0o600)
        mkfifo(folder + "/lock", 0o600)
        let data = try DataFolder(folder)
        #expect(problem { _ = try data.recall("database-port") }.contains("must be a regular file"))
        #expect(problem { _ = try data.lock() }.contains("must be a regular file"))
    }

    @Test func logsAreNotWrittenThroughLinks() throws {
        let logs = try DataFolder(folder).logs()
        symlink(root + "/victim", folder + "/logs/worker-1.log")
        let log = LogFile(folder: logs, name: "worker-1.log")
        #expect(problem { _ = try log.open() }.contains("is a symbolic link"))
        #expect(log.lastLines(count: 10) == [] && log.size == 0)
        let other = LogFile(folder: logs, name: "gateway.log")
        let descriptor = try other.open()
        _ = Glibc.write(descriptor, "one\ntwo\n", 8)
        close(descriptor)
        #expect(other.lastLines(count: 1) == ["two"] && other.lastLines(count: 9, from: 4) == ["two"])
    }

    @Test func removalDoesNotFollowLinks() throws {
        let data = try DataFolder(folder)
        mkdir(folder + "/postgres.new", 0o700)
        mkdir(folder + "/postgres.new/base", 0o700)
        symlink(root, folder + "/postgres.new/base/out")
        data.handle.remove("postgres.new")
        #expect(victim == "untouched\n" && access(folder + "/postgres.new", F_OK) != 0)
    }

    @Test func aFolderThatOthersCanWriteToIsRefused() throws {
        chmod(folder, 0o777)
        let text = problem { _ = try DataFolder(folder) }
        #expect(text.contains("other users can write to \(folder)") && text.contains("chmod go-w"))
        chmod(folder, 0o1777)
        #expect(problem { _ = try DataFolder(folder) }.contains("other users can write to"))
    }

    @Test func newFoldersAreMadeAndOwnLinksFollowed() throws {
        let before = umask(0o077)
        let data = try DataFolder(root + "/a/./b/../c")
        umask(before)
        #expect(data.path == root + "/a/c" && access(root + "/a/b", F_OK) == 0)
        var status = stat()
        #expect(stat(root + "/a/c", &status) == 0 && status.st_mode & 0o777 == 0o755)
        symlink("a", root + "/relative")
        symlink(root + "/relative", root + "/absolute")
        #expect(try DataFolder(root + "/absolute/c").path == root + "/a/c")
        symlink("loop", root + "/loop")
        #expect(problem { _ = try DataFolder(root + "/loop/c") }.contains("more than 40 symbolic links"))
        #expect(problem { _ = try DataFolder(root + "/victim/c") }.contains("exists and is not a folder"))
        #expect(problem { _ = try DataFolder(existing: root + "/none") }.contains("the data folder"))
        #expect(access(root + "/none", F_OK) != 0)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can make another user's folder"))
    func anotherUsersFolderIsRefused() throws {
        chmod(root, 0o755)
        chown(folder, 65_534, 65_534)
        let text = problem { _ = try DataFolder(folder) }
        #expect(text.contains("\(folder) belongs to the user nobody, but carillon up runs as root"), "\(text)")
        #expect(text.contains("run it as the user nobody, or give another folder with --data-dir"))
        #expect(Folder.names(in: folder) == [])
        // A link that belongs to that user could point anywhere.
        chown(root, 65_534, 65_534)
        symlink("/", root + "/link")
        lchown(root + "/link", 65_534, 65_534)
        #expect(problem { _ = try DataFolder(root + "/link") }.contains("is a symbolic link of the user nobody"))
        // The folder belongs to root, but its parent does not: its files can be used through descriptors, but not by
        // path.
        mkdir(root + "/own", 0o755)
        #expect(FolderWalk.weakness(onTheWayTo: root + "/own") == root)
        #expect(try DataFolder(root + "/own").path == root + "/own")
        write("x", to: root + "/own/lock")
        chown(root + "/own/lock", 65_534, 65_534)
        #expect(problem { _ = try DataFolder(root + "/own").lock() }.contains("/lock belongs to the user nobody"))
    }
}
