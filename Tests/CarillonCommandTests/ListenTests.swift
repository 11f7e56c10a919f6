import CarillonCore
import CarillonJSON
import CarillonSystem
import NIOCore
import NIOPosix
import Testing

@testable import CarillonCommand

/// `carillon listen`: a real server on a free loopback port.
@Suite(.timeLimit(.minutes(1)))
struct ListenTests {
    /// Sends bytes and returns the server's bytes until the connection is closed.
    private func exchange(_ port: Int, _ bytes: [UInt8]) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(bytes: bytes))
            var response = ""
            for try await part in inbound { response += String(buffer: part) }
            return response
        }
    }

    private func request(_ line: String, headers: [String] = [], body: [UInt8] = []) -> [UInt8] {
        let all = headers + ["Host: target", "Content-Length: \(body.count)", "Connection: close"]
        return Array("\(line) HTTP/1.1\r\n\(all.joined(separator: "\r\n"))\r\n\r\n".utf8) + body
    }

    /// Runs `carillon listen 0` until it ends, and sends requests once it listens.
    private func listen(
        _ arguments: [String] = [],
        count: Int = 1,
        _ body: (Int) async throws -> Void
    ) async throws -> Outcome {
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        async let outcome = run(["listen", "0", "--count", "\(count)"] + arguments) { continuation.yield($0) }
        var iterator = lines.makeAsyncIterator()
        let written = await iterator.next()
        let first = try #require(written)
        let prefix = "listening on http://127.0.0.1:"
        try #require(first.hasPrefix(prefix) && first.hasSuffix("\n"), "\(first)")
        try await body(try #require(Int(first.dropFirst(prefix.count).dropLast())))
        return await outcome
    }

    @Test func printsARequestAndAnswers200() async throws {
        let outcome = try await listen { port in
            let response = try await exchange(
                port,
                request(
                    "POST /hook?a=1",
                    headers: ["Content-Type: application/json", "Idempotency-Key: k-1", "Accept: */*"],
                    body: Array(#"{"a": 1}"#.utf8)
                )
            )
            #expect(response.hasPrefix("HTTP/1.1 200 OK\r\n") && response.hasSuffix("\r\n\r\nok\n"))
        }
        let shown = """
            POST /hook?a=1  2026-11-25T12:34:56.789Z
              Content-Type: application/json
              Idempotency-Key: k-1
              body (8 bytes): {"a": 1}

            """
        #expect(outcome.status == 0 && outcome.errors == "" && outcome.connection == nil)
        #expect(outcome.output.drop { $0 != "\n" }.dropFirst() == shown)
    }

    @Test func theResponseHasTheGivenStatus() async throws {
        _ = try await listen(["--status", "503"], count: 2) { port in
            let get = try await exchange(port, request("GET /"))
            #expect(get.hasPrefix("HTTP/1.1 503 ") && get.hasSuffix("\r\n\r\nok\n"))
            let head = try await exchange(port, request("HEAD /"))
            #expect(head.hasPrefix("HTTP/1.1 503 ") && head.hasSuffix("\r\n\r\n"))
        }
        _ = try await listen(["--status", "204"]) { port in
            let response = try await exchange(port, request("POST /"))
            #expect(response.hasPrefix("HTTP/1.1 204 ") && response.hasSuffix("\r\n\r\n"))
            #expect(!response.lowercased().contains("content-length"))
        }
    }

    @Test func theResponseIsHeldBack() async throws {
        _ = try await listen(["--delay", "50ms"]) { port in
            let begin = ContinuousClock.now
            let response = try await exchange(port, request("GET /"))
            #expect(response.hasPrefix("HTTP/1.1 200 ") && begin.duration(to: .now) >= .milliseconds(50))
        }
    }

    @Test func severalRequestsOfOneConnection() async throws {
        let outcome = try await listen(count: 2) { port in
            let first = Array("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
            let response = try await exchange(port, first + request("GET /2"))
            #expect(response.split(separator: "HTTP/1.1 200 OK").count == 2)
        }
        #expect(outcome.output.contains("\nGET /1  ") && outcome.output.contains("\nGET /2  "))
    }

    @Test func objectsOnLinesOfTheirOwn() async throws {
        let (addresses, continuation) = AsyncStream.makeStream(of: Int.self)
        let taken = try await listen(count: 1) { port in
            continuation.yield(port)
            _ = try await exchange(port, request("GET /"))
        }
        #expect(taken.status == 0)
        var iterator = addresses.makeAsyncIterator()
        // The port is free again. JSON output writes nothing to standard output before the first request.
        let next = await iterator.next()
        let port = try #require(next)
        async let outcome = run(["listen", "\(port)", "--count", "1", "-o", "json"])
        var response = ""
        while response.isEmpty {
            response =
                (try? await exchange(port, request("PUT /x", headers: ["X-A: 1", "x-a: 2"], body: [0xFF]))) ?? ""
        }
        let result = await outcome
        #expect(result.errors == "listening on http://127.0.0.1:\(port)\n")
        let object = try #require(result.jsonLines.first)
        #expect(object["method"] == "PUT" && object["target"] == "/x" && object["headers"]?["X-A"] == "1, 2")
        #expect(object["body"] == .null && object["body_bytes"] == 1 && object["time"] == "2026-11-25T12:34:56.789Z")
    }

    @Test func aPortThatIsTaken() async throws {
        _ = try await listen { port in
            let second = await run(["listen", "\(port)"])
            #expect(second.status == 69 && second.output == "")
            #expect(
                second.errors
                    == "error: another program listens on 127.0.0.1:\(port); choose another port, or 0 for a free one\n"
            )
            _ = try await exchange(port, request("GET /"))
        }
    }

    @Test func garbageIsNoRequest() async throws {
        let outcome = try await listen { port in
            let garbage = (try? await exchange(port, Array("\u{16}\u{3}\u{1}garbage\r\n\r\n".utf8))) ?? ""
            #expect(garbage.isEmpty || garbage.hasPrefix("HTTP/1.1 400 "))
            let long = String(repeating: "x", count: 200_000)
            let refused = (try? await exchange(port, request("GET /", headers: ["A: \(long)"]))) ?? ""
            #expect(!refused.hasPrefix("HTTP/1.1 200"))
            _ = try await exchange(port, request("GET /fine"))
        }
        #expect(outcome.writes == 2 && outcome.output.contains("\nGET /fine  "))
    }

    @Test func connectionsAreBounded() async throws {
        _ = try await listen { port in
            var open: [any Channel] = []
            for _ in 0..<RequestListener.Limits.connections {
                let client = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                open.append(try await client.connect(host: "127.0.0.1", port: port).get())
            }
            // The server closes the connection of an additional request without a response.
            #expect(((try? await exchange(port, request("GET /"))) ?? "") == "")
            for channel in open { try await channel.close().get() }
            var response = ""
            while response.isEmpty { response = (try? await exchange(port, request("GET /"))) ?? "" }
            #expect(response.hasPrefix("HTTP/1.1 200 "))
        }
    }

    // MARK: Output

    private func received(_ body: [UInt8], _ bodyBytes: Int? = nil) -> ReceivedRequest {
        ReceivedRequest(
            time: now,
            method: "POST",
            target: "/a",
            headers: [.init(name: "X-Evil", value: "\u{1B}[31mred")],
            body: body,
            bodyBytes: bodyBytes ?? body.count
        )
    }

    @Test func nothingThatATerminalObeysIsPrinted() {
        let text = received(Array("a\u{1B}[2J\nb".utf8)).text(Style(isOn: false))
        #expect(!text.contains("\u{1B}") && text.contains("X-Evil: \\u{1b}[31mred\n"))
        #expect(text.hasSuffix("body (7 bytes): a\\u{1b}[2J b\n"))
    }

    @Test func onlyTheBeginningOfALongBodyIsPrinted() {
        let text = received(Array(String(repeating: "x", count: 4_096).utf8), 10_000).text(Style(isOn: false))
        #expect(text.contains("body (10000 bytes, the first 4096 shown): xxx") && text.utf8.count < 4_300)
        // The limit splits the last character.
        let cut = received(Array("€€".utf8).dropLast(), 6).text(Style(isOn: false))
        #expect(cut.hasSuffix("shown): €\n"))
        #expect(received([0x61, 0xFF]).text(Style(isOn: false)).hasSuffix("body (2 bytes): not UTF-8 text\n"))
        #expect(!received([]).text(Style(isOn: false)).contains("body"))
    }
}
