import GRPCCore

/// A message that consists of its bytes: nothing is encoded, so that only the calls are measured.
struct Bytes: MessageSerializer, MessageDeserializer {
    func serialize<Output: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Output { Output(message) }

    func deserialize<Input: GRPCContiguousBytes>(_ input: Input) throws -> [UInt8] {
        input.withUnsafeBytes { Array($0) }
    }
}

/// The called methods.
enum Ping {
    static let once = MethodDescriptor(fullyQualifiedService: "carillon.Peer", method: "Ping")
    static let stream = MethodDescriptor(fullyQualifiedService: "carillon.Peer", method: "PingStream")
}
