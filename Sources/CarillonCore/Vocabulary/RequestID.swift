/// Identifies a client's request while it waits for its response.
package typealias RequestID = UInt64
