import CarillonCron

/// Parses any text as a schedule. A valid expression can be described, has ascending due times, and means the same in
/// its canonical form. The suggestion for an invalid expression is valid, or there is none.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: data, count: size), as: UTF8.self)
    let expression: CronExpression
    do throws(CronError) {
        expression = try CronExpression(text)
    } catch {
        if let suggestion = error.suggestion, (try? CronExpression(suggestion)) == nil {
            preconditionFailure("\(text): the suggestion \(suggestion) does not parse")
        }
        return 0
    }
    if case .never(let reason) = expression.forecast(after: 1_795_168_800, in: .utc) { precondition(!reason.isEmpty) }
    _ = expression.explained()
    guard let again = try? CronExpression(expression.canonical) else {
        preconditionFailure("\(expression.canonical) does not parse")
    }
    var time: Int64 = 1_795_168_800
    for _ in 0..<5 {
        let next = expression.next(after: time, in: .utc)
        precondition(next == again.next(after: time, in: .utc), "\(text) is not \(expression.canonical)")
        guard let next else { break }
        precondition(next > time)
        time = next
    }
    return 0
}
