package import CCarillonProto
internal import CProtobuf
package import CarillonCore

/// Reads the parts of protobuf-c's structs as Swift values. The scanner has validated the bytes: strings are UTF-8, ids have
/// 16 bytes, required fields are present.
package enum WireReader {
    static func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
        pointer.map { String(cString: $0) } ?? ""
    }

    static func optionalText(_ pointer: UnsafeMutablePointer<CChar>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    package static func id(_ data: ProtobufCBinaryData) -> UniqueID {
        guard data.len == 16, let bytes = data.data else { return .zero }
        let raw = UnsafeRawPointer(bytes)
        return UniqueID(
            high: UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
    }

    static func list<T, Element>(
        _ count: Int,
        _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<T>?>?,
        _ read: (UnsafeMutablePointer<T>) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        guard count > 0, let pointers else { return [] }
        var elements: [Element] = []
        elements.reserveCapacity(count)
        for index in 0..<count {
            guard let pointer = pointers[index] else { continue }
            elements.append(try read(pointer))
        }
        return elements
    }

    static func strings(_ count: Int, _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> [String] {
        guard count > 0, let pointers else { return [] }
        return (0..<count).map { text(pointers[$0]) }
    }

    static func numbers(_ count: Int, _ numbers: UnsafeMutablePointer<Int64>?) -> [Int64] {
        guard count > 0, let numbers else { return [] }
        return Array(UnsafeBufferPointer(start: numbers, count: count))
    }

    static func shards(_ count: Int, _ numbers: UnsafeMutablePointer<UInt32>?) throws(WireError) -> [UInt8] {
        guard count > 0, let numbers else { return [] }
        var shards: [UInt8] = []
        shards.reserveCapacity(min(count, 16))
        for index in 0..<count { shards.append(try shard(numbers[index])) }
        return shards
    }

    static func shard(_ number: UInt32) throws(WireError) -> UInt8 {
        guard let shard = UInt8(exactly: number) else {
            throw WireError(.invalid, "\(number) is not a shard; shards are 0 to 255", field: "shard")
        }
        return shard
    }

    /// A number within a range.
    static func number(
        _ number: UInt32,
        in range: ClosedRange<UInt32>,
        _ field: String
    ) throws(WireError) -> Int {
        guard range.contains(number) else {
            throw WireError(
                .invalid,
                "\(number) is out of range; allowed are \(range.lowerBound) to \(range.upperBound)",
                field: field
            )
        }
        return Int(number)
    }

    package static func headers(
        _ count: Int,
        _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<Carillon__V1__Header>?>?,
        text: (UnsafeMutablePointer<CChar>?) -> String = WireReader.text
    ) -> [HTTPHeader] {
        guard count > 0, let pointers else { return [] }
        var headers: [HTTPHeader] = []
        headers.reserveCapacity(count)
        for index in 0..<count {
            guard let header = pointers[index] else { continue }
            headers.append(HTTPHeader(name: text(header.pointee.name), value: text(header.pointee.value)))
        }
        return headers
    }

    /// The text of an HTTP response or failure in a worker's report. Invalid UTF-8 and NUL become U+FFFD, because the report must
    /// count whatever bytes the target sent.
    static func repairedText(_ has: Int32, _ data: ProtobufCBinaryData) -> String? {
        guard has != 0 else { return nil }
        let bytes = UnsafeBufferPointer(start: UnsafePointer(data.data), count: data.data == nil ? 0 : data.len)
        if let start = bytes.baseAddress, TextScan.containsNUL(start, bytes.count) {
            return String(decoding: bytes.flatMap { $0 == 0 ? [0xEF, 0xBF, 0xBD] : [$0] }, as: UTF8.self)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A code of 16 bytes; zero when the field is absent or has another length.
    static func code(_ data: ProtobufCBinaryData) -> AuthenticationCode {
        let id = id(data)
        return AuthenticationCode(high: id.high, low: id.low)
    }

    static func code(of token: UnsafeMutablePointer<Carillon__V1__Token>?) -> AuthenticationCode {
        guard let token, token.pointee.has_mac != 0 else { return .zero }
        return code(token.pointee.mac)
    }

    static func token(_ wire: UnsafeMutablePointer<Carillon__V1__Token>?) -> DispatchToken {
        guard let wire else { return DispatchToken(epoch: 0, sequence: 0) }
        return DispatchToken(
            epoch: wire.pointee.epoch,
            sequence: wire.pointee.sequence,
            incarnation: wire.pointee.incarnation
        )
    }

    static func tokens(
        _ count: Int,
        _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<Carillon__V1__Token>?>?
    ) -> [DispatchToken] {
        guard count > 0, let pointers else { return [] }
        var tokens: [DispatchToken] = []
        tokens.reserveCapacity(count)
        for index in 0..<count { tokens.append(token(pointers[index])) }
        return tokens
    }

    static func time(_ has: Int32, _ milliseconds: Int64) -> Timestamp? {
        has != 0 ? Timestamp(milliseconds: milliseconds) : nil
    }

    static func optional<Number>(_ has: Int32, _ value: Number) -> Number? {
        has != 0 ? value : nil
    }
}
