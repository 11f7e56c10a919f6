internal import CarillonCore
internal import CarillonRuntime
internal import Logging

/// Says in the log what is wrong with the answers of targets, once a minute at most: that one is incomplete or malformed, or
/// that it is far longer than what is kept of it.
final class AnswerLog: Sendable {
    private let log: RateLimitedLog

    init(_ logger: Logger) {
        log = RateLimitedLog(logger)
    }

    func note(_ results: [HTTPResult]) {
        for result in results {
            guard let remark = result.remark else { continue }
            let isCutOff = result.kind == .answered
            log.log(
                .warning,
                key: isCutOff ? "long" : "broken",
                isCutOff ? "a target's answer is too long" : "a target's answer is incomplete",
                metadata: ["why": "\(remark)"],
                at: SystemClock.bootTime()
            )
        }
    }
}
