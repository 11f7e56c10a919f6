import Glibc
import NIOCore
import NIOPosix
import TestSupport

/// A frame target behind TLS with a generated certificate. Accepts one connection at a time: `openssl s_server` passes the decrypted
/// bytes through pipes.
final class TLSTarget {
    struct Failure: Error {
        let description: String
    }

    /// A certificate for 127.0.0.1: files in a folder of the test.
    struct Certificate {
        let folder: String
        var file: String { folder + "/certificate.pem" }
        fileprivate var key: String { folder + "/key.pem" }

        init() throws {
            var template = Array("/tmp/carillon-tls-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw Failure(description: "no folder can be made in /tmp") }
            folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            try ChildProgram.run(
                "/usr/bin/openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-keyout",
                    folder + "/key.pem", "-out", folder + "/certificate.pem", "-subj", "/CN=carillon test", "-addext",
                    "subjectAltName=IP:127.0.0.1",
                ]
            )
        }

        func remove() {
            for name in ["/key.pem", "/certificate.pem", "/decrypted"] { unlink(folder + name) }
            rmdir(folder)
        }
    }

    private let server: ChildProgram
    private let channel: any Channel

    /// - Parameters:
    ///   - protocols: the ALPN protocols, such as "h2".
    ///   - connections: the number of successive connections to accept.
    static func start(
        _ target: FrameTarget,
        certificate: Certificate,
        port: Int,
        protocols: String,
        connections: Int = 1
    ) async throws -> TLSTarget {
        let decrypted = certificate.folder + "/decrypted"
        unlink(decrypted)
        var ends: [Int32] = [0, 0]
        guard mkfifo(decrypted, 0o600) == 0, pipe(&ends) == 0 else {
            throw Failure(description: "no pipe can be made")
        }
        let input = open(decrypted, O_RDONLY | O_NONBLOCK)
        let command =
            "exec openssl s_server -quiet -naccept \(connections) -accept 127.0.0.1:\(port) -alpn \(protocols) "
            + "-cert \(certificate.file) -key \(certificate.key) 2>/dev/null"
        let server = try ChildProgram("/bin/sh", ["-c", command], output: decrypted, input: ends[0])
        close(ends[0])
        let channel = try await NIOPipeBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FrameHandler(target))
                }
            }
            .takingOwnershipOfDescriptors(input: input, output: ends[1])
            .get()
        return TLSTarget(server: server, channel: channel)
    }

    private init(server: ChildProgram, channel: any Channel) {
        self.server = server
        self.channel = channel
    }

    func stop() async {
        server.killNow()
        try? await channel.close().get()
    }
}
