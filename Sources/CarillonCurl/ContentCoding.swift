internal import CCurl
internal import Glibc

/// The supported content codings (RFC 9110, section 8.4.1): those of the installed libcurl.
///
/// Only the kept part of a response is decoded, after the call has ended. The result of a call therefore does not depend on the
/// coding, and a decompression bomb costs neither memory nor time: decoding stops at the limit.
enum ContentCoding: Sendable {
    case gzip, deflate, brotli, zstd

    /// The limit of nested codings; libcurl has the same.
    static let maxCount = 5

    /// The coding with this name in Content-Encoding, in lower case; `nil` when it is not supported.
    init?(_ name: Substring) {
        switch name {
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        case "br": self = .brotli
        case "zstd": self = .zstd
        default: return nil
        }
    }

    /// The start of the decoded content.
    struct Decoded {
        /// Empty when decoding failed.
        var bytes: [UInt8]
        /// Whether the end of the content was reached.
        var isComplete: Bool
    }

    /// - Parameter limit: decoding stops after this many bytes of output.
    func decode(_ bytes: [UInt8], limit: Int) -> Decoded {
        switch self {
        case .gzip: return Zlib.decode(bytes, windowBits: 15 + 16, limit: limit)
        case .deflate:
            // RFC 9110 requires the zlib format, but some servers send raw deflate.
            let decoded = Zlib.decode(bytes, windowBits: 15, limit: limit)
            return decoded.bytes.isEmpty ? Zlib.decode(bytes, windowBits: -15, limit: limit) : decoded
        case .brotli: return Brotli.decode(bytes, limit: limit)
        case .zstd: return Zstandard.decode(bytes, limit: limit)
        }
    }
}

/// A function of a library that libcurl has loaded; `nil` when libcurl is built without the library.
private func loaded<Function>(_ name: String, as type: Function.Type) -> Function? {
    dlsym(nil, name).map { unsafeBitCast($0, to: Function.self) }
}

/// Runs a decoder over the input.
/// - Parameter body: decodes into the free space; returns the number of bytes written, and whether the content is complete.
private func fill(
    limit: Int,
    _ body: (UnsafeMutableBufferPointer<UInt8>) -> (written: Int, isComplete: Bool)
) -> ContentCoding.Decoded {
    var isComplete = false
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { space, count in
        guard limit > 0 else { return }
        (count, isComplete) = body(space)
    }
    return ContentCoding.Decoded(bytes: bytes, isComplete: isComplete)
}

private let nothing = ContentCoding.Decoded(bytes: [], isComplete: false)

private enum Zlib {
    private static let (done, syncFlush): (Int32, Int32) = (1, 2)

    static func decode(_ input: [UInt8], windowBits: Int32, limit: Int) -> ContentCoding.Decoded {
        guard let version = loaded("zlibVersion", as: carillon_zlib_version.self)?(),
            let begin = loaded("inflateInit2_", as: carillon_zlib_begin.self),
            let step = loaded("inflate", as: carillon_zlib_step.self),
            let end = loaded("inflateEnd", as: carillon_zlib_end.self)
        else { return nothing }
        return input.withUnsafeBufferPointer { input in
            var stream = carillon_zlib_stream()
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            guard begin(&stream, windowBits, version, Int32(MemoryLayout<carillon_zlib_stream>.size)) == 0 else {
                return nothing
            }
            defer { _ = end(&stream) }
            return fill(limit: limit) { space in
                stream.next_out = space.baseAddress
                stream.avail_out = UInt32(space.count)
                // One step consumes all input, fills the space, or fails; the output so far remains.
                let result = step(&stream, syncFlush)
                return (space.count - Int(stream.avail_out), result == done)
            }
        }
    }
}

private enum Brotli {
    private static let done: Int32 = 1

    static func decode(_ input: [UInt8], limit: Int) -> ContentCoding.Decoded {
        guard let step = loaded("BrotliDecoderDecompressStream", as: carillon_brotli_step.self),
            let end = loaded("BrotliDecoderDestroyInstance", as: carillon_brotli_end.self),
            let state = loaded("BrotliDecoderCreateInstance", as: carillon_brotli_begin.self)?(nil, nil, nil)
        else { return nothing }
        defer { end(state) }
        return input.withUnsafeBufferPointer { input in
            fill(limit: limit) { space in
                var (availableIn, nextIn) = (input.count, input.baseAddress)
                var (availableOut, nextOut) = (space.count, space.baseAddress)
                let result = step(state, &availableIn, &nextIn, &availableOut, &nextOut, nil)
                return (space.count - availableOut, result == done)
            }
        }
    }
}

private enum Zstandard {
    private static let maxWindowLog: Int32 = 100

    static func decode(_ input: [UInt8], limit: Int) -> ContentCoding.Decoded {
        guard let set = loaded("ZSTD_DCtx_setParameter", as: carillon_zstd_set.self),
            let step = loaded("ZSTD_decompressStream", as: carillon_zstd_step.self),
            let isError = loaded("ZSTD_isError", as: carillon_zstd_is_error.self),
            let end = loaded("ZSTD_freeDStream", as: carillon_zstd_end.self),
            let stream = loaded("ZSTD_createDStream", as: carillon_zstd_begin.self)?()
        else { return nothing }
        defer { _ = end(stream) }
        // The frame declares the memory of its window; HTTP allows 8 MiB (RFC 9659).
        _ = set(stream, maxWindowLog, 23)
        return input.withUnsafeBufferPointer { input in
            fill(limit: limit) { space in
                var source = carillon_zstd_input(bytes: input.baseAddress, size: input.count, position: 0)
                var target = carillon_zstd_output(bytes: space.baseAddress, size: space.count, position: 0)
                while true {
                    let (read, written) = (source.position, target.position)
                    let result = step(stream, &target, &source)
                    if isError(result) != 0 { return (target.position, false) }
                    if result == 0 { return (target.position, true) }
                    let isStuck = source.position == read && target.position == written
                    if isStuck || target.position == target.size { return (target.position, false) }
                }
            }
        }
    }
}
