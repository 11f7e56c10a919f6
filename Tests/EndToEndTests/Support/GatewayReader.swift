import CarillonJSON
import Synchronization
import TestSupport

/// A client that reads one job through the gateway, each time on a connection of its own, and knows what is right.
final class GatewayReader: Sendable {
    /// What its reads came to.
    struct Counts: Sendable {
        var right = 0
        /// Nobody was there, or whoever was there went without a word: nothing was said that is not so.
        var refused = 0
        /// Answers that are not the job.
        var wrong: [String] = []
    }

    private let port: Int
    private let job: String
    private let counted = Mutex(Counts())
    private let isEnded = Mutex(false)

    init(_ system: TestSystem, job: String) {
        port = Int(system.gatewayURL.split(separator: ":").last ?? "") ?? 0
        self.job = job
    }

    var counts: Counts { counted.withLock { $0 } }

    /// Reads until `end` is called.
    func run() async throws {
        while !isEnded.withLock({ $0 }) {
            await read()
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    func end() { isEnded.withLock { $0 = true } }

    /// Until it got some more right answers.
    func served(_ more: Int = 20) async throws {
        let before = counts
        while counts.right < before.right + more {
            // A wrong answer is told of by whoever looks at the counts.
            if counts.wrong.count > before.wrong.count { return }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// One read.
    func read() async {
        guard let peer = try? await RawPeer.connect(port) else { return counted.withLock { $0.refused += 1 } }
        peer.write("GET /api/v1/jobs/\(job) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        await peer.closed()
        let text = peer.text
        counted.withLock { counts in
            if text.isEmpty {
                counts.refused += 1
            } else if isRight(text) {
                counts.right += 1
            } else {
                counts.wrong.append(text)
            }
        }
    }

    private func isRight(_ text: String) -> Bool {
        guard text.hasPrefix("HTTP/1.1 200 "), let end = text.firstRange(of: "\r\n\r\n"),
            let body = try? JSONText.read(String(text[end.upperBound...]))
        else { return false }
        return body["job_id"]?.string == job && body["schedule"]?.string == "* * * * * *"
            && body["active"] == .bool(true)
    }
}
