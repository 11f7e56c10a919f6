internal import CarillonCore
internal import CarillonRuntime
internal import Logging

/// Logs incomplete, malformed and overlong responses of targets, each kind at most once a minute.
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
                isCutOff ? "overlong response from a target" : "incomplete response from a target",
                metadata: ["why": "\(remark)"],
                at: SystemClock.bootTime()
            )
        }
    }
}
