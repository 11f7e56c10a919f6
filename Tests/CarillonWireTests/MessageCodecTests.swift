import CarillonCore
import CarillonJSON
import CarillonWire
import Testing

@Suite struct MessageCodecTests {
    @Test(arguments: 0..<Samples.caseCount) func everyMessageIsDecodedUnchanged(index: Int) throws {
        let codec = MessageCodec()
        for seed in 0..<60 {
            var samples = Samples(seed: UInt64(seed * 1000 + index))
            let envelope = Envelope(id: samples.random.next(), samples.message(index))
            let frame = MessageCodec.frame(of: envelope)
            let payload = Array(frame[4...])
            #expect(Int(frame[0]) << 24 | Int(frame[1]) << 16 | Int(frame[2]) << 8 | Int(frame[3]) == payload.count)
            let decoded = try codec.decode(payload: payload)
            #expect(decoded == envelope, "seed \(seed * 1000 + index)")
            // A codec that has been used before encodes to the same bytes.
            var again: [UInt8] = []
            codec.encode(decoded, into: &again)
            #expect(again == frame, "seed \(seed * 1000 + index)")
        }
    }

    @Test func namesAreThoseOfTheEnvelope() throws {
        for index in 0..<Samples.caseCount {
            var samples = Samples(seed: 5)
            let message = samples.message(index)
            guard case .request(let request) = message else { continue }
            #expect(MessageJSON.requestNames.contains(request.name))
        }
        #expect(MessageJSON.requestNames.count == 19)
    }

    @Test func aBatchLargerThanTheKeptMemory() throws {
        var samples = Samples(seed: 11)
        let calls = (0..<5_000).map { _ in samples.call() }
        let envelope = Envelope(.dispatch(clusterTime: Timestamp(seconds: 1), calls))
        let codec = MessageCodec()
        let frame = MessageCodec.frame(of: envelope)
        #expect(try codec.decode(payload: Array(frame[4...])) == envelope)
        let small = Envelope(id: 1, .ping(sentMicroseconds: 1))
        #expect(try codec.decode(payload: Array(MessageCodec.frame(of: small)[4...])) == small)
    }

