internal import CarillonCore
internal import CarillonCron

/// A manual change of a job's row with psql.
enum HandEdit: String, CaseIterable, Sendable {
    case schedule = "schedule = '@daily'"
    case timeZone = "time_zone = 'Europe/Berlin'"
    case daylightPolicy = "dst_policy = 'BOTH'"
    case startsAt = "starts_at = '2026-11-21T00:00:00Z'"
    case endsAt = "ends_at = '2026-11-21T00:00:00Z'"
    case deactivated = "active = false"
    case priority = "priority = 7"
    case executionType = "execution_type = 'AT_MOST_ONCE'"
    case deleted = "deleted_at = '2026-11-21T00:00:00Z'"
    case effectiveFrom = "effective_from = '2026-11-21T00:00:00Z'"
    case scheduleFromThen = "schedule = '@daily', effective_from = '2026-11-21T00:00:00Z'"
    case nothing = "priority = priority"

    static let midnight = Timestamp(milliseconds: 1_795_219_200_000)

    func apply(to job: inout Job) {
        switch self {
        case .schedule: job.schedule = "@daily"
        case .timeZone: job.timeZone = "Europe/Berlin"
        case .daylightPolicy: job.daylightPolicy = .both
        case .startsAt: job.startsAt = Self.midnight
        case .endsAt: job.endsAt = Self.midnight
        case .deactivated: job.active = false
        case .priority: job.priority = 7
        case .executionType: job.executionType = .atMostOnce
        case .deleted: job.deletedAt = Self.midnight
        case .effectiveFrom: job.effectiveFrom = Self.midnight
        case .scheduleFromThen: (job.schedule, job.effectiveFrom) = ("@daily", Self.midnight)
        case .nothing: break
        }
    }

    /// Whether the change restarts the schedule.
    var startsOver: Bool {
        switch self {
        case .schedule, .timeZone, .daylightPolicy, .startsAt, .endsAt, .deactivated, .deleted: true
        case .priority, .executionType, .effectiveFrom, .scheduleFromThen, .nothing: false
        }
    }
}
