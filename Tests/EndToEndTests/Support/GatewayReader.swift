import CarillonJSON
import Synchronization
import TestSupport

/// A client that reads one job through the gateway over a new connection each time, and checks the response.
final class GatewayReader: Sendable {
    /// The results of the reads.
    struct Counts: Sendable {
        var right = 0
        /// The connection was refused or closed without a response. No wrong data was returned.
        var refused = 0
        /// Responses that do not contain the job.
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

    /// Waits for a number of further correct responses.
    func served(_ more: Int = 20) async throws {
        let before = counts
        while counts.right < before.right + more {
            // The caller checks the counts for wrong responses.
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
