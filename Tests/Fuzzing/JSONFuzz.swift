import CarillonCore
import CarillonJSON
import CarillonWire

/// Parses any text as JSON. A parsed value is written and parsed again; requests are built or refused.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: size))
    guard let value = try? JSONText.read(input) else { return 0 }
    let text = JSONText.bytes(of: value)
    guard let again = try? JSONText.read(text) else { preconditionFailure("not read again") }
    precondition(JSONText.bytes(of: again) == text)
    for name in ["create_job", "update_job", "list_executions", "preview_schedule", "run_job"] {
        guard let payload = try? MessageJSON.encodeRequest(name: name, arguments: value, id: 1) else { continue }
        payload.withUnsafeBytes { bytes in
            precondition((try? MessageCodec().decode(payload: bytes)) != nil, "\(name) cannot be decoded")
        }
    }
    return 0
}
