/// The value of one job setting, as a client sends it. ``JobField`` defines the kind of value of each setting.
package enum JobValue: Sendable, Hashable {
    /// Also the value of an enumeration.
    case text(String)
    case integer(Int)
    case seconds(Double)
    case time(Timestamp)
    case flag(Bool)
    case list([String])
    case headers([HTTPHeader])
}