    /// A decoder of Dispatches reuses memory and texts, but never those that a receiver still holds.
    @Test func decodedMessagesAreNotOverwritten() throws {
        let codec = MessageCodec()
        var samples = Samples(seed: 12)
        // Few and many texts, with lengths around the cache's limits, so that they replace each other in the cache.
        let lengths = [3, 14, 15, 16, 17, 100, 511, 512, 513]
        let texts = (0..<1_000).map { number in
            let length = lengths[number % lengths.count]
            let ascii = String(repeating: "/\(number)", count: 300)
            return number % 2 == 0 ? String(ascii.prefix(length)) : "é" + ascii.prefix(length - 2)
        }
        #expect(Set(texts.map(\.utf8.count)) == Set(lengths))
        var kept: [(decoded: Message, original: Message)] = []
        for round in 0..<2_000 {
            let calls = (0..<(round % 70)).map { _ in
                var call = samples.call()
                let url = texts.prefix(round % 3 == 0 ? 2 : 1_000).randomElement(using: &samples.random) ?? ""
                let headers = [HTTPHeader(name: "x-the-same-name", value: url)]
                call.kind = .http(HTTPCall(url: url, method: "PUT", headers: headers))
                return call
            }
            let original = Message.dispatch(clusterTime: Timestamp(seconds: Int64(round)), calls)
            let decoded = try codec.decode(payload: Array(MessageCodec.frame(of: Envelope(original))[4...])).message
            #expect(decoded == original)
            if round % 4 == 0 { kept.append((decoded, original)) }
        }
        for pair in kept { #expect(pair.decoded == pair.original) }
    }

    @Test(arguments: [0, 1, 127, 128, .max] as [UInt64], [.min, -1, 0, 300, 1_795_464_000_000_000, .max] as [Int64])
    func plainPingsAreWhatTheyWouldBeOtherwise(id: UInt64, time: Int64) throws {
        let ping = Envelope(id: id, .ping(sentMicroseconds: time))
        let pong = Envelope(id: id, .pong(pingSentMicroseconds: time, answeredMicroseconds: time))
        for envelope in [ping, pong] {
            let payload = Array(MessageCodec.frame(of: envelope)[4...])
            #expect(try MessageCodec().decode(payload: payload) == envelope)
            // An unknown field is decoded by the general path.
            #expect(try MessageCodec().decode(payload: payload + [0xC0, 0x0C, 5]) == envelope)
            for end in 0..<payload.count {
                let cut = try? MessageCodec().decode(payload: Array(payload[..<end]))
                #expect(cut == nil || cut == Envelope(id: id, .unknown))
            }
        }
    }

    @Test func anUnknownBodyKeepsItsId() throws {
        // id 7, field 100 as an empty message.
        let decoded = try MessageCodec().decode(payload: [0x08, 7, 0xA2, 0x06, 0])
        #expect(decoded == Envelope(id: 7, .unknown))
    }

    @Test func unknownFieldsAreIgnored() throws {
        let frame = MessageCodec.frame(of: Envelope(id: 3, .goodbye(why: "x")))
        // Field 200, a varint; field 201, bytes; field 202, 8 bytes; field 203, 4 bytes.
        let extra: [UInt8] = [
            0xC0, 0x0C, 5, 0xCA, 0x0C, 2, 1, 1, 0xD1, 0x0C, 1, 2, 3, 4, 5, 6, 7, 8, 0xDD, 0x0C, 1, 2, 3, 4,
        ]
        #expect(try MessageCodec().decode(payload: Array(frame[4...]) + extra) == Envelope(id: 3, .goodbye(why: "x")))
    }

    @Test func aNULInOurOwnTextBecomesAReplacementCharacter() throws {
        let frame = MessageCodec.frame(of: Envelope(.goodbye(why: "a\u{0}b")))
        #expect(try MessageCodec().decode(payload: Array(frame[4...])).message == .goodbye(why: "a\u{FFFD}b"))
    }

    @Test func anEmptyListOfASettingIsACleared() throws {
        var settings = JobSettings()
        settings.headers = []
        settings.tags = ["a"]
        let frame = MessageCodec.frame(
            of: Envelope(id: 1, .request(.createJob(settings, idempotencyKey: nil, fingerprint: nil)))
        )
        guard
            case .request(.createJob(let decoded, _, _)) = try MessageCodec().decode(payload: Array(frame[4...]))
                .message
        else {
            Issue.record("not a create_job")
            return
        }
        #expect(decoded.headers == nil)
        #expect(decoded.tags == ["a"])
        #expect(decoded.cleared == ["headers"])
    }

    // MARK: Refused messages

    private func refusal(_ payload: [UInt8]) -> WireError? {
        do throws(WireError) {
            _ = try MessageCodec().decode(payload: payload)
            return nil
        } catch {
            return error
        }
    }

    /// id 9 and one body: field number, content.
    private func envelope(_ field: UInt8, _ body: [UInt8]) -> [UInt8] {
        var tag: [UInt8] = []
        var rest = UInt(field) << 3 | 2
        while rest >= 0x80 {
            tag.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        tag.append(UInt8(rest))
        return [0x08, 9] + tag + [UInt8(body.count)] + body
    }

    @Test func emptyPayload() {
        #expect(refusal([]) == WireError(.invalid, "is required", field: "id"))
    }

    @Test func missingRequiredField() {
        #expect(refusal(envelope(6, [])) == WireError(.invalid, "is required", field: "goodbye.why"))
        #expect(refusal(envelope(9, [0x08, 1, 0x12, 2, 0x0A, 0]))?.field == "holding.running.token.epoch")
    }

    @Test func badUTF8() {
        #expect(
            refusal(envelope(6, [0x0A, 2, 0x61, 0xFF]))
                == WireError(.invalid, "is not UTF-8 at byte 1", field: "goodbye.why")
        )
        // An overlong slash, a surrogate, beyond U+10FFFF, a cut sequence.
        for bytes: [UInt8] in [[0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]] {
            #expect(refusal(envelope(6, [0x0A, UInt8(bytes.count)] + bytes))?.kind == .invalid)
        }
    }

    @Test func nul() {
        let error = refusal(envelope(6, [0x0A, 3, 0x61, 0, 0x62]))
        #expect(error?.text == "has a NUL character at byte 1; text must not contain one")
    }

    @Test func anIdOfTheWrongLength() {
        let error = refusal(envelope(33, [0x0A, 3, 1, 2, 3]))
        #expect(error == WireError(.invalid, "has 3 bytes; an id has 16", field: "job_id", requestID: 9))
    }

    @Test func aRequestsErrorCanBeAnswered() {
        let error = refusal(envelope(32, [0x0A, 4, 0x0A, 2, 0x61, 0]))
        #expect(error?.requestID == 9)
        #expect(error?.field == "settings.schedule")
        #expect(error?.asClientError.code == .invalidArgument)
        // Malformed bytes have no request id.
        #expect(refusal(envelope(32, [0x0A, 9]))?.requestID == nil)
    }

    @Test func anEnumerationValueThatDoesNotExist() {
        let error = refusal(envelope(32, [0x0A, 2, 0x18, 9]))
        #expect(error?.description == "settings.execution_type: 9 is invalid; valid are AT_LEAST_ONCE, AT_MOST_ONCE")
    }

    @Test func numbersOutOfRange() {
        // starts_at = Int64.max
        let time: [UInt8] = [0x98, 0x01] + [UInt8](repeating: 0xFF, count: 8) + [0x7F]
        #expect(refusal(envelope(32, [0x0A, UInt8(time.count)] + time))?.field == "settings.starts_at")
        // timeout_seconds = NaN
        let nan: [UInt8] = [0x59, 0, 0, 0, 0, 0, 0, 0xF8, 0x7F]
        #expect(refusal(envelope(32, [0x0A, UInt8(nan.count)] + nan))?.text == "must be a finite number")
        // A shard out of range.
        let proof: [UInt8] = [0x18, 0, 0x22, 16] + [UInt8](repeating: 0, count: 16)
        #expect(refusal(envelope(8, [0x08, 1, 0x10, 0xAC, 0x02] + proof))?.field == "shard")
    }

    @Test func `credentials are refused as unimplemented, never ignored`() throws {
        let credentials: [UInt8] = [0x82, 0x06, 3, 1, 2, 3]
        let request = Array(MessageCodec.frame(of: Envelope(id: 9, .request(.getCluster)))[4...])
        for payload in [request + credentials, credentials + request] {
            let error = refusal(payload)
            #expect(error?.kind == .unimplemented && error?.field == "credentials" && error?.requestID == 9)
            #expect(error?.asClientError.code == .unimplemented)
        }
        let empty: [UInt8] = [0x82, 0x06, 0]
        #expect(try MessageCodec().decode(payload: request + empty) == Envelope(id: 9, .request(.getCluster)))
        // Only requests can be answered with an error; for other messages the connection ends.
        let ping = Array(MessageCodec.frame(of: Envelope(id: 9, .ping(sentMicroseconds: 1)))[4...])
        #expect(refusal(ping + credentials)?.kind == .unimplemented)
        #expect(refusal(ping + credentials)?.requestID == nil)
        let hello = Hello(role: .client, name: "c", bootID: UniqueID(high: 1, low: 2))
        let frame = MessageCodec.frame(of: Envelope(.hello(hello)))
        // Field 5 of Hello at its end, and the body two bytes longer.
        var payload = Array(frame[4...]) + [0x2A, 1, 7]
        payload[3] += 3
        #expect(refusal(payload)?.field == "hello.credentials")
    }

    @Test func `a call of an unknown kind is decoded as unsupported`() throws {
        var samples = Samples(seed: 3)
        var call = samples.call()
        call.kind = .unsupported
        let plain = Message.dispatch(clusterTime: Timestamp(seconds: 1), [call])
        let decoded = try MessageCodec().decode(payload: Array(MessageCodec.frame(of: Envelope(plain))[4...]))
        #expect(decoded.message == plain)
    }

    @Test func `numbers of a dispatch are validated during decoding`() {
        var samples = Samples(seed: 4)
        let good = samples.call()
        let changes: [(String, (inout DispatchedCall) -> Void)] = [
            ("attempt", { $0.attempt = 0 }), ("timeout_ms", { $0.timeoutMs = 0 }),
            ("timeout_ms", { $0.timeoutMs = 86_400_001 }), ("connect_timeout_ms", { $0.connectTimeoutMs = 0 }),
            ("connect_timeout_ms", { $0.connectTimeoutMs = 86_400_001 }),
        ]
        for (field, change) in changes {
            var call = good
            change(&call)
            let message = Message.dispatch(clusterTime: Timestamp(seconds: 1), [call])
            let error = refusal(Array(MessageCodec.frame(of: Envelope(message))[4...]))
            #expect(error?.kind == .invalid && error?.field == field)
        }
    }

    @Test func aWrongWireType() {
        #expect(refusal([0x08, 9, 0x30, 1])?.kind == .malformed)
        #expect(refusal([0x0B])?.kind == .malformed)
    }

    @Test func packedNumbersAreRead() throws {
        // incarnation = 0, proof = 16 zeros
        let proof: [UInt8] = [0x18, 0, 0x22, 16] + [UInt8](repeating: 0, count: 16)
        let decoded = try MessageCodec().decode(payload: envelope(8, [0x08, 4, 0x12, 3, 0, 1, 2] + proof))
        #expect(decoded.message == .lead(LeadProof(epoch: 4), shards: [0, 1, 2]))
    }

    @Test func everyPrefixOfAMessageIsRefusedOrShorter() throws {
        for index in 0..<Samples.caseCount {
            var samples = Samples(seed: UInt64(index))
            let envelope = Envelope(id: 77, samples.message(index))
            let payload = Array(MessageCodec.frame(of: envelope)[4...])
            for length in 0..<payload.count {
                // A payload cut at a field boundary may decode, but never to the whole message.
                if let decoded = try? MessageCodec().decode(payload: Array(payload[..<length])) {
                    #expect(decoded != envelope)
                }
            }
        }
    }

    @Test(arguments: 0..<8) func mutatedMessagesNeverCrash(round: Int) throws {
        let seed = UInt64(4_000 + round)
        var samples = Samples(seed: seed)
        let codec = MessageCodec()
        var refused = 0
        for _ in 0..<2_500 {
            let index = Int(samples.random.next(upperBound: UInt64(Samples.caseCount)))
            var payload = Array(MessageCodec.frame(of: Envelope(id: 1, samples.message(index)))[4...])
            for _ in 0...Int(samples.random.next(upperBound: UInt64(4))) where !payload.isEmpty {
                let at = Int(samples.random.next(upperBound: UInt64(payload.count)))
                switch samples.random.next(upperBound: UInt64(3)) {
                case 0: payload[at] = UInt8(truncatingIfNeeded: samples.random.next())
                case 1: payload.remove(at: at)
                default: payload.insert(UInt8(truncatingIfNeeded: samples.random.next()), at: at)
                }
            }
            do throws(WireError) {
                // A decoded message can be encoded again.
                let envelope = try codec.decode(payload: payload)
                _ = MessageCodec.frame(of: envelope)
                _ = try? MessageJSON.decodeAnswer(payload)
            } catch {
                refused += 1
                #expect(!error.text.isEmpty)
            }
        }
        #expect(refused > 500, "seed \(seed)")
    }

    @Test(arguments: 0..<4) func garbageNeverCrashes(round: Int) {
        let seed = UInt64(9_000 + round)
        var random = SeededGenerator(seed: seed)
        let codec = MessageCodec()
        for _ in 0..<20_000 {
            let size = Int(random.next(upperBound: UInt64(64)))
            var payload = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            // Half of the payloads start like an envelope.
            if random.next() & 1 == 0 {
                payload = [0x08, 1, UInt8(random.next(upperBound: UInt64(120))) << 3 | 2] + payload
            }
            _ = try? codec.decode(payload: payload)
        }
        print("garbage: seed \(seed)")
    }

    @Test func memoryIsBoundedByTheBytesOnTheWire() {
        // A hundred thousand empty bodies; each would need a struct.
        var payload: [UInt8] = [0x08, 1]
        for _ in 0..<100_000 { payload += [0x8A, 0x03, 0] }
        _ = try? MessageCodec().decode(payload: payload)
        // And as many small repeated strings.
        var hello: [UInt8] = []
        for _ in 0..<100_000 { hello += [0x32, 0] }
        _ = try? MessageCodec().decode(payload: [0x08, 1, 0x12, 0xC0, 0x9A, 0x0C] + hello)
    }
}
