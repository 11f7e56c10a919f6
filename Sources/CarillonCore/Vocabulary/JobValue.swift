/// The value of one setting of a job, as a client gives it. ``JobField`` says which kind of value a setting has.
package enum JobValue: Sendable, Hashable {
    /// Also the name of an enumeration's value.
    case text(String)
    case integer(Int)
    case seconds(Double)
    case time(Timestamp)
    case flag(Bool)
    case list([String])
    case headers([HTTPHeader])
}
