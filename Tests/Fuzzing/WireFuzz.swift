import CarillonCore
import CarillonJSON
import CarillonWire

/// Decodes any bytes of a peer: frames in pieces and messages. A decoded message is encoded and decoded again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: size))
    guard let first = input.first else { return 0 }
    var decoder = FrameDecoder(maxFrameBytes: 65_536)
    let codec = MessageCodec()
    let step = Int(first) + 1
    var rest = input.dropFirst()
    do throws(WireError) {
        while !rest.isEmpty {
            try decoder.feed(Array(rest.prefix(step))) { (payload) throws(WireError) in
                check(try codec.decode(payload: payload))
            }
            rest = rest.dropFirst(step)
        }
    } catch {
        precondition(decoder.bufferedBytes == 0)
    }
    // Also as one message, because a fitting length is rarely generated.
    let payload = Array(input.dropFirst())
    payload.withUnsafeBytes { bytes in
        if let envelope = try? codec.decode(payload: bytes) { check(envelope) }
    }
    _ = try? MessageJSON.decodeAnswer(payload)
    return 0
}

private func check(_ envelope: Envelope) {
    if case .unknown = envelope.message { return }
    let frame = MessageCodec.frame(of: envelope)
    frame.dropFirst(4).withUnsafeBytes { bytes in
        guard let again = try? MessageCodec().decode(payload: bytes) else {
            preconditionFailure("the encoded message cannot be decoded: \(envelope)")
        }
        precondition(MessageCodec.frame(of: again) == frame, "\(envelope) became \(again)")
    }
}
