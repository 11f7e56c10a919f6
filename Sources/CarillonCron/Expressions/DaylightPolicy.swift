/// The treatment of a fixed time of day on the days on which clocks are set.
///
/// The policy concerns only schedules with a fixed time: schedules whose minute and hour fields both do not begin with `*`. Other
/// schedules follow the clock: they are due at every instant at which the clock shows one of their times, so they have neither a
/// silent nor a doubled hour.
public enum DaylightPolicy: String, Sendable, CaseIterable {
    /// The behaviour of Vixie's and Debian's cron: a time is due at the first instant at which the clock shows it or a later time. A time
    /// in the gap is therefore due once, at the first instant after it; a repeated time is due once, at the first.
    case cron = "CRON"
    /// The recommendation of OCPS 1.4 (section 4.3.1): a time is due at the first instant at which the clock shows exactly it. A time in
    /// the gap is skipped; a repeated time is due once, at the first.
    case skip = "SKIP"
    /// Like `cron`, and also at every further instant at which the clock shows the time: a repeated time is due both times.
    case both = "BOTH"
}
