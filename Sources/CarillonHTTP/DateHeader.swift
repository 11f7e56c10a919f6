internal import CarillonCore
internal import CarillonCron
internal import Synchronization

/// The `Date` header of responses (RFC 9110, section 6.6.1), formatted once for each second with a request. There is no timer,
/// so an idle process does not wake.
final class DateHeader: Sendable {
    private struct Written {
        var seconds = Int64.min
        var text = ""
    }

    private let latest = Mutex(Written())

    func text(at time: Timestamp) -> String {
        latest.withLock { latest in
            if latest.seconds != time.seconds {
                latest = Written(seconds: time.seconds, text: DateHeader.format(seconds: time.seconds))
            }
            return latest.text
        }
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
    ///
    /// - Parameter seconds: since 1970-01-01T00:00:00Z.
    static func format(seconds: Int64) -> String {
        let time = CivilTime(seconds: seconds)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let date = "\(weekdays[time.weekday]), \(two(time.day)) \(months[time.month - 1]) \(time.year)"
        return "\(date) \(two(time.hour)):\(two(time.minute)):\(two(time.second)) GMT"
    }
}
