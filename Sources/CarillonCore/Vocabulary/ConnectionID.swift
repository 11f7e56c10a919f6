/// Identifies a connection to a worker, client or scheduler within one process; never reused.
package typealias ConnectionID = Int
