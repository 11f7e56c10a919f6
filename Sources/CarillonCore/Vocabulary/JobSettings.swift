package import CarillonCron

/// What a client said of a job: `nil` where it said nothing.
package struct JobSettings: Sendable, Hashable {
    package var schedule: String?
    package var url: String?
    package var executionType: ExecutionType?
    package var name: String?
    package var description: String?
    package var timeZone: String?
    package var daylightPolicy: DaylightPolicy?
    package var method: String?
    package var headers: [HTTPHeader]?
    package var body: String?
    package var timeoutSeconds: Double?
    package var maxRetries: Int?
    package var retryInitialDelaySeconds: Double?
    package var retryMaxDelaySeconds: Double?
    package var catchUpPolicy: CatchUpPolicy?
    package var catchUpWindowSeconds: Double?
    package var overlapPolicy: OverlapPolicy?
    package var priority: Int?
    package var startsAt: Timestamp?
    package var endsAt: Timestamp?
    package var tags: [String]?
    package var active: Bool?
    /// Fields that go back to their default, by their name in the API.
    package var cleared: Set<String> = []

    package init() {}
}
