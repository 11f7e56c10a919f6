internal import Glibc
internal import NIOCore

/// Short texts for network errors.
enum FailureText {
    static func of(_ error: any Error) -> String {
        switch error {
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case ChannelError.connectTimeout: "no answer in time"
        default: "\(error)"
        }
    }
}
