internal import Foundation
internal import TestSupport

/// Somebody with psql, in a transaction that holds locks until it is told to go.
final class Blocker: Sendable {
    private let input: FileHandle
    private let process: Process

    /// Returns when the statement has run and its locks are held.
    init(url: String, holding statement: String) throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["psql", "-X", "-q", "-A", "-t", url]
        let (pipe, answers) = (Pipe(), Pipe())
        process.standardInput = pipe
        process.standardOutput = answers
        try process.run()
        input = pipe.fileHandleForWriting
        try input.write(contentsOf: Data("BEGIN;\n\(statement);\n\\echo locked\n".utf8))
        var text = ""
        while !text.contains("locked") {
            let more = answers.fileHandleForReading.availableData
            guard !more.isEmpty else { throw Unexpected("psql ended: \(text)") }
            text += String(decoding: more, as: UTF8.self)
        }
    }

    /// Rolls back and ends, if it has not.
    func release() {
        try? input.close()
        process.waitUntilExit()
    }
}
