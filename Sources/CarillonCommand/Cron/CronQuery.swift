internal import CarillonCore
internal import CarillonCron
internal import CarillonJSON
internal import CarillonSystem

/// A query for due times of an expression.
struct CronQuery {
    var expression: CronExpression
    var zone: TimeZoneRules
    var from: Timestamp
    var count: Int
    var isReversed: Bool
    var policy: DaylightPolicy

    static let counts = 1...100_000
    static let usualCount = 5

    /// Due times in Unix seconds: after `from` in ascending order, or before `from` in descending order. Fewer than
    /// `count` if the years 1970 to 2199 have no more.
    var times: [Int64] {
        var times: [Int64] = []
        // A time with a fraction of a second is rounded down.
        var last = from.milliseconds >= 0 ? from.milliseconds / 1000 : (from.milliseconds - 999) / 1000
        if isReversed, last * 1000 != from.milliseconds { last += 1 }
        while times.count < count {
            let found =
                isReversed
                ? expression.previous(before: last, in: zone, policy: policy)
                : expression.next(after: last, in: zone, policy: policy)
            guard let found else { break }
            times.append(found)
            last = found
        }
        return times
    }

    /// The reason why there is no due time after `from`; `nil` if there is one, or if earlier times are asked for.
    var neverReason: String? {
        guard !isReversed,
            case .never(let reason) = expression.forecast(after: from.seconds, in: zone, policy: policy)
        else { return nil }
        return reason
    }

    /// The due times for the JSON output of `cron next`.
    var utc: [JSONValue] {
        times.map { .string(RFC3339.format(milliseconds: $0 * 1000)) }
    }

    /// The due times as table rows.
    var rows: [JSONValue] {
        times.map { time in
            let offset = zone.offset(at: time)
            let weekday = CivilTime(seconds: time, offset: offset.seconds).weekday
            return [
                "time": .string(RFC3339.format(milliseconds: time * 1000)),
                "local_time": .string(RFC3339.format(seconds: time, offset: offset.seconds)),
                "weekday": .string(["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][weekday]),
                "abbreviation": .string(offset.abbreviation),
            ]
        }
    }
}

extension CronQuery {
    private static let fields = ["expression", "time_zone", "from", "count", "reverse", "dst_policy"]

    /// The result for one line of `cron next --stdin`: `{"times": […]}` or `{"error": "…"}`.
    static func answer(to line: some Collection<UInt8>, in world: World) -> JSONValue {
        do {
            return ["times": .array(try CronQuery(JSONText.read(Array(line)), in: world).utc)]
        } catch let error as JSONText.Problem {
            return ["error": .string("the line is not JSON: \(error)")]
        } catch let error as CronError {
            return ["error": .string(error.message)]
        } catch let error as ZoneError {
            return ["error": .string(error.message)]
        } catch let error as CommandFailure {
            return ["error": .string(error.text)]
        } catch {
            return ["error": .string("\(error)")]
        }
    }

    private init(_ value: JSONValue, in world: World) throws {
        guard case .object(let members) = value else {
            throw CommandFailure(
                status: .invalidData,
                text: "the line must be an object such as {\"expression\": \"@daily\"}"
            )
        }
        for member in members where !Self.fields.contains(member.name) {
            throw CommandFailure(
                status: .invalidData,
                text: "unknown field \"\(member.name)\"; the fields are \(Self.fields.joined(separator: ", "))"
            )
        }
        func field<Value>(_ name: String, _ kind: String, _ read: (JSONValue) -> Value?) throws -> Value? {
            guard let value = value[name], value != .null else { return nil }
            guard let read = read(value) else {
                throw CommandFailure(status: .invalidData, text: "\(name) must be \(kind)")
            }
            return read
        }
        guard let text = try field("expression", "a string", \.string) else {
            throw CommandFailure(status: .invalidData, text: "expression is missing")
        }
        let policies = DaylightPolicy.allCases.map(\.rawValue).joined(separator: ", ")
        let policy = try field("dst_policy", "one of \(policies)") { $0.string.flatMap(DaylightPolicy.init(rawValue:)) }
        let from = try field("from", "a time: \(TimeArgument.rule)") { $0.string.flatMap { TimeArgument($0) } }
        let count = try field("count", "a whole number from \(Self.counts.lowerBound) to \(Self.counts.upperBound)") {
            $0.integer.flatMap { Int(exactly: $0) }.flatMap { Self.counts.contains($0) ? $0 : nil }
        }
        let isReversed = try field("reverse", "true or false") { $0 == true ? true : $0 == false ? false : nil }
        self.init(
            expression: try CronExpression(text),
            zone: try world.zones.zone(named: try field("time_zone", "a string", \.string) ?? "UTC"),
            from: from?.time(at: world.now()) ?? world.now(),
            count: count ?? Self.usualCount,
            isReversed: isReversed ?? false,
            policy: policy ?? .cron
        )
    }
}
